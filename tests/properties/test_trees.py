"""Promise 4: any pytree of arrays; what is None or not floating is left alone."""

from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import gradtx
from properties import registry


class Pair(NamedTuple):
    left: Any
    right: Any


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
    "None leaves": {"a": ARRAY, "b": None},
}


@pytest.mark.parametrize("tree", TREES)
@pytest.mark.parametrize("name", registry.NAMES)
def test_a_tree_of_any_kind_is_updated_in_its_own_structure(name, tree):
    p, tx = TREES[tree], registry.MAKE[name]()
    updates, state = registry.advance(tx, p, tx.init(p), p)
    assert jax.tree.structure(updates) == jax.tree.structure(p)
    assert jax.tree.structure(state) == jax.tree.structure(tx.init(p))
    new = gradtx.apply_updates(p, updates)
    assert [jnp.shape(x) for x in jax.tree.leaves(new)] == [jnp.shape(x) for x in jax.tree.leaves(p)]


@pytest.mark.parametrize("name", registry.NAMES)
def test_a_none_gradient_leaves_its_array_and_its_state_untouched(name):
    tx, p = registry.MAKE[name](), registry.params()
    _, state = registry.advance(tx, registry.grads(), tx.init(p), p)
    updates, after = registry.advance(tx, {**registry.grads(), "w": None}, state, p)
    assert updates["w"] is None
    assert registry.bits(gradtx.apply_updates(p, updates)["w"]) == registry.bits(p["w"])
    paths = jax.tree_util.tree_leaves_with_path
    before = {path: x for path, x in paths(state) if jax.tree_util.DictKey("w") in path}
    now = {path: x for path, x in paths(after) if jax.tree_util.DictKey("w") in path}
    assert before.keys() == now.keys()
    assert all(registry.bits(before[path]) == registry.bits(now[path]) for path in before)


@pytest.mark.parametrize("name", registry.NAMES)
def test_integer_leaves_beside_floating_ones_are_left_alone(name):
    tx = registry.MAKE[name]()
    p = {"w": ARRAY, "ids": jnp.arange(3)}
    g = jax.grad(lambda p: jnp.sum(p["w"] ** 2), allow_int=True)(p)
    updates, _ = registry.advance(tx, g, tx.init(p), p)
    assert registry.bits(gradtx.apply_updates(p, updates)["ids"]) == registry.bits(p["ids"])


@pytest.mark.parametrize("name", ["adam", "amsgrad", "rmsprop", "adagrad", "adabelief", "nadam", "sgd"])
def test_second_moments_of_complex_parameters_are_real(name):
    p = jnp.array([1.0 + 2.0j, -1.0j], jnp.complex64)
    tx = registry.MAKE[name]()
    state = tx.init(p)
    updates, after = tx.update(p, state, p)
    assert updates.dtype == jnp.complex64
    assert registry.avals(after) == registry.avals(state)
    complex_arrays = sum(x.dtype == jnp.complex64 for x in jax.tree.leaves(state))
    assert complex_arrays == (0 if name in ("rmsprop", "adagrad") else 1)
