"""Promise 5: transformations work under jit, vmap, scan, grad, eval_shape and shard_map, with donation, on meshes."""

import functools

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from jax.sharding import AxisType, NamedSharding, PartitionSpec

from properties import registry

lib = registry.lib


@pytest.mark.parametrize("name", registry.sampled(registry.NAMES))
def test_compiled_and_plain_calls_agree(name):
    tx, p, g = registry.make(name), registry.params(), registry.grads()
    jitted = plain = tx.init(p)
    for _ in range(2):
        plain_updates, plain = registry.advance(tx, g, plain, p)
        jitted_updates, jitted = registry.step(name)(g, jitted, p)
    registry.assert_close((plain_updates, plain), (jitted_updates, jitted))


@pytest.mark.parametrize("name", registry.sampled(registry.NAMES))
def test_scanned_steps_of_a_vmapped_population_equal_those_of_each_member_alone(name):
    tx = registry.make(name)
    factors = jnp.array([1.0, -0.5])
    stack = functools.partial(jax.tree.map, lambda x: factors.reshape(-1, *[1] * x.ndim) * x)

    def train(g, p):
        def step(state, _):
            updates, state = registry.advance(tx, g, state, p)
            return state, updates

        state, updates = jax.lax.scan(step, tx.init(p), length=2)
        return jax.tree.map(lambda u: u[-1], updates), state

    p, g = map(stack, registry.matrix())
    population = jax.jit(jax.vmap(train))(g, p)
    for i in range(2):
        member = functools.partial(jax.tree.map, lambda x, i=i: x[i])
        state = tx.init(member(p))
        for _ in range(2):
            updates, state = registry.step(name)(member(g), state, member(p))
        registry.assert_close(member(population), (updates, state))


@pytest.mark.scenario(14, "meta-gradients through Adam and through clipping are finite at a zero gradient")
@pytest.mark.parametrize("name", registry.sampled(registry.NAMES))
def test_the_derivative_through_two_updates_is_finite_even_at_zero_gradients(name):
    tx, (p, grads) = registry.make(name), registry.matrix()

    def total(tx, g):
        state = tx.init(p)
        first, state = registry.advance(tx, g, state, p)
        second, _ = registry.advance(tx, g, state, p)
        return sum(jnp.sum(x) for x in jax.tree.leaves((first, second)))

    # Differentiate by the gradients and, where the transformation is a pytree, also by its hyperparameters.
    if registry.LIBRARY == "gradtx":
        derivative = jax.jit(jax.grad(total, argnums=(0, 1)))
    else:
        derivative = functools.partial(lambda f, tx, g: f(g), jax.jit(jax.grad(functools.partial(total, tx))))
    for g in (grads, jax.tree.map(jnp.zeros_like, p)):
        assert registry.is_finite(derivative(tx, g))


@pytest.mark.parametrize("name", registry.NAMES)
def test_abstract_init_matches_the_real_one(name):
    tx, p = registry.make(name), registry.params()
    state, abstract = tx.init(p), jax.eval_shape(tx.init, p)
    assert jax.tree.structure(abstract) == jax.tree.structure(state)
    described = [(x.shape, x.dtype, x.weak_type) for x in jax.tree.leaves(abstract)]
    assert described == [(x.shape, x.dtype, x.weak_type) for x in jax.tree.leaves(state)]


@functools.cache
def donated(name):
    """A compiled step of a large tree that donates params and state. test_nothing_extra uses it too."""

    def step(p, state, g):
        updates, state = registry.advance(registry.make(name), g, state, p)
        return lib.apply_updates(p, updates), state

    p = {"w": jnp.linspace(-1.0, 1.0, 4096)}
    state = registry.make(name).init(p)
    g = jax.tree.map(lambda x: 2 * x, p)
    return jax.jit(step, donate_argnums=(0, 1)).lower(p, state, g).compile(), (p, state, g)


@pytest.mark.scenario(
    8, "params and a fresh state can be donated right after init and again, because no two arrays share a buffer"
)
@pytest.mark.parametrize("name", registry.sampled(registry.NAMES))
def test_params_and_fresh_state_can_be_donated_twice(name):
    step, (p, state, g) = donated(name)
    p, state = jax.tree.map(jnp.array, p), registry.make(name).init(p)
    pointers = [x.unsafe_buffer_pointer() for x in jax.tree.leaves((p, state))]
    assert len(set(pointers)) == len(pointers)
    for _ in range(2):
        p, state = step(p, state, g)
    assert registry.is_finite(p)


def mesh_of(kind):
    return jax.make_mesh((8,), ("x",), axis_types=(kind,))


@pytest.mark.exhaustive
@pytest.mark.parametrize("name", registry.ELEMENTWISE)
def test_shard_map_of_an_elementwise_step_equals_the_unsharded_step(name):
    tx = registry.make(name)
    p = jnp.linspace(-1.0, 1.0, 16)
    state = tx.init(p)
    specs = jax.tree.map(lambda x: PartitionSpec("x") if x.ndim else PartitionSpec(), state)
    step = jax.shard_map(
        lambda g, s, p: registry.advance(tx, g, s, p),
        mesh=mesh_of(AxisType.Auto),
        in_specs=(PartitionSpec("x"), specs, PartitionSpec("x")),
        out_specs=(PartitionSpec("x"), specs),
    )
    registry.assert_close(jax.jit(step)(2 * p, state, p), registry.advance(tx, 2 * p, state, p))


def sharded(kind):
    """A matrix on eight devices, split along its first axis."""
    p = {"w": jnp.linspace(-1.0, 1.0, 32).reshape(16, 2)}
    mesh = mesh_of(kind)
    return mesh, jax.tree.map(lambda x: jax.device_put(x, NamedSharding(mesh, PartitionSpec("x"))), p)


def assert_sharded_as_params(state, p):
    specs = {x.shape: x.sharding for x in jax.tree.leaves(p)}
    for x in jax.tree.leaves(state):
        if x.shape in specs:
            assert x.sharding.is_equivalent_to(specs[x.shape], x.ndim)


@pytest.mark.scenario(21, "jit(init) shards the state like the parameters, on automatic and explicit meshes")
@pytest.mark.parametrize("kind", [AxisType.Auto, AxisType.Explicit], ids=str)
@pytest.mark.parametrize("name", registry.sampled(registry.NAMES))
def test_jitted_init_shards_the_state_like_the_parameters(name, kind):
    tx = registry.make(name)
    mesh, p = sharded(kind)
    with jax.set_mesh(mesh):
        assert_sharded_as_params(jax.jit(tx.init)(p), p)


# A window of norms is of no parameter; one of steps is placed with the first step that is kept.
WITH_WINDOWS = {"clip_by_norm_quantile", "lbfgs", "scale_by_lbfgs"}


@pytest.mark.parametrize("name", registry.sampled(registry.NAMES))
def test_a_state_born_on_an_automatic_mesh_comes_out_as_it_went_in(name):
    tx = registry.make(name)
    _, p = sharded(AxisType.Auto)
    born = jax.jit(tx.init)(p)
    _, state = jax.jit(functools.partial(registry.advance, tx))(p, born, p)
    for x, y in zip(jax.tree.leaves(born), jax.tree.leaves(state), strict=True):
        if x.ndim and name not in WITH_WINDOWS:
            assert x.sharding.is_equivalent_to(y.sharding, x.ndim)


# One solves for all parameters by a matrix, which is on no mesh: its other solver is for large problems.
ON_A_MESH = [name for name in registry.NAMES if name != "levenberg_marquardt"]


@pytest.mark.scenario(
    23, "on an explicit mesh of 8 devices, the state is sharded like params, a step gathers nothing, and norms agree"
)
@pytest.mark.parametrize("name", registry.sampled(ON_A_MESH))
def test_a_step_on_an_explicit_mesh_stays_sharded_and_equals_the_unsharded_one(name):
    tx = registry.make(name)
    mesh, p = sharded(AxisType.Explicit)
    alone = jax.tree.map(np.asarray, p)
    with jax.set_mesh(mesh):
        arguments = jax.tree.map(lambda x: 2 * x, p), tx.init(p), p
        compiled = jax.jit(functools.partial(registry.advance, tx)).lower(*arguments).compile()
        updates, state = compiled(*arguments)
    if name in registry.ELEMENTWISE:
        assert "all-gather" not in compiled.as_text()
        assert "all-to-all" not in compiled.as_text()
    assert_sharded_as_params((updates, state), p)
    expected, _ = registry.advance(tx, jax.tree.map(lambda x: 2 * x, alone), tx.init(alone), alone)
    registry.assert_close(updates, expected, atol=1e-6)
