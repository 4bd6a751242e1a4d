"""Promise 4: any pytree of arrays works, and leaves that are None or not floating point are left alone."""

from dataclasses import dataclass
from typing import Any, NamedTuple

import equinox as eqx
import flax
import jax
import jax.numpy as jnp
import numpy as np
import pytest
from flax import nnx

import gradtx
from gradtx.core.ranges import PerArray
from properties import registry

lib = registry.lib


class Pair(NamedTuple):
    left: Any
    right: Any


@jax.tree_util.register_dataclass
@dataclass
class Record:
    kernel: Any
    bias: Any


class Affine(eqx.Module):
    """A module, which is a callable pytree."""

    kernel: Any
    bias: Any

    def __call__(self, x):
        return self.kernel @ x + self.bias


ARRAY = jnp.array([1.0, -2.0])
TREES = {
    "an array": ARRAY,
    "a scalar": jnp.array(1.0),
    "a Python float": 1.0,
    "NumPy": np.array([1.0, -2.0], np.float32),
    "nothing": {},
    "an empty array": jnp.zeros((0, 3)),
    "tuples and lists": (ARRAY, [jnp.ones((2, 2)), (ARRAY,)]),
    "named tuple": Pair(ARRAY, {"a": ARRAY}),
    "dataclass": Record(ARRAY, jnp.ones(())),
    "Equinox module": Affine(jnp.ones((2, 2)), ARRAY),
    "Flax state": nnx.state(nnx.Linear(2, 3, rngs=nnx.Rngs(0))),
    "Flax frozen dict": flax.core.freeze({"dense": {"kernel": ARRAY}}),
    "None leaves": {"a": ARRAY, "b": None},
}


@pytest.mark.parametrize("name", registry.sampled(registry.NAMES))
def test_trees_of_any_kind_are_updated_and_keep_their_structure(name):
    tx = registry.make(name)

    def advance(p):
        state = tx.init(p)
        updates, after = registry.advance(tx, registry.copy(p), state, p)
        return state, updates, after, lib.apply_updates(p, updates)

    for tree, p in TREES.items():
        if tree == "a Python float":
            state, updates, after, new = advance(p)
        else:
            state, updates, after, new = jax.eval_shape(advance, p)
        assert jax.tree.structure(updates) == jax.tree.structure(p), tree
        assert jax.tree.structure(after) == jax.tree.structure(state), tree
        assert [jnp.shape(x) for x in jax.tree.leaves(new)] == [jnp.shape(x) for x in jax.tree.leaves(p)], tree


@pytest.mark.exhaustive
@pytest.mark.parametrize("tree", TREES)
@pytest.mark.parametrize("name", registry.NAMES)
def test_a_tree_of_any_kind_is_updated_outside_jit(name, tree):
    p, tx = TREES[tree], registry.make(name)
    updates, _ = registry.advance(tx, registry.copy(p), tx.init(p), p)
    assert jax.tree.structure(updates) == jax.tree.structure(p)
    assert registry.is_finite(updates)


@pytest.mark.scenario(
    9, "gradients can be None; Equinox modules can be params, masks and labels; frozen arrays stay bit-identical"
)
@pytest.mark.parametrize("name", registry.sampled(registry.NAMES))
def test_a_none_gradient_leaves_its_array_and_its_state_untouched(name):
    tx, p = registry.make(name), registry.params()
    _, state = registry.advance(tx, registry.grads(), tx.init(p), p)
    updates, after = registry.advance(tx, {**registry.grads(), "w": None}, state, p)
    assert updates["w"] is None
    assert registry.bits(lib.apply_updates(p, updates)["w"]) == registry.bits(p["w"])
    paths = jax.tree_util.tree_leaves_with_path
    before = {path: x for path, x in paths(state) if jax.tree_util.DictKey("w") in path}
    now = {path: x for path, x in paths(after) if jax.tree_util.DictKey("w") in path}
    assert before.keys() == now.keys()
    assert all(registry.bits(before[path]) == registry.bits(now[path]) for path in before)


@registry.of_gradtx
@pytest.mark.parametrize("name", registry.OPTIMIZERS)
def test_an_array_whose_gradients_come_late_moves_by_at_most_five_first_steps(name):
    tx, p, g = registry.make(name), *registry.matrix()
    p, g = {**p, "late": jnp.ones(3)}, {**g, "late": jnp.array([0.5, -0.25, 2.0])}
    first, _ = registry.step(name)(g, tx.init(p), p)
    state = tx.init(p)
    for _ in range(20):
        _, state = registry.step(name)({**g, "late": None}, state, p)
    late, _ = registry.step(name)(g, state, p)
    assert jnp.linalg.norm(late["late"]) <= 5 * max(jnp.linalg.norm(first["late"]), 0.01)


@registry.of_gradtx
@pytest.mark.parametrize("name", registry.NAMES)
def test_an_array_of_more_than_2_31_elements_has_an_update(name):
    tx = registry.make(name)
    p = {"w": jax.ShapeDtypeStruct((2**16, 2**15 + 8), jnp.float32)}
    state = jax.eval_shape(tx.init, p)
    updates, after = jax.eval_shape(lambda g, s, p: registry.advance(tx, g, s, p), p, state, p)
    assert registry.avals(updates) == registry.avals(p)
    assert registry.avals(after) == registry.avals(state)


@pytest.mark.scenario(11, "integer parameters are left alone among floating ones, and refused if there are no others")
@pytest.mark.parametrize("name", registry.sampled(registry.NAMES))
def test_integer_leaves_among_floating_ones_are_left_alone(name):
    tx = registry.make(name)
    p = {"w": registry.params()["w"], "ids": jnp.arange(3)}
    g = jax.grad(lambda p: jnp.sum(p["w"] ** 2), allow_int=True)(p)
    updates, _ = registry.advance(tx, g, tx.init(p), p)
    assert registry.bits(lib.apply_updates(p, updates)["ids"]) == registry.bits(p["ids"])


@pytest.mark.scenario(11, "integer parameters are left alone among floating ones, and refused if there are no others")
@pytest.mark.parametrize("name", registry.NAMES)
def test_integer_parameters_alone_are_refused(name):
    with pytest.raises(TypeError, match=r"params\['ids'\] is int32\[3\].*leave it out of params"):
        registry.make(name).init({"ids": jnp.arange(3)})


HAVE_SECOND_MOMENTS = ["adam", "amsgrad", "rmsprop", "adagrad", "adabelief", "nadam"]


@pytest.mark.scenario(
    12, "the second moment of complex64 parameters is real, so Adam keeps 12 bytes per parameter and not 16"
)
@pytest.mark.parametrize("name", [name for name in HAVE_SECOND_MOMENTS if name in registry.MAKE])
def test_second_moments_of_complex_parameters_are_real(name):
    p = jnp.array([1.0 + 2.0j, -1.0j], jnp.complex64)
    tx = registry.make(name)
    state = tx.init(p)
    updates, after = tx.update(registry.copy(p), state, p)
    assert updates.dtype == jnp.complex64
    assert registry.avals(after) == registry.avals(state)
    held = [x for x in jax.tree.leaves(state) if x.ndim]
    if name == "adam":
        assert sum(x.nbytes for x in held) == 12 * p.size
    assert sum(x.dtype == jnp.complex64 for x in held) == (0 if name in ("rmsprop", "adagrad") else 1)


@registry.of_gradtx
@pytest.mark.parametrize("name", registry.NAMES)
def test_a_none_gradient_or_a_mask_leaves_a_single_array_alone(name):
    tx, p, g = registry.make(name), jnp.ones(2), jnp.full(2, 0.5)
    masked = gradtx.masked(tx, False)

    def updates():
        extra = {"value": 1.0, "hessian": g, **registry.other_arguments(g, p)}
        without, _ = tx.update(None, tx.init(p), p, **extra)
        passed, _ = masked.update(g, masked.init(p), p, **extra)
        return without, passed

    without, passed = jax.eval_shape(updates)
    assert without is None and passed.shape == g.shape


MASKED = [
    (name, argument)
    for name in registry.NAMES
    if registry.LIBRARY == "gradtx" and registry.make(name).name == name
    for argument, (_, limit) in registry.annotated(name).items()
    if isinstance(limit, PerArray) and name != "partition"
]


@registry.of_gradtx
@pytest.mark.parametrize(("name", "argument"), MASKED)
def test_a_mask_of_numpy_or_jax_bools_is_one_of_python_bools(name, argument):
    decay = {"weight_decay": 0.1} if "weight_decay" in registry.make(name).arguments else {}
    mask = {"k": True, "w": False}
    tx = registry.make(name).replace(**decay, **{argument: mask})
    for kind in (np.bool_, np.array, jnp.array):
        same = tx.replace(**{argument: jax.tree.map(kind, mask)})
        assert same == tx
        assert len(jax.tree.leaves(same)) == len(jax.tree.leaves(tx))
    jax.eval_shape(lambda tx, p: tx.init(p), same, {"k": jnp.ones((2, 2)), "w": jnp.ones(3)})


@registry.of_gradtx
@pytest.mark.parametrize("kind", [np.int32, np.array, jnp.array], ids=["NumPy", "NumPy array", "JAX array"])
def test_labels_of_numpy_or_jax_ints_are_those_of_python_ints(kind):
    p, inner = {"k": jnp.ones((2, 2)), "w": jnp.ones(3)}, {1: gradtx.sgd(0.1), 2: gradtx.sgd(1.0)}
    tx = gradtx.partition(inner, {"k": kind(1), "w": kind(2)})
    assert tx == gradtx.partition(inner, {"k": 1, "w": 2})
    updates, _ = jax.jit(lambda tx, p: tx.update(p, tx.init(p), p))(tx, p)
    np.testing.assert_allclose(updates["k"], np.full((2, 2), -0.1), rtol=1e-6)
    np.testing.assert_array_equal(updates["w"], np.full(3, -1.0))
