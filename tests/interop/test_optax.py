"""gradtx inside Optax's wrappers, and Optax inside a gradtx chain."""

import chex
import jax
import jax.numpy as jnp
import optax
import pytest

import gradtx
from properties import registry

WRAPPERS = {
    "chain": lambda tx: optax.chain(optax.clip(0.3), tx),
    "named_chain": lambda tx: optax.named_chain(("clip", optax.clip(0.3)), ("tx", tx)),
    "MultiSteps": lambda tx: optax.MultiSteps(tx, every_k_schedule=2).gradient_transformation(),
    "apply_if_finite": lambda tx: optax.apply_if_finite(tx, max_consecutive_errors=2),
    "masked": lambda tx: optax.masked(tx, {"kernel": True, "bias": False}),
    "partition": lambda tx: optax.partition({"k": tx, "b": optax.sgd(0.1)}, {"kernel": "k", "bias": "b"}),
    "flatten": optax.flatten,
}


@pytest.mark.parametrize("wrap", WRAPPERS.values(), ids=WRAPPERS)
def test_an_optax_wrapper_treats_gradtx_and_optax_transformations_alike(wrap, train, assert_agree):
    ours, _ = train(wrap(gradtx.adamw(0.1, weight_decay=0.2)))
    theirs, _ = train(wrap(optax.adamw(0.1, weight_decay=0.2)))
    assert_agree(ours, theirs)


@pytest.mark.parametrize("wrap", WRAPPERS.values(), ids=WRAPPERS)
def test_an_optax_wrapper_passes_the_loss_on_with_to_optax(wrap, plateau_pair, train, assert_agree):
    ours, state = train(wrap(gradtx.to_optax(plateau_pair.ours)))
    theirs, _ = train(wrap(plateau_pair.theirs))
    assert optax.tree.get(state, "Plateau").scale < 1
    assert_agree(ours, theirs)


def test_partition_takes_one_transformation_for_each_group(train, assert_agree):
    labels = {"kernel": "k", "bias": "b"}
    ours, _ = train(optax.partition({"k": gradtx.adam(0.1), "b": gradtx.sgd(0.1, momentum=0.9)}, labels))
    theirs, _ = train(optax.partition({"k": optax.adam(0.1), "b": optax.sgd(0.1, momentum=0.9)}, labels))
    assert_agree(ours, theirs)


def test_apply_if_finite_keeps_the_state_when_a_gradient_is_not_finite(problem):
    tx = optax.apply_if_finite(gradtx.adam(0.1), max_consecutive_errors=2)
    state = tx.init(problem.params)
    updates, after = tx.update(jax.tree.map(lambda p: p * jnp.nan, problem.params), state, problem.params)
    chex.assert_trees_all_equal(updates, jax.tree.map(jnp.zeros_like, problem.params))
    chex.assert_trees_all_equal(after.inner_state, state.inner_state)


def test_apply_if_finite_needs_float32_gradients_for_half_precision_parameters(problem):
    params = jax.tree.map(lambda p: p.astype(jnp.bfloat16), problem.params)
    tx = optax.apply_if_finite(gradtx.adam(0.1), max_consecutive_errors=2)
    with pytest.raises(TypeError, match="must have equal output types"):  # updates are never rounded to bfloat16
        tx.update(registry.copy(params), tx.init(params), params)
    updates, _ = tx.update(problem.params, tx.init(params), params)
    assert all(u.dtype == jnp.float32 for u in jax.tree.leaves(updates))


@pytest.mark.parametrize("rate", [0.1, optax.linear_schedule(0.1, 0.01, 8)], ids=["number", "schedule"])
def test_inject_hyperparams_takes_a_factory(rate, train, assert_agree):
    ours, state = train(optax.inject_hyperparams(gradtx.adam)(learning_rate=rate))
    theirs, same_state = train(optax.inject_hyperparams(optax.adam)(learning_rate=rate))
    assert_agree(ours, theirs)
    assert_agree(state.hyperparams["learning_rate"], same_state.hyperparams["learning_rate"])


def test_an_injected_hyperparameter_can_be_changed_in_the_state(problem):
    tx = optax.inject_hyperparams(gradtx.sgd)(learning_rate=0.1)
    state = tx.init(problem.params)
    state.hyperparams["learning_rate"] = jnp.array(0.5)
    updates, _ = tx.update(registry.copy(problem.params), state, problem.params)
    chex.assert_trees_all_close(updates, jax.tree.map(lambda p: -0.5 * p, problem.params))


def test_optax_stages_work_in_a_chain(train, assert_agree):
    ours, _ = train(gradtx.chain(optax.clip(0.3), optax.scale_by_adam(), gradtx.scale_by_learning_rate(0.1)))
    theirs, _ = train(optax.chain(optax.clip(0.3), optax.scale_by_adam(), optax.scale_by_learning_rate(0.1)))
    assert_agree(ours, theirs)


def test_the_state_of_an_optax_stage_is_kept_unchanged_under_its_name(problem):
    scale_by_adam = optax.scale_by_adam()
    state = gradtx.chain(gradtx.clip(0.3), scale_by_adam).init(problem.params)
    chex.assert_trees_all_equal_structs(state["scale_by_adam"], scale_by_adam.init(problem.params))


def test_a_named_optax_stage_keeps_its_state_under_that_name(problem):
    state = gradtx.chain(moments=optax.scale_by_adam(), rate=gradtx.scale(-0.1)).init(problem.params)
    assert isinstance(state["moments"], optax.ScaleByAdamState)


def test_an_optax_stage_in_a_chain_receives_the_extra_arguments(train, plateau_pair, assert_agree):
    ours, state = train(gradtx.chain(gradtx.sgd(2.0), optax.contrib.reduce_on_plateau(factor=0.1, patience=1)))
    theirs, _ = train(plateau_pair.theirs)
    assert state["reduce_on_plateau"].scale < 1
    assert_agree(ours, theirs)


@pytest.mark.parametrize(
    "stage",
    [optax.scale_by_adam(), optax.trace(0.9), optax.apply_if_finite(optax.scale_by_adam(), 2)],
    ids=["scale_by_adam", "trace", "apply_if_finite"],
)
def test_an_optax_stage_keeps_the_dtypes_of_its_state_for_half_precision_parameters(stage, problem):
    params = jax.tree.map(lambda p: p.astype(jnp.bfloat16), problem.params)
    tx = gradtx.chain(stage, gradtx.scale(-0.1))
    state = tx.init(params)
    _, after = tx.update(registry.copy(params), state, params)
    chex.assert_trees_all_equal_dtypes(after, state)


def test_a_plateau_cuts_where_optax_cuts(train, plateau_pair, assert_agree):
    ours, state = train(plateau_pair.ours)
    assert state["scale_by_learning_rate"]["learning_rate"].scale < 1
    assert_agree(ours, train(plateau_pair.theirs)[0])


def test_tree_get_finds_state_by_name(train):
    _, state = train(optax.chain(optax.clip(0.3), gradtx.adam(0.1)))
    inner = state[1]
    assert optax.tree.get(state, "step") == 8
    chex.assert_trees_all_equal(optax.tree.get(state, "first"), inner["track_moments"].first)
    assert isinstance(optax.tree.get(state, "Moments"), gradtx.Moments)


def test_tree_set_changes_state_by_name(problem):
    state = optax.tree.set(gradtx.adam(0.1).init(problem.params), step=jnp.int32(5))
    assert gradtx.adam(0.1).update(problem.params, state)[1]["step"] == 6


def test_tree_map_params_maps_the_moments_and_leaves_the_step(problem):
    tx = gradtx.adam(0.1)
    state = optax.tree.map_params(tx, lambda x: x + 7, tx.init(problem.params))
    assert state["step"] == 0
    assert all(jnp.all(x == 7) for x in jax.tree.leaves(state["track_moments"]))
