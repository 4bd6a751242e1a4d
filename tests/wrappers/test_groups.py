"""Groups and overrides by path: globs, regular expressions and conditions, over the trees of all training libraries."""

import pickle
import re

import equinox as eqx
import flax.linen as nn
import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest
from flax import nnx

import gradtx
from properties import registry
from wrappers.training import gradients, train


def layer():
    return {"kernel": jnp.ones((2, 2)), "bias": jnp.ones(2)}


P = {"embed": {"table": jnp.ones((3, 2))}, "layer_0": layer(), "head": layer()}


class Net(nnx.Module):
    """A Flax model of one layer."""

    def __init__(self):
        self.layer_0 = nnx.Linear(2, 2, rngs=nnx.Rngs(0))


MODELS = {
    "dict": {"layer_0": layer()},
    "Linen": nn.Sequential([nn.Dense(2)]).init(jax.random.key(0), jnp.ones(2)),
    "NNX": nnx.state(Net()),
    "Equinox": eqx.filter(eqx.nn.MLP(2, 2, 2, 1, key=jax.random.key(0)), eqx.is_array),
    "Haiku": {"mlp/~/linear_0": {"w": jnp.ones((2, 2)), "bias": jnp.ones(2)}},
    "a list": [{"bias": jnp.ones(2), "w": jnp.ones((2, 2))}],
}


BIAS = {
    "glob": "*/bias",
    "double star": "**/bias",
    "regular expression": re.compile(r"(.*/)?bias"),
    "condition": gradtx.ndim(1),
    "function": lambda path, x: path.endswith("bias"),
}


@pytest.mark.parametrize("pattern", BIAS.values(), ids=BIAS)
@pytest.mark.parametrize("model", MODELS)
def test_a_bias_is_found_in_the_tree_of_every_library(model, pattern):
    rows = gradtx.explain(gradtx.groups({pattern: gradtx.sgd(0.1), "**": gradtx.adam(0.1)}), MODELS[model]).rows
    assert {row.path.split("/")[-1] for row in rows if row.goes_to != ("**",)} == {"bias"}
    assert all(row.state == 0 for row in rows if row.path.endswith("bias"))


def test_the_value_of_a_flax_variable_may_be_in_the_path_or_not():
    for path in ("layer_0/bias", "layer_0/bias/value"):
        tx = gradtx.groups({path: gradtx.sgd(0.1), "**": gradtx.adam(0.1)})
        assert [row.goes_to for row in gradtx.explain(tx, MODELS["NNX"]).rows] == [(path.replace("/", "."),), ("**",)]


def test_the_first_pattern_wins_after_pickling_and_through_jit():
    tx = gradtx.groups({"*/bias": gradtx.sgd(1.0), "head/*": gradtx.sgd(2.0), "**": gradtx.sgd(3.0)})
    for again in (tx, pickle.loads(pickle.dumps(tx)), jax.tree.map(lambda x: x, tx)):
        updates, _ = jax.jit(lambda tx: tx.update(P, tx.init(P)))(again)
        assert float(updates["head"]["bias"][0]) == -1.0
        assert float(updates["head"]["kernel"][0, 0]) == -2.0
        assert float(updates["embed"]["table"][0, 0]) == -3.0


def test_groups_follow_partition_and_optax():
    grads = gradients(3, P)
    ours, _ = train(gradtx.groups({"*/bias": gradtx.sgd(0.1, 0.9), "**": gradtx.adam(0.1)}), grads, P)
    labels = lambda p: jax.tree_util.tree_map_with_path(lambda k, _: "b" if k[-1].key == "bias" else "o", p)  # noqa: E731
    theirs, _ = train(optax.partition({"b": optax.sgd(0.1, 0.9), "o": optax.adam(0.1)}, labels), grads, P)
    registry.assert_close(ours, theirs, rtol=1e-4)


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: gradtx.groups({"*/bias": gradtx.sgd(0.1)}), "no pattern fits embed/table float32.3,2., head/kernel"),
        (lambda: gradtx.groups({"*/biass": gradtx.sgd(0.1), "**": gradtx.sgd(0.1)}), r"'\*/biass' fits no array"),
        (lambda: gradtx.overrides(gradtx.adam(0.1), {"body/*": {"b1": 0.5}}), "'body/.' fits no array. The arrays are"),
        (lambda: gradtx.masked(gradtx.sgd(0.1), "bias"), "masked: the mask: 'bias' fits no array"),
        (lambda: gradtx.adamw(0.1, where="bias"), "where: 'bias' fits no array"),
        (lambda: gradtx.layerwise_rate_decay(gradtx.sgd(0.1), 0.5, ["layer_9/*"]), "'layer_9/.' fits no array"),
    ],
)
def test_what_fits_nothing_is_listed(make, message):
    with pytest.raises(ValueError, match=message):
        tx = make()
        tx.update(P, tx.init(P), P)


def test_a_pattern_that_fits_nothing_can_be_allowed():
    tx = gradtx.groups({"*/scale": gradtx.sgd(0.1), "**": gradtx.sgd(1.0)}, allow_unused=True)
    assert float(tx.update(P, tx.init(P))[0]["head"]["bias"][0]) == -1.0


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"learning_rat": 0.1}, "no argument 'learning_rat'"),
        ({"maximize": "yes"}, "is no number"),
        ({"momentum": 0.9}, r"other stages \(trace\)"),
        (0.1, "is no dict of arguments"),
    ],
)
def test_an_override_that_is_more_than_a_number_is_refused(change, message):
    with pytest.raises(TypeError, match=message):
        gradtx.overrides(gradtx.sgd(0.1), {"*/bias": change})


def test_an_override_of_a_number_for_all_arrays_together_is_refused():
    with pytest.raises(TypeError, match="one number for all arrays together"):
        gradtx.overrides(
            gradtx.chain(gradtx.clip_by_global_norm(1.0)), {"**": {"clip_by_global_norm": {"max_norm": 2.0}}}
        )


CHANGES = {"*/bias": {"weight_decay": 0.0, "b1": 0.5}, "embed/*": {"learning_rate": gradtx.cosine(0.5, 4)}}


def test_each_array_moves_as_with_its_own_numbers():
    base = gradtx.adamw(0.1, weight_decay=0.1)
    grads = gradients(4, P)
    path, _ = train(gradtx.overrides(base, CHANGES), grads, P)
    for part, tx in (
        (lambda p: p["head"]["bias"], base.replace(**CHANGES["*/bias"])),
        (lambda p: p["embed"]["table"], base.replace(**CHANGES["embed/*"])),
        (lambda p: p["head"]["kernel"], base),
    ):
        expected, _ = train(tx, grads, P)
        registry.assert_close([part(p) for p in path], [part(p) for p in expected])


def test_overrides_change_no_name_in_the_state_and_take_one_trace_for_each_shape():
    base, traces = gradtx.adamw(0.1), []

    def counted(u, s, p, by):
        traces.append(u.shape)
        return by * u, s

    assert registry.avals(gradtx.overrides(base, CHANGES).init(P)) == registry.avals(base.init(P))
    inner = gradtx.chain(own=gradtx.leafwise(counted, by=2.0))
    tx = gradtx.overrides(inner, {"*/bias": {"own": {"by": 3.0}}, "embed/*": {"own": {"by": 4.0}}})
    updates, _ = jax.jit(lambda g: tx.update(g, tx.init(g)))(P)
    assert len(traces) == 3
    assert (float(updates["head"]["bias"][0]), float(updates["embed"]["table"][0, 0])) == (3.0, 4.0)


def test_overrides_of_overrides_and_of_where_add_up():
    tx = gradtx.sgd(1.0, weight_decay=1.0, where=gradtx.ndim(2))
    tx = gradtx.overrides(tx, {"head/*": {"weight_decay": 3.0}})
    tx = gradtx.overrides(tx, {"*/kernel": {"inner": {"learning_rate": 0.5}}})
    updates, _ = tx.update(P, tx.init(P), P)
    found = {
        row.path: float(np.ravel(x)[0])
        for row, x in zip(gradtx.explain(tx, P).rows, jax.tree.leaves(updates), strict=True)
    }
    assert found == {
        "embed/table": -2.0,
        "head/bias": -1.0,
        "head/kernel": -2.0,
        "layer_0/bias": -1.0,
        "layer_0/kernel": -1.0,
    }


def test_an_override_is_a_number_of_the_transformation():
    tx = gradtx.overrides(gradtx.sgd(1.0), {"*/bias": {"learning_rate": 2.0}})
    rate = jax.jit(lambda tx: tx.update(P, tx.init(P))[0]["head"]["bias"][0])
    assert float(rate(tx)) == -2.0
    assert float(rate(jax.tree.map(lambda x: 3 * x, tx))) == -6.0
    many = jax.tree.map(lambda x: x * jnp.arange(3.0), tx)
    np.testing.assert_allclose(jax.vmap(rate)(many), [0.0, -2.0, -4.0])


def test_layerwise_rates_fall_from_the_last_layer_to_the_first():
    tx = gradtx.layerwise_rate_decay(gradtx.sgd(1.0), 0.5, ["embed/*", "layer_0/*", "head/*"])
    updates, _ = tx.update(P, tx.init(P))
    first = {name: float(jax.tree.leaves(layer)[0].ravel()[0]) for name, layer in updates.items()}
    assert first == {"embed": -0.25, "layer_0": -0.5, "head": -1.0}


def test_explain_takes_no_memory_and_shows_groups_masks_and_bytes():
    big = jax.tree.map(lambda x: jax.ShapeDtypeStruct((2**17, *x.shape), jnp.bfloat16), P)
    tx = gradtx.overrides(gradtx.adamw(0.1, where=gradtx.ndim(at_least=3)), {"head/*": {"b1": 0.5}})
    table = gradtx.explain(tx, big)
    kernel = next(row for row in table.rows if row.path == "head/kernel")
    assert kernel.differs == ("overrides head.*", "where")
    assert kernel.state == 2 * 4 * 4 * 2**17
    assert "head/kernel" in table._repr_html_() and "MiB" in repr(table)


def test_explain_shows_complex_arrays_that_are_split():
    (row,) = gradtx.explain(gradtx.split_real_and_imaginary(gradtx.adam(0.1)), {"z": jnp.ones(2, jnp.complex64)}).rows
    assert (row.array, row.state) == ("complex64[2]", 2 * 2 * 8)
