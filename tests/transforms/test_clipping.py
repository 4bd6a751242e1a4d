"""Clipping, and the norm it goes by."""

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
def test_gradients_whose_squares_overflow_are_clipped_right(size, shape):
    g = [jnp.full(shape, size), jnp.full(shape, -size)]
    expected = (2 * np.prod(shape)) ** -0.5
    np.testing.assert_allclose(clipped(g)[0], expected, rtol=1e-5)
    np.testing.assert_allclose(clipped(g)[1], -expected, rtol=1e-5)


def test_a_bound_of_zero_and_no_gradient_give_zero():
    np.testing.assert_array_equal(clipped(jnp.zeros(3), 0.0), 0.0)
    np.testing.assert_array_equal(clipped(jnp.ones(3), 0.0), 0.0)


def test_updates_within_the_bound_pass_bit_for_bit():
    g = jnp.array([0.3, -0.4])
    assert np.asarray(clipped(g, 0.5)).tobytes() == np.asarray(g).tobytes()


def test_the_norm_of_many_small_bfloat16_arrays_is_not_rounded():
    tree = [jnp.ones(1, jnp.bfloat16)] * 400  # in bfloat16 256 + 1 = 256
    assert float(gradtx.global_norm(tree)) == 20.0


def test_the_norm_of_a_tree_of_mixed_dtypes_is_that_of_all_parts():
    tree = {"a": jnp.full(2, 2.0, jnp.bfloat16), "b": jnp.array(4.0), "c": jnp.array([3.0 + 4.0j], jnp.complex64)}
    np.testing.assert_allclose(gradtx.global_norm(tree), (4 + 4 + 16 + 25) ** 0.5, rtol=1e-6)
    assert clipped(tree)["c"].dtype == jnp.complex64
    np.testing.assert_allclose(clipped(tree)["c"], (3 + 4j) / 7, rtol=1e-6)


def test_the_norm_of_nothing_is_zero():
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


def test_clipping_a_population_is_clipping_each_member():
    g = jnp.array([[3.0, 4.0], [0.3, 0.4], [3e20, 4e20]])
    tx = gradtx.clip_by_global_norm(1.0)
    np.testing.assert_allclose(
        jax.vmap(lambda g: tx.update(g, tx.init(g))[0])(g), [[0.6, 0.8], [0.3, 0.4], [0.6, 0.8]], rtol=1e-5
    )
