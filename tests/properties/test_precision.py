"""Promise 2: at least float32 whatever the parameters are, and one rounding at the end."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import gradtx
import reference
from properties import registry

LOW = [jnp.bfloat16, jnp.float16]


@pytest.mark.parametrize("dtype", LOW, ids=["bfloat16", "float16"])
@pytest.mark.parametrize("name", registry.NAMES)
def test_low_precision_gradients_give_the_bits_of_their_float32_selves(name, dtype):
    low, wide = registry.params(dtype), registry.params(jnp.float32)
    tx, step = registry.MAKE[name](), registry.step(name)
    low_state, wide_state = tx.init(low), tx.init(wide)
    for _ in range(2):
        low_updates, low_state = step(registry.grads(dtype), low_state, low)
        wide_updates, wide_state = step(registry.grads(), wide_state, wide)
    assert registry.bits(low_updates) == registry.bits(wide_updates)
    assert registry.bits(low_state) == registry.bits(wide_state)


@pytest.mark.parametrize("name", registry.NAMES)
def test_state_and_updates_of_bfloat16_parameters_are_float32(name):
    p = registry.params(jnp.bfloat16)
    tx = registry.MAKE[name]()
    updates, state = registry.step(name)(registry.grads(jnp.bfloat16), tx.init(p), p)
    assert {u.dtype for u in jax.tree.leaves(updates)} == {jnp.dtype("float32")}
    assert {x.dtype for x in jax.tree.leaves(state)} <= {jnp.dtype("float32"), jnp.dtype("int32")}


def test_state_is_kept_in_the_dtype_that_its_author_chose():
    tx = gradtx.leafwise(lambda u, s, p: (u + s, s + u), lambda p: jnp.zeros_like(p, jnp.bfloat16), keeps="sum")
    _, state = tx.update(jnp.ones(3), tx.init(jnp.ones(3)))
    assert state["leafwise"]["sum"].dtype == jnp.bfloat16


def test_apply_updates_rounds_once():
    # 0.00391 is just above half the distance from 1 to the next bfloat16; rounded first, it would be exactly half.
    p, u = jnp.array([1.0, 256.0], jnp.bfloat16), jnp.array([0.00391, 0.75], jnp.float32)
    expected = jnp.array([1.0078125, 256.0], jnp.bfloat16)
    assert registry.bits(gradtx.apply_updates(p, u)) == registry.bits(expected)


def test_second_moment_of_bfloat16_gradients_does_not_stall():
    tx = gradtx.track_moments(b2=0.999)
    g = jnp.ones((), jnp.bfloat16)
    state = tx.init(g)
    run = jax.jit(lambda state: jax.lax.fori_loop(0, 3000, lambda _, s: tx.update(g, s)[1], state))
    np.testing.assert_allclose(run(state)["track_moments"].second, 1 - 0.999**3000, rtol=1e-5)


SPELLINGS = [0.001, np.float32(0.001), np.float64(0.001), np.array(0.001, np.float32), jnp.float32(0.001)]


@pytest.mark.parametrize("rate", SPELLINGS, ids=lambda x: type(x).__name__)
def test_how_a_learning_rate_was_spelt_changes_no_bit(rate):
    g, p = registry.grads(), registry.params()
    expected = gradtx.adam(0.001)
    tx = gradtx.adam(rate)
    assert registry.bits(tx.update(g, tx.init(p))) == registry.bits(expected.update(g, expected.init(p)))


def test_a_bfloat16_learning_rate_gives_the_bits_of_its_float32_self():
    g, p = registry.grads(jnp.bfloat16), registry.params(jnp.bfloat16)
    low, wide = gradtx.sgd(jnp.bfloat16(0.001)), gradtx.sgd(float(jnp.bfloat16(0.001)))
    assert registry.bits(low.update(g, low.init(p))) == registry.bits(wide.update(g, wide.init(p)))


def test_float32_adam_stays_within_6e7_of_float64_over_a_thousand_steps():
    gradients = np.random.default_rng(0).normal(size=(1000, 8)).astype(np.float32)
    tx = gradtx.adam(1.0)
    _, updates = jax.lax.scan(lambda state, g: tx.update(g, state)[::-1], tx.init(jnp.zeros(8)), jnp.asarray(gradients))
    expected = np.diff(reference.adam(np.zeros(8), gradients.astype(np.float64), 1.0), axis=0)
    error = np.abs(np.asarray(updates, np.float64) - expected) / np.max(np.abs(expected))
    assert error.max() < 6e-7


def test_first_update_of_adamw_with_bfloat16_parameters_and_traced_decays_is_the_learning_rate():
    p = jnp.zeros(3, jnp.bfloat16)

    @jax.jit
    def first(b1, b2):
        tx = gradtx.adamw(0.1, b1=b1, b2=b2)
        return tx.update(jnp.ones(3, jnp.bfloat16), tx.init(p), p)[0]

    np.testing.assert_allclose(first(0.9, 0.999), -0.1, rtol=1e-6)
