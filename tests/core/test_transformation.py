"""A transformation is a value."""

import copy
import pickle

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import gradtx
from properties import registry

NAMESPACE = {
    **{name: getattr(gradtx, name) for name in gradtx.__all__},
    "jnp": jnp,
    "np": np,
    "_is_even": registry._is_even,
}
NAMESPACE |= {
    name: getattr(registry, name)
    for name in ("_matrices", "_labels", "_shrunk", "_at_most_one", "_is_even", "_largest", "_velocity")
}
IMPORTABLE = [name for name in registry.NAMES if name not in ("leafwise", "treewise", "stepwise", "wrapping")]
VALUES = {
    **{name: registry.MAKE[name] for name in IMPORTABLE},
    "schedule inside": lambda: gradtx.adamw(gradtx.warmup_cosine(0.1, 5, 50, end_value=0.01), weight_decay=0.0),
    "JAX scalar": lambda: gradtx.sgd(jnp.float32(0.1), momentum=jnp.bfloat16(0.5)),
    "NumPy scalar": lambda: gradtx.sgd(np.float32(0.1)),
    "array": lambda: gradtx.sgd(jnp.array([0.1, 0.2])),
    "nested": lambda: gradtx.chain(a=gradtx.chain(gradtx.clip(1.0), gradtx.clip(2.0)), b=gradtx.scale(3.0)),
}


@pytest.mark.parametrize("value", VALUES)
def test_evaluating_the_repr_gives_an_equal_value(value):
    tx = VALUES[value]()
    again = eval(repr(tx), NAMESPACE)
    assert again == tx
    assert hash(again) == hash(tx)
    assert type(again) is type(tx)


@pytest.mark.parametrize("value", VALUES)
def test_pickle_and_deepcopy_give_an_equal_value(value):
    tx = VALUES[value]()
    assert pickle.loads(pickle.dumps(tx)) == tx
    assert copy.deepcopy(tx) == tx
    assert copy.copy(tx) == tx


@pytest.mark.parametrize("value", VALUES)
def test_flattening_and_unflattening_gives_an_equal_value(value):
    tx = VALUES[value]()
    leaves, treedef = jax.tree.flatten(tx)
    assert treedef.unflatten(leaves) == tx
    assert jax.tree.structure(jax.tree.map(lambda x: x * 2, tx)) == treedef


def test_repr_is_the_call_with_its_defaults():
    assert repr(gradtx.adam(0.001)) == "adam(learning_rate=0.001, b1=0.9, b2=0.999, eps=1e-08)"
    assert repr(gradtx.sgd(1)) == "sgd(learning_rate=1.0)"
    assert repr(gradtx.rmsprop(0.1, eps_in_sqrt=True)).endswith("eps_in_sqrt=True)")


def test_equality_distinguishes_numbers_kinds_and_options():
    assert gradtx.adam(0.1) != gradtx.adam(0.2)
    assert gradtx.adam(0.1) != gradtx.adamw(0.1)
    assert gradtx.adam(0.1) != gradtx.adam(jnp.float32(0.1))
    assert gradtx.rmsprop(0.1) != gradtx.rmsprop(0.1, eps_in_sqrt=True)
    assert gradtx.chain(a=gradtx.scale(1.0)) != gradtx.chain(b=gradtx.scale(1.0))
    assert gradtx.adam(0.1) != "adam"
    assert gradtx.adam(gradtx.cosine(0.1, 10)) != gradtx.adam(gradtx.cosine(0.1, 11))


def test_leaves_are_the_numbers_and_are_named_after_their_arguments():
    tx = gradtx.adam(gradtx.cosine(0.1, 100), eps=1e-6)
    named = {jax.tree_util.keystr(path): x for path, x in jax.tree_util.tree_leaves_with_path(tx)}
    assert named == {
        ".learning_rate.init_value": 0.1,
        ".learning_rate.end_value": 0.0,
        ".learning_rate.exponent": 1.0,
        ".b1": 0.9,
        ".b2": 0.999,
        ".eps": 1e-6,
    }


def test_a_transformation_unpacks_as_its_pair():
    init, update = gradtx.sgd(0.5)
    updates, _ = update(jnp.array([2.0]), init(jnp.zeros(1)))
    np.testing.assert_array_equal(updates, [-1.0])


def test_replace_changes_arguments_and_stages():
    assert gradtx.adam(0.1).replace(b1=0.5, learning_rate=0.2) == gradtx.adam(0.2, b1=0.5)
    tx = gradtx.chain(gradtx.clip(1.0), adam=gradtx.adam(0.1))
    assert tx.replace(adam=gradtx.sgd(0.1)).stages["adam"] == gradtx.sgd(0.1)
    assert tx.stages["adam"] == gradtx.adam(0.1)


def test_adam_is_literally_its_chain():
    stages = gradtx.adam(0.1, 0.8, 0.9, 1e-6).stages
    assert list(stages.values()) == [
        gradtx.track_moments(0.8, 0.9),
        gradtx.bias_correction(0.8, 0.9),
        gradtx.scale_by_moments(1e-6),
        gradtx.scale_by_learning_rate(0.1),
    ]


@pytest.mark.parametrize(
    ("variant", "only_here", "only_in_adam"),
    [
        (gradtx.adamw, {"add_decayed_weights"}, set()),
        (gradtx.adam_l2, {"add_decayed_weights"}, set()),
        (gradtx.amsgrad, {"track_maximum"}, set()),
        (gradtx.nadam, {"track_nesterov_moments"}, {"track_moments"}),
        (gradtx.adabelief, {"track_belief"}, {"track_moments"}),
    ],
    ids=lambda x: getattr(x, "__name__", ""),
)
def test_a_variant_of_adam_differs_by_one_stage(variant, only_here, only_in_adam):
    stages, adam = set(variant(0.1).stages), set(gradtx.adam(0.1).stages)
    assert (stages - adam, adam - stages) == (only_here, only_in_adam)


def test_equal_transformations_share_one_trace_as_static_arguments():
    traces = []

    def step(tx, update, g, state):
        traces.append(1)
        return update(g, state)[0]

    jitted = jax.jit(step, static_argnums=(0, 1))
    for rate in (0.1, 0.1, 0.2):
        tx = gradtx.adam(rate)
        jitted(tx, tx.update, jnp.ones(2), tx.init(jnp.ones(2)))
    assert len(traces) == 2


def test_a_transformation_can_be_built_from_traced_numbers_inside_jit_and_vmap():
    def first_update(rate, b1):
        tx = gradtx.chain(gradtx.clip_by_global_norm(1.0), gradtx.adam(rate, b1=b1))
        return tx.update(jnp.ones(2), tx.init(jnp.ones(2)))[0]

    rates = jnp.array([0.1, 0.2])
    np.testing.assert_allclose(jax.jit(first_update)(0.3, 0.5), -0.3, rtol=1e-6)
    np.testing.assert_allclose(jax.vmap(first_update)(rates, rates)[:, 0], -rates, rtol=1e-6)


def test_vmap_over_a_transformation_trains_a_population():
    population = gradtx.sgd(jnp.array([0.1, 0.5]))
    update = jax.vmap(lambda tx, g: tx.update(g, tx.init(g))[0], in_axes=(0, None))
    np.testing.assert_allclose(update(population, jnp.ones(3)), [[-0.1] * 3, [-0.5] * 3], rtol=1e-6)


def test_grad_through_a_transformation_is_the_derivative_with_respect_to_its_hyperparameters():
    derivative = jax.grad(lambda tx: jnp.sum(tx.update(jnp.ones(3), tx.init(jnp.ones(3)))[0]))(gradtx.sgd(0.1))
    assert derivative.arguments["learning_rate"] == -3.0


def test_a_mask_among_the_arguments_is_not_mistaken_for_a_schedule():
    @gradtx.transformation
    def masked_scale(factor: gradtx.ScalarOrSchedule, where):
        return gradtx.leafwise(_where, factor=factor, where=where)

    tx = masked_scale(2.0, lambda u: u > 0)
    np.testing.assert_array_equal(tx.update(jnp.array([1.0, -1.0]), tx.init({}))[0], [2.0, -1.0])


def _where(u, s, p, factor, where):
    return jnp.where(where(u), factor * u, u), s


def test_a_dtype_among_the_arguments_hashes_and_prints():
    @gradtx.transformation
    def rounded(dtype):
        return gradtx.leafwise(_rounded, dtype=dtype)

    assert rounded(jnp.bfloat16) == rounded(jnp.bfloat16)
    assert hash(rounded(jnp.bfloat16)) == hash(rounded(jnp.bfloat16))
    assert repr(rounded(jnp.bfloat16)) == "rounded(dtype=jnp.bfloat16)"
    assert repr(rounded(np.float32)) == "rounded(dtype=np.float32)"


def _rounded(u, s, p, dtype):
    return u.astype(dtype), s


def test_a_mask_with_one_bool_per_entry_is_an_error():
    p = {"w": jnp.ones(2)}
    tx = gradtx.masked(gradtx.adam(0.1), {"w": jnp.array([True, False])})
    with pytest.raises(ValueError, match=r"params\['w'\] is bool\[2\] in the mask; expected True or False"):
        tx.init(p)


def test_a_chain_nested_200_deep_is_a_value():
    deep, same, other = gradtx.clip(1.0), gradtx.clip(1.0), gradtx.clip(2.0)
    for _ in range(200):
        deep, same, other = gradtx.chain(deep), gradtx.chain(same), gradtx.chain(other)
    assert repr(deep) == "chain(chain=" * 199 + "chain(clip=clip(max_delta=1.0" + ")" * 201
    assert deep == same == pickle.loads(pickle.dumps(deep)) == copy.deepcopy(deep)
    assert deep != other
    updates, _ = deep.update(jnp.array([3.0]), deep.init(jnp.zeros(1)))
    assert updates[0] == 1.0


@pytest.mark.parametrize("clip", [gradtx.clip, gradtx.clip_by_global_norm])
def test_200_stages_of_one_kind_compile_once(clip, caplog):
    tx = gradtx.chain(*[clip(1.0)] * 200)
    p = jnp.full((2, 7), 3.0)  # a shape of no other test
    state = tx.init(p)
    tx.update(jnp.ones(2), tx.init(jnp.ones(2)))  # compiles what all shapes share
    with jax.log_compiles():
        tx.update(p, state)
    assert len([x for x in caplog.messages if x.startswith("Finished XLA compilation")]) == 1
