"""Promise 5: the same under jit, vmap, scan, grad and shard_map; abstract init; donation of fresh state."""

import functools

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from jax.sharding import PartitionSpec

from properties import registry


def close(a, b):
    for x, y in zip(jax.tree.leaves(a), jax.tree.leaves(b), strict=True):
        np.testing.assert_allclose(np.asarray(x, np.float64), np.asarray(y, np.float64), rtol=2e-6, atol=1e-7)


@pytest.mark.parametrize("name", registry.NAMES)
def test_jit_scan_and_plain_calls_agree(name):
    tx, p, g = registry.MAKE[name](), registry.params(), registry.grads()
    jitted = plain = tx.init(p)
    for _ in range(3):
        plain_updates, plain = registry.advance(tx, g, plain, p)
        jitted_updates, jitted = registry.step(name)(g, jitted, p)
    scanned, updates = jax.lax.scan(lambda s, _: registry.advance(tx, g, s, p)[::-1], tx.init(p), length=3)
    close((plain_updates, plain), (jitted_updates, jitted))
    close((jax.tree.map(lambda x: x[-1], updates), scanned), (jitted_updates, jitted))


@pytest.mark.parametrize("name", registry.NAMES)
def test_vmap_over_members_equals_each_member_alone(name):
    tx = registry.MAKE[name]()
    factors = jnp.array([1.0, -0.5])
    stack = functools.partial(jax.tree.map, lambda x: factors.reshape(-1, *[1] * x.ndim) * x)
    p, g = stack(registry.params()), stack(registry.grads())
    updates, state = jax.vmap(lambda g, p: registry.advance(tx, g, tx.init(p), p))(g, p)
    for i in range(2):
        member = functools.partial(jax.tree.map, lambda x, i=i: x[i])
        close(member((updates, state)), registry.step(name)(member(g), tx.init(member(p)), member(p)))


@pytest.mark.parametrize("name", registry.NAMES)
def test_the_derivative_through_two_updates_is_finite_also_at_zero_gradients(name):
    tx, p = registry.MAKE[name](), registry.params()

    def total(g):
        state = tx.init(p)
        first, state = registry.advance(tx, g, state, p)
        second, _ = registry.advance(tx, g, state, p)
        return sum(jnp.sum(x) for x in jax.tree.leaves((first, second)))

    for g in (registry.grads(), jax.tree.map(jnp.zeros_like, p)):
        assert all(np.all(np.isfinite(x)) for x in jax.tree.leaves(jax.jit(jax.grad(total))(g)))


@pytest.mark.parametrize("name", registry.NAMES)
def test_the_derivative_with_respect_to_the_transformation_is_finite(name):
    tx, p = registry.MAKE[name](), registry.params()

    def total(tx, g):
        updates, _ = registry.advance(tx, g, tx.init(p), p)
        return sum(jnp.sum(x) for x in jax.tree.leaves(updates))

    for g in (registry.grads(), jax.tree.map(jnp.zeros_like, p)):
        assert all(np.isfinite(x) for x in jax.tree.leaves(jax.grad(total)(tx, g)))


@pytest.mark.parametrize("name", registry.NAMES)
def test_abstract_init_has_the_shapes_of_the_real_one(name):
    tx, p = registry.MAKE[name](), registry.params()
    state = tx.init(p)
    abstract = jax.eval_shape(tx.init, p)
    assert jax.tree.structure(abstract) == jax.tree.structure(state)
    assert [(x.shape, x.dtype) for x in jax.tree.leaves(abstract)] == [
        (x.shape, x.dtype) for x in jax.tree.leaves(state)
    ]


@pytest.mark.parametrize("name", registry.NAMES)
def test_params_and_fresh_state_can_be_donated_twice(name):
    tx, p = registry.MAKE[name](), registry.params()

    @functools.partial(jax.jit, donate_argnums=(0, 1))
    def step(p, state, g):
        updates, state = registry.advance(tx, g, state, p)
        return jax.tree.map(jnp.add, p, updates), state

    state = tx.init(p)
    pointers = [x.unsafe_buffer_pointer() for x in jax.tree.leaves((p, state))]
    assert len(set(pointers)) == len(pointers)
    for _ in range(2):
        p, state = step(p, state, registry.grads())
    assert all(np.all(np.isfinite(x)) for x in jax.tree.leaves(p))


@pytest.mark.parametrize("name", sorted(set(registry.NAMES) - {"clip_by_global_norm", "chain", "treewise"}))
def test_shard_map_of_what_is_elementwise_equals_the_whole(name):
    tx = registry.MAKE[name]()
    mesh = jax.make_mesh((8,), ("x",), axis_types=(jax.sharding.AxisType.Auto,))
    p = jnp.linspace(-1.0, 1.0, 16)
    state = tx.init(p)
    specs = jax.tree.map(lambda x: PartitionSpec("x") if x.ndim else PartitionSpec(), state)
    step = jax.shard_map(
        lambda g, s, p: registry.advance(tx, g, s, p),
        mesh=mesh,
        in_specs=(PartitionSpec("x"), specs, PartitionSpec("x")),
        out_specs=(PartitionSpec("x"), specs),
    )
    close(jax.jit(step)(2 * p, state, p), registry.advance(tx, 2 * p, state, p))
