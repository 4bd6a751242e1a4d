"""Conjugate gradients: exact steps on a quadratic are those of the linear method; the rule of Polak and Ribiere."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import gradtx

DRAW = np.random.default_rng(1)
ROOT = DRAW.normal(size=(5, 5))
MATRIX = ROOT @ ROOT.T + np.eye(5)


def test_exact_steps_on_a_quadratic_solve_it_in_as_many_steps_as_it_has_numbers():
    with jax.enable_x64(True):
        b, p = jnp.array(DRAW.normal(size=5)), jnp.zeros(5)
        tx = gradtx.scale_by_conjugate_gradient()
        state = tx.init(p)
        for _ in range(5):
            g = MATRIX @ p - b
            d, state = tx.update(g, state, p)
            p = p - (g @ d) / (d @ MATRIX @ d) * d
        np.testing.assert_allclose(p, np.linalg.solve(MATRIX, b), rtol=1e-9)


def test_directions_follow_the_rule_of_polak_and_ribiere():
    gradients = DRAW.normal(size=(8, 4))
    gradients[4] = 0.5 * gradients[3]  # where beta would be negative
    with jax.enable_x64(True):
        tx = gradtx.scale_by_conjugate_gradient()
        state, last, d = tx.init(jnp.zeros(4)), None, None
        for g in gradients:
            beta = 0.0 if last is None else max(g @ (g - last) / (last @ last), 0.0)
            d = g if last is None else g + beta * d
            d = d if d @ g > 1e-3 * np.linalg.norm(d) * np.linalg.norm(g) else g
            last = g
            u, state = tx.update(jnp.array(g), state)
            np.testing.assert_allclose(u, d, rtol=1e-10)


@pytest.mark.parametrize("scale", [1e-18, 1e18])
def test_the_scale_of_gradients_scales_the_direction(scale):
    gradients = jnp.array(DRAW.normal(size=(4, 3)), jnp.float32)
    tx = gradtx.scale_by_conjugate_gradient()
    one, other = tx.init(jnp.zeros(3)), tx.init(jnp.zeros(3))
    for g in gradients:
        u, one = tx.update(g, one)
        v, other = tx.update(scale * g, other)
        np.testing.assert_allclose(v / scale, u, rtol=1e-5)


def test_a_step_that_was_not_taken_is_followed_by_one_along_the_gradient():
    tx = gradtx.scale_by_conjugate_gradient()
    state = tx.init(jnp.zeros(2))
    for g in ([1.0, 2.0], [3.0, -1.0], [3.0, -1.0]):
        u, state = tx.update(jnp.array(g), state)
    np.testing.assert_allclose(u, jnp.array([3.0, -1.0]), rtol=1e-6)
