"""Promise 2: arithmetic is at least float32 for parameters of any dtype, and rounds once at the end."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from papers import adam
from properties import registry

lib = registry.lib


def assert_float32_bits(name, dtype):
    (low, low_grads), (wide, wide_grads) = registry.matrix(dtype), registry.matrix()
    tx, step = registry.make(name), registry.step(name)
    low_state, wide_state = tx.init(low), tx.init(wide)
    for _ in range(2):
        low_updates, low_state = step(low_grads, low_state, low)
        wide_updates, wide_state = step(wide_grads, wide_state, wide)
    assert registry.bits(low_updates) == registry.bits(wide_updates)
    assert registry.bits(low_state) == registry.bits(wide_state)


# A line search steps to parameters as they are stored, which in bfloat16 are other numbers.
ALIKE = [name for name in registry.NAMES if name not in registry.LAST]


@pytest.mark.parametrize("name", registry.sampled(ALIKE))
def test_bfloat16_gradients_give_the_same_bits_as_in_float32(name):
    assert_float32_bits(name, jnp.bfloat16)


@pytest.mark.exhaustive
@pytest.mark.parametrize("name", ALIKE)
def test_float16_gradients_give_the_same_bits_as_in_float32(name):
    assert_float32_bits(name, jnp.float16)


@pytest.mark.parametrize("name", registry.NAMES)
def test_state_and_updates_of_bfloat16_parameters_are_float32(name):
    p = registry.params(jnp.bfloat16)
    updates, state = jax.eval_shape(
        lambda g, p: registry.advance(registry.make(name), g, registry.make(name).init(p), p),
        registry.grads(jnp.bfloat16),
        p,
    )
    assert {u.dtype for u in jax.tree.leaves(updates)} == {jnp.dtype("float32")}
    assert {x.dtype for x in jax.tree.leaves(state)} <= {jnp.dtype("float32"), jnp.dtype("int32")}


@registry.of_gradtx
def test_state_is_kept_in_the_dtype_that_its_author_chose():
    tx = lib.leafwise(lambda u, s, p: (u + s, s + u), lambda p: jnp.zeros_like(p, jnp.bfloat16), keeps="sum")
    _, state = tx.update(jnp.ones(3), tx.init(jnp.ones(3)))
    assert state["leafwise"]["sum"].dtype == jnp.bfloat16


@pytest.mark.parametrize("cut", [False, True], ids=["float32", "float16"])
def test_apply_updates_rounds_once(cut):
    # 0.00391 is just above half the distance from 1 to the next bfloat16; rounded first, it would be exactly half.
    p, u = jnp.array([1.0, 256.0], jnp.bfloat16), jnp.array([0.00391, 0.75], jnp.float16 if cut else jnp.float32)
    expected = jnp.array([1.0078125, 256.0], jnp.bfloat16)
    assert registry.bits(lib.apply_updates(p, u)) == registry.bits(expected)


def second_moment(state):
    """The array of a state that holds the second moment."""
    paths = jax.tree_util.tree_leaves_with_path(state)
    return next(x for path, x in paths if any(f in jax.tree_util.keystr(path) for f in ("second", "square", "nu")))


SECOND_MOMENTS = [name for name in ("adam", "adamw", "amsgrad", "nadam", "scale_by_rms") if name in registry.MAKE]


@pytest.mark.scenario(
    3, "after 3000 bfloat16 gradients of 1, the second moment is 1 - 0.999^3000 and has not stalled at 0.5"
)
@pytest.mark.parametrize("name", SECOND_MOMENTS)
def test_second_moment_of_bfloat16_gradients_does_not_stall(name):
    tx = lib.scale_by_rms(decay=0.999) if name == "scale_by_rms" else registry.make(name)
    g = jnp.ones((), jnp.bfloat16)
    state = tx.init(g)
    run = jax.jit(lambda state: jax.lax.fori_loop(0, 3000, lambda _, s: tx.update(g, s, g + 0)[1], state))
    np.testing.assert_allclose(second_moment(run(state)), 1 - 0.999**3000, rtol=1e-5)


SPELLINGS = [0.0009765625, *(kind(0.0009765625) for kind in (np.float32, np.float64, jnp.float32, jnp.bfloat16))]


@pytest.mark.scenario(
    13, "a learning rate gives the same bits and dtype whether it is a Python, NumPy, JAX or bfloat16 scalar"
)
@pytest.mark.parametrize("rate", SPELLINGS, ids=["float", "np.float32", "np.float64", "jnp.float32", "jnp.bfloat16"])
@pytest.mark.parametrize("name", registry.sampled(registry.OPTIMIZERS))
def test_the_type_of_a_learning_rate_changes_no_bit(name, rate):
    p, g = registry.matrix(jnp.bfloat16)
    rates = (rate, SPELLINGS[0])
    if registry.LIBRARY == "gradtx":
        tx, expected = (registry.make(name).replace(learning_rate=x) for x in rates)
    else:
        tx, expected = (getattr(lib, name)(x) for x in rates)
    assert registry.bits(registry.advance(tx, g, tx.init(p), p)) == registry.bits(
        registry.advance(expected, g, expected.init(p), p)
    )


@registry.of_gradtx
def test_float32_adam_stays_within_6e7_of_float64_over_a_thousand_steps():
    gradients = np.random.default_rng(0).normal(size=(1000, 8)).astype(np.float32)
    tx = lib.adam(1.0)
    _, updates = jax.lax.scan(lambda state, g: tx.update(g, state)[::-1], tx.init(jnp.zeros(8)), jnp.asarray(gradients))
    expected = np.diff(adam.path(np.zeros(8), gradients.astype(np.float64), 1.0), axis=0)
    error = np.abs(np.asarray(updates, np.float64) - expected) / np.max(np.abs(expected))
    assert error.max() < 6e-7


SCENARIO_1 = pytest.mark.scenario(
    1, "bfloat16 AdamW does not round a traced or injected b2 to 1, and its first update is -lr"
)


@SCENARIO_1
def test_first_update_of_adamw_with_bfloat16_parameters_and_traced_decays_is_the_learning_rate():
    p = jnp.zeros(3, jnp.bfloat16)

    @jax.jit
    def first(rate, b1, b2):
        tx = lib.adamw(rate, b1=b1, b2=b2)
        return tx.update(jnp.ones(3, jnp.bfloat16), tx.init(p), p)[0]

    np.testing.assert_allclose(first(0.1, 0.9, 0.999), -0.1, rtol=1e-6)


@SCENARIO_1
def test_first_update_of_adamw_with_bfloat16_parameters_and_injected_decays_is_the_learning_rate():
    p, g = jnp.zeros(3, jnp.bfloat16), jnp.ones(3, jnp.bfloat16)
    if registry.LIBRARY == "gradtx":
        tx = lib.adamw(0.1, 0.9, 0.999)
        updates, _ = registry.step_with(tx, g, tx.init(p), p)
    else:
        tx = lib.inject_hyperparams(lib.adamw)(0.1, 0.9, 0.999)
        updates, _ = tx.update(g, tx.init(p), p)
    np.testing.assert_allclose(np.asarray(updates, np.float32), -0.1, rtol=1e-6)
