"""Levenberg-Marquardt: the solutions are SciPy's, and a step that does not help is not taken."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
import scipy.optimize

import gradtx

X = np.linspace(0.0, 2.0, 20)
Y = 2.5 * np.exp(-1.3 * X) + 0.3 + 0.05 * np.random.default_rng(0).normal(size=20)


EXACT = {"method": "lm", "xtol": 1e-15, "ftol": 1e-15, "gtol": 1e-15}


def decay(p):
    return p[0] * jnp.exp(-p[1] * X.astype(p.dtype)) + p[2] - Y.astype(p.dtype)


def badly_scaled(p):
    return jnp.stack([p[0] - 1e6, p[1] - 2e-6, p[0] * p[1] - 2])


@pytest.mark.parametrize("solver", ["qr", "conjugate_gradient"])
def test_the_solution_of_a_fit_is_that_of_scipy(solver):
    with jax.enable_x64(True):
        start = np.array([1.0, 1.0, 0.0])
        expected = scipy.optimize.least_squares(decay, start, jax.jacobian(decay), **EXACT)
        found = gradtx.minimize(decay, start, gradtx.levenberg_marquardt(solver=solver), tol=1e-9)
        assert bool(found.converged)
        np.testing.assert_allclose(found.params, expected.x, rtol=1e-7)
        np.testing.assert_allclose(found.value, expected.cost, rtol=1e-12)


def test_parameters_of_very_different_sizes_are_found():
    with jax.enable_x64(True):
        found = gradtx.minimize(badly_scaled, np.array([1.0, 1.0]), gradtx.levenberg_marquardt())
        np.testing.assert_allclose(found.params, [1e6, 2e-6], rtol=1e-9)


@pytest.mark.parametrize("solver", ["qr", "conjugate_gradient"])
def test_a_step_with_hardly_any_damping_solves_a_linear_problem(solver):
    with jax.enable_x64(True):
        draw = np.random.default_rng(2)
        a, b = draw.normal(size=(8, 3)), draw.normal(size=8)
        p = {"a": jnp.zeros(2), "b": jnp.zeros(())}
        tx = gradtx.levenberg_marquardt(1e-13, solver)

        def residuals(p):
            return {"first": (a @ jnp.append(p["a"], p["b"]) - b)[:5], "rest": (a @ jnp.append(p["a"], p["b"]) - b)[5:]}

        updates, state = tx.update(p, tx.init(p), p, residual_fn=residuals)
        expected = np.linalg.lstsq(a, b)[0]
        np.testing.assert_allclose(jnp.append(updates["a"], updates["b"]), expected, rtol=1e-8)
        kept = state["levenberg_marquardt"]
        np.testing.assert_allclose(kept.value, 0.5 * np.sum((a @ expected - b) ** 2), rtol=1e-10)
        np.testing.assert_allclose(kept.grad["a"], 0.0, atol=1e-8)


def test_a_damped_step_is_that_of_marquardt():
    with jax.enable_x64(True):
        p = jnp.array([1.0, 1.0, 0.0])
        r, j = np.asarray(decay(p)), np.asarray(jax.jacobian(decay)(p))
        normal = j.T @ j
        expected = -np.linalg.solve(normal + 0.5 * np.diag(np.diag(normal)), j.T @ r)
        tx = gradtx.levenberg_marquardt(0.5)
        updates, _ = tx.update(p, tx.init(p), p, residual_fn=decay)
        np.testing.assert_allclose(updates, expected, rtol=1e-9)


@pytest.mark.parametrize("solver", ["qr", "conjugate_gradient"])
@pytest.mark.parametrize(
    ("residuals", "start"),
    [(lambda p: jnp.sqrt(p) * jnp.cos(8 * p), 0.4), (jnp.arctan, 3.0)],
    ids=["to NaN", "beyond"],
)
def test_no_step_rises_where_an_undamped_one_would(residuals, start, solver):
    p, tx = jnp.array([start]), gradtx.levenberg_marquardt(1e-6, solver)
    undamped = p - residuals(p) / jax.grad(lambda p: residuals(p)[0])(p)
    assert not abs(residuals(undamped)[0]) < abs(residuals(p)[0])
    state, value = tx.init(p), jnp.inf
    for _ in range(20):
        updates, state = tx.update(p, state, p, residual_fn=residuals)
        p = gradtx.apply_updates(p, updates)
        assert float(state["levenberg_marquardt"].value) <= value
        value = float(state["levenberg_marquardt"].value)
    assert value < 1e-8


@pytest.mark.slow
@pytest.mark.parametrize("size", [1e-20, 1e20])
def test_residuals_whose_squares_overflow_or_vanish_are_fitted(size):
    p, tx = jnp.array([1.0, 1.0, 0.0]), gradtx.levenberg_marquardt()
    state = tx.init(p)
    for _ in range(15):
        updates, state = tx.update(p + 0, state, p, residual_fn=lambda p: size * decay(p))
        p = gradtx.apply_updates(p, updates)
    np.testing.assert_allclose(p, [2.5, 1.3, 0.3], atol=0.2)
