"""The state is a nested dict keyed by stage names, with one step counter, and all its leaves are arrays."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import gradtx
from properties import registry

P = {"w": jnp.ones(3)}


def paths(state):
    return {
        "/".join(str(getattr(key, "key", getattr(key, "name", key))) for key in path)
        for path, _ in jax.tree_util.tree_leaves_with_path(state)
    }


def test_a_path_names_stages_then_field_then_parameter():
    tx = gradtx.chain(clip=gradtx.clip_by_global_norm(1.0), adam=gradtx.adam(0.1))
    kept = {"adam/track_moments/first/w", "adam/track_moments/second/w", "adam/bias_correction/age"}
    assert paths(tx.init(P)) == {"step", *kept}


def test_inserting_a_stage_changes_no_other_key():
    before = gradtx.chain(gradtx.adam(0.1)).init(P)
    after = gradtx.chain(gradtx.clip(1.0), gradtx.trace(0.9), gradtx.adam(0.1)).init(P)
    assert paths(before) < paths(after)


def test_a_chain_of_chains_keeps_one_step_counter():
    tx = gradtx.chain(
        a=gradtx.chain(gradtx.cosine(1.0, 10), gradtx.trace(0.9)),
        b=gradtx.adam(gradtx.cosine(0.1, 10)),
        c=gradtx.rmsprop(gradtx.plateau(1.0)),
    )
    assert sum(path.split("/")[-1] == "step" for path in paths(tx.init(P))) == 1


def test_moments_are_a_named_tuple_of_trees_structured_like_the_parameters():
    state = gradtx.adam(0.1).init(P)
    assert isinstance(state["track_moments"], gradtx.Moments)
    assert jax.tree.structure(state["track_moments"].first) == jax.tree.structure(P)


def test_a_stateful_schedule_keeps_its_scalars_under_the_name_of_the_hyperparameter():
    state = gradtx.sgd(gradtx.plateau(0.1), momentum=0.9).init(P)
    assert isinstance(state["scale_by_learning_rate"]["learning_rate"], gradtx.Plateau)
    assert state["trace"]["velocity"]["w"].shape == (3,)


def test_a_stage_keeps_its_arrays_next_to_the_scalars_of_a_stateful_hyperparameter():
    tx = gradtx.trace(gradtx.plateau(0.9))
    state = tx.init(P)
    for _ in range(2):
        updates, state = tx.update(P, state, value=1.0)
    np.testing.assert_allclose(updates["w"], 1.9, rtol=1e-6)
    assert set(state["trace"]) == {"velocity", "decay"}


def test_the_state_omits_stages_without_state_but_not_empty_trees():
    assert gradtx.sgd(0.1).init(P).keys() == {"step"}
    assert gradtx.trace(0.1).init({}).keys() == {"step", "trace"}


@pytest.mark.parametrize("name", registry.NAMES)
def test_every_leaf_of_a_state_is_an_array(name):
    state = registry.MAKE[name]().init(registry.params())
    assert all(isinstance(x, jax.Array) and jnp.issubdtype(x.dtype, jnp.number) for x in jax.tree.leaves(state))


def test_the_step_counter_saturates():
    tx = gradtx.adam(gradtx.cosine(0.1, 10, end_value=0.05))
    state = {**tx.init(P), "step": jnp.array(2**31 - 2, jnp.int32)}
    for _ in range(3):
        updates, state = tx.update(P, state)
    assert state["step"] == 2**31 - 1
    assert np.all(np.isfinite(updates["w"])) and np.all(updates["w"] < 0)


def test_each_array_of_a_state_has_its_own_buffer_even_where_init_returns_the_parameter():
    tx = gradtx.leafwise(lambda u, s, p: (u, s), lambda p: p, keeps="start")
    state = tx.init(P)
    assert state["leafwise"]["start"]["w"].unsafe_buffer_pointer() != P["w"].unsafe_buffer_pointer()
