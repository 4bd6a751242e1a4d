"""Clipping by the current norm, compared with hand-computed numbers, and by past norms, compared with NumPy."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import gradtx


def clipped(tree, max_norm=1.0):
    tx = gradtx.clip_by_global_norm(max_norm)
    return jax.jit(tx.update)(tree, tx.init(tree))[0]


def test_a_thousand_float16_tens_are_clipped_to_one():
    np.testing.assert_allclose(clipped(jnp.full(1000, 10.0, jnp.float16)), 1000**-0.5, rtol=1e-4)


@pytest.mark.parametrize("size", [1e20, 1e30, 3e38])
@pytest.mark.parametrize("shape", [(), (1,), (4,), (2, 2)])
def test_gradients_whose_squares_overflow_are_clipped_correctly(size, shape):
    g = [jnp.full(shape, size), jnp.full(shape, -size)]
    expected = (2 * np.prod(shape)) ** -0.5
    np.testing.assert_allclose(clipped(g)[0], expected, rtol=1e-5)
    np.testing.assert_allclose(clipped(g)[1], -expected, rtol=1e-5)


def test_a_bound_of_zero_gives_zero():
    np.testing.assert_array_equal(clipped(jnp.zeros(3), 0.0), 0.0)
    np.testing.assert_array_equal(clipped(jnp.ones(3), 0.0), 0.0)


def test_updates_within_the_bound_pass_bit_for_bit():
    g = jnp.array([0.3, -0.4])
    assert np.asarray(clipped(g, 0.5)).tobytes() == np.asarray(g).tobytes()


def test_the_norm_of_many_small_bfloat16_arrays_is_not_rounded():
    tree = [jnp.ones(1, jnp.bfloat16)] * 400  # in bfloat16 256 + 1 = 256
    assert float(gradtx.global_norm(tree)) == 20.0


def test_the_norm_of_a_tree_of_mixed_dtypes_includes_every_array():
    tree = {"a": jnp.full(2, 2.0, jnp.bfloat16), "b": jnp.array(4.0), "c": jnp.array([3.0 + 4.0j], jnp.complex64)}
    np.testing.assert_allclose(gradtx.global_norm(tree), (4 + 4 + 16 + 25) ** 0.5, rtol=1e-6)
    assert clipped(tree)["c"].dtype == jnp.complex64
    np.testing.assert_allclose(clipped(tree)["c"], (3 + 4j) / 7, rtol=1e-6)


def test_the_norm_of_an_empty_tree_is_zero():
    assert float(gradtx.global_norm({})) == 0.0


@pytest.mark.parametrize("size", [1e-12, 1.0, 1e18, 1e30])
def test_the_norm_agrees_with_float64(size):
    x = np.random.default_rng(0).normal(size=100).astype(np.float32) * np.float32(size)
    np.testing.assert_allclose(gradtx.global_norm(jnp.asarray(x)), np.linalg.norm(x.astype(np.float64)), rtol=1e-6)


def test_the_derivative_through_clipping_is_finite_at_a_zero_gradient():
    derivative = jax.grad(lambda g: jnp.sum(clipped(g)))(jnp.zeros(3))
    np.testing.assert_array_equal(derivative, 1.0)


def test_clipping_by_value_bounds_both_parts_of_a_complex_number():
    tx = gradtx.clip(1.0)
    updates, _ = tx.update(jnp.array([3.0 - 0.5j]), tx.init({}))
    np.testing.assert_array_equal(updates, [1.0 - 0.5j])


def test_clipping_a_population_clips_each_member_separately():
    g = jnp.array([[3.0, 4.0], [0.3, 0.4], [3e20, 4e20]])
    tx = gradtx.clip_by_global_norm(1.0)
    np.testing.assert_allclose(
        jax.vmap(lambda g: tx.update(g, tx.init(g))[0])(g), [[0.6, 0.8], [0.3, 0.4], [0.6, 0.8]], rtol=1e-5
    )


NORMS = np.abs(np.random.default_rng(0).normal(size=60)) + 0.5
NORMS[[30, 45]] = 40.0, 80.0


def norms_after(tx, norms=NORMS):
    """The norms after `tx` of updates with these norms, all along the same direction."""
    direction = jnp.array([0.6, -0.8])
    step = jax.jit(tx.update)
    state, out = tx.init(direction), []
    for norm in norms:
        updates, state = step(direction * norm, state)
        out.append(float(jnp.linalg.norm(updates)))
    return np.array(out)


@pytest.mark.parametrize("window", [1000, 8])
def test_the_bound_is_the_quantile_of_the_last_norms(window):
    bounds = [np.quantile(NORMS[max(0, i + 1 - window) : i + 1], 0.3) for i in range(len(NORMS))]
    ours = norms_after(gradtx.clip_by_norm_quantile(0.3, window))
    np.testing.assert_allclose(ours, np.minimum(NORMS, bounds), rtol=1e-5)


def test_a_nonfinite_gradient_does_not_change_the_recorded_norms():
    tx = gradtx.clip_by_norm_quantile(0.5, window=4)
    state = tx.init(jnp.ones(1))
    updates, after = tx.update(jnp.array([jnp.nan]), state)
    assert np.isnan(updates[0])
    assert all(np.array_equal(a, b) for a, b in zip(state_leaves(state), state_leaves(after), strict=True))


def state_leaves(state):
    return jax.tree.leaves(state["clip_by_norm_quantile"])


def zclip(norms, threshold, decay, warm):
    mean, variance, out = np.mean(norms[:warm]), np.var(norms[:warm]), list(norms[:warm])
    for norm in norms[warm:]:
        z = (norm - mean) / np.sqrt(variance)
        bound = mean + threshold**2 / z * np.sqrt(variance) if z > threshold else norm
        ahead = bound - mean
        mean, variance = mean + (1 - decay) * ahead, decay * (variance + (1 - decay) * ahead**2)
        out.append(bound)
    return np.array(out)


def test_a_norm_far_above_the_mean_is_pulled_back_towards_it():
    ours = norms_after(gradtx.clip_by_norm_zscore(2.5, 0.97, warmup_steps=25))
    np.testing.assert_allclose(ours, zclip(NORMS, 2.5, 0.97, 25), rtol=1e-4)
    assert max(ours) < 5 < max(NORMS)
