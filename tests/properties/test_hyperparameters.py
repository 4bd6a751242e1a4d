"""Promise 6: a hyperparameter may be a number, an array, a tracer or a schedule, and it makes no difference."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import gradtx
from properties import registry

CASES = [(name, hyper) for name in registry.NAMES for hyper in registry.numeric(registry.MAKE[name]())]


def two_updates(tx):
    p, g = registry.params(), registry.grads()
    state = tx.init(p)
    _, state = registry.advance(tx, g, state, p)
    return registry.advance(tx, g, state, p)[0]


@pytest.mark.parametrize(("name", "hyper"), CASES)
def test_traced_injected_and_scheduled_constant_values_give_the_same_bits(name, hyper):
    tx = registry.MAKE[name]()
    value = np.float32(tx.arguments[hyper])
    traced = jax.jit(lambda tx, x: two_updates(tx.replace(**{hyper: x})))(tx, value)
    injected = jax.jit(two_updates)(tx.replace(**{hyper: value}))
    scheduled = jax.jit(two_updates)(tx.replace(**{hyper: gradtx.constant(value)}))
    assert registry.bits(traced) == registry.bits(injected)
    assert registry.bits(traced) == registry.bits(scheduled)


@pytest.mark.parametrize(("name", "hyper"), CASES)
def test_a_static_value_differs_by_no_more_than_its_rounding(name, hyper):
    tx = registry.MAKE[name]()
    static = jax.jit(lambda: two_updates(tx))()
    traced = jax.jit(two_updates)(tx)
    # 1 - 0.999 in float32 is off by 1.3e-5; every other rounding is far smaller.
    for a, b in zip(jax.tree.leaves(static), jax.tree.leaves(traced), strict=True):
        np.testing.assert_allclose(a, b, rtol=2e-5, atol=1e-9)


@pytest.mark.parametrize(("name", "hyper"), CASES)
def test_vmap_over_a_hyperparameter_equals_each_value_alone(name, hyper):
    tx = registry.MAKE[name]()
    values = tx.arguments[hyper] * np.array([1.0, 0.5], np.float32)
    population = jax.vmap(lambda x: two_updates(tx.replace(**{hyper: x})))(values)
    for i, value in enumerate(values):
        alone = two_updates(tx.replace(**{hyper: value}))
        for a, b in zip(jax.tree.leaves(population), jax.tree.leaves(alone), strict=True):
            np.testing.assert_allclose(a[i], b, rtol=2e-6, atol=1e-7)


@pytest.mark.parametrize(("name", "hyper"), CASES)
def test_a_new_value_compiles_nothing_where_the_transformation_is_an_argument(name, hyper):
    tx = registry.MAKE[name]()
    traces = []

    @jax.jit
    def step(tx, g):
        traces.append(1)
        return registry.advance(tx, g, tx.init(g), g)

    first = step(tx, registry.grads())
    second = step(tx.replace(**{hyper: tx.arguments[hyper] * 0.5}), registry.grads())
    assert len(traces) == 1
    assert jax.tree.structure(first) == jax.tree.structure(second)


def test_a_sweep_over_learning_rates_and_decays_compiles_once():
    traces = []

    @jax.jit
    def step(tx, g):
        traces.append(1)
        return tx.update(g, tx.init(g), g)

    for rate in np.linspace(0.1, 1.0, 10):
        for decay in (0.0, 0.1, 0.2):
            updates, _ = step(gradtx.adamw(rate, weight_decay=decay), jnp.ones(()))
            np.testing.assert_allclose(updates, -rate * (1 + decay), rtol=1e-6)
    assert len(traces) == 1
