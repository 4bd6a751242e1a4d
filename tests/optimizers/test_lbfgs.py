"""L-BFGS: its directions are those of BFGS in NumPy, and which pairs it keeps."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import gradtx


def rosenbrock(p):
    return jnp.sum((1 - p[:-1]) ** 2 + 100 * (p[1:] - p[:-1] ** 2) ** 2)


def inverse_hessian(pairs, size):
    """The dense inverse Hessian of BFGS after these pairs of a step and a change, begun as L-BFGS begins it."""
    s, y = pairs[-1]
    h = (s @ y) / (y @ y) * np.eye(size)
    for s, y in pairs:
        left = np.eye(size) - np.outer(s, y) / (s @ y)
        h = left @ h @ left.T + np.outer(s, s) / (s @ y)
    return h


def directions(tx, points, gradients):
    state = tx.init(points[0])
    for p, g in zip(points, gradients, strict=True):
        u, state = tx.update(g, state, p)
        yield u, state


def path(steps, size=6):
    """Points on the way of a descent, and the gradients there."""
    points = [jnp.array(np.random.default_rng(0).normal(size=size))]
    for _ in range(steps):
        points.append(points[-1] - 5e-4 * jax.grad(rosenbrock)(points[-1]))
    return points, [jax.grad(rosenbrock)(p) for p in points]


@pytest.mark.parametrize("memory_size", [1, 3, 12])
def test_directions_are_those_of_bfgs_with_the_last_pairs(memory_size):
    with jax.enable_x64(True):
        points, gradients = path(9)
        pairs = []
        for i, (u, _) in enumerate(directions(gradtx.scale_by_lbfgs(memory_size), points, gradients)):
            g = np.asarray(gradients[i])
            if i:
                s, y = (np.asarray(x[i] - x[i - 1]) for x in (points, gradients))
                pairs += [(s, y)] if s @ y > 1e-8 * np.linalg.norm(s) * np.linalg.norm(y) else []
            expected = inverse_hessian(pairs[-memory_size:], g.size) @ g if pairs else g / max(1, np.linalg.norm(g))
            np.testing.assert_allclose(u, expected, rtol=1e-10, atol=1e-12)


def test_the_first_step_is_no_longer_than_one_nor_than_the_gradient():
    for g in (jnp.array([3.0, 4.0]), jnp.array([0.03, 0.04])):
        u, _ = gradtx.scale_by_lbfgs().update(g, gradtx.scale_by_lbfgs().init(g), g + 0)
        np.testing.assert_allclose(u, g / max(1.0, float(jnp.linalg.norm(g))), rtol=1e-6)


def test_a_tree_has_the_directions_of_its_arrays_in_a_row():
    with jax.enable_x64(True):
        points, gradients = path(5)
        split = [[{"a": x[:2], "b": {"c": x[2:].reshape(2, 2)}} for x in xs] for xs in (points, gradients)]
        tx = gradtx.scale_by_lbfgs(4)
        for (u, _), (v, _) in zip(directions(tx, points, gradients), directions(tx, *split), strict=True):
            np.testing.assert_allclose(jnp.concatenate([v["a"], v["b"]["c"].ravel()]), u, rtol=1e-10, atol=1e-13)


def test_a_pair_without_positive_curvature_is_left_out_and_takes_no_place():
    p = jnp.array([1.0, 2.0])
    points = [p, p + 0.1, p + 0.2, p + 0.3]
    gradients = [jnp.array([1.0, 1.0]), jnp.array([2.0, 1.5]), jnp.array([1.0, 1.0]), jnp.array([1.5, 1.8])]
    states = [state["scale_by_lbfgs"] for _, state in directions(gradtx.scale_by_lbfgs(3), points, gradients)]
    assert [int(jnp.sum(s.cosines > 0)) for s in states] == [0, 1, 1, 2]
    np.testing.assert_array_equal(states[2].steps, states[1].steps)


def test_a_gradient_that_is_not_finite_leaves_no_trace_in_the_pairs():
    p = jnp.array([1.0, 2.0])
    points = [p, p + 0.1, p + 0.2, p + 0.3, p + 0.4]
    gradients = [p, p + 0.1, jnp.array([jnp.nan, jnp.inf]), p + 0.3, p + 0.4]
    states = [state["scale_by_lbfgs"] for _, state in directions(gradtx.scale_by_lbfgs(3), points, gradients)]
    assert all(bool(jnp.all(jnp.isfinite(x))) for s in states for x in (s.steps, s.changes, s.cosines, s.ratios))
    assert int(jnp.sum(states[-1].cosines > 0)) == 2


def test_pairs_are_forgotten_after_a_step_that_was_not_taken():
    p, tx = jnp.array([1.0, 2.0]), gradtx.scale_by_lbfgs(3)
    points, gradients = [p, p + 0.1, p + 0.1], [3 * p, 3 * p + 0.3, 3 * p + 0.3]
    (_, _), (before, _), (after, state) = directions(tx, points, gradients)
    g = gradients[-1]
    assert float(jnp.linalg.norm(before)) < float(jnp.linalg.norm(g))
    np.testing.assert_allclose(after, g / jnp.linalg.norm(g), rtol=1e-6)
    assert not jnp.any(state["scale_by_lbfgs"].cosines)


@pytest.mark.parametrize("scale", [1e-20, 1.0, 1e20])
def test_the_scale_of_the_loss_scales_nothing_once_there_is_a_pair(scale):
    p = jnp.array([1.0, -2.0])
    points = [p, p * jnp.array([0.9, 0.8]), p * jnp.array([0.7, 0.7])]
    curvature = jnp.array([1.0, 3.0])
    expected = [u for u, _ in directions(gradtx.scale_by_lbfgs(), points, [curvature * x for x in points])]
    found = [u for u, _ in directions(gradtx.scale_by_lbfgs(), points, [scale * (curvature * x) for x in points])]
    for u, v in zip(found[1:], expected[1:], strict=True):
        np.testing.assert_allclose(u, v, rtol=1e-5)


def test_a_quadratic_of_ten_numbers_is_solved_in_float32():
    scales = jnp.logspace(0, 2, 10)
    result = gradtx.minimize(lambda p: 0.5 * jnp.sum(scales * (p - 1) ** 2), jnp.zeros(10), gradtx.lbfgs(10), tol=1e-4)
    assert bool(result.converged)
    assert int(result.steps) <= 50
    np.testing.assert_allclose(result.params, 1.0, atol=1e-4)


def test_to_maximize_is_to_minimize_the_negative():
    start = jnp.array([-1.2, 1.0])
    down = gradtx.minimize(rosenbrock, start, max_steps=10)
    up = gradtx.minimize(lambda p: -rosenbrock(p), start, gradtx.lbfgs(maximize=True), max_steps=10)
    np.testing.assert_allclose(up.params, down.params, rtol=1e-5)
    np.testing.assert_allclose(up.value, -down.value, rtol=1e-3, atol=1e-6)
