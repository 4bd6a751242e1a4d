"""Minimization in one call: it finds what SciPy finds, counts what it computes, and compiles, batches and stops."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
import scipy.optimize

import gradtx


def rosenbrock(p):
    return jnp.sum((1 - p[:-1]) ** 2 + 100 * (p[1:] - p[:-1] ** 2) ** 2)


def residuals(p):
    return jnp.stack([1 - p[0], 10 * (p[1] - p[0] ** 2)])


START = [-1.2, 1.0]
SEARCHING = {"lbfgs": gradtx.lbfgs(), "conjugate_gradient": gradtx.conjugate_gradient()}


@pytest.mark.parametrize("name", SEARCHING)
def test_the_minimum_is_that_of_scipy(name):
    with jax.enable_x64(True):
        start = np.array([-1.2, 1.0, -1.2, 1.0, 0.5])
        found = gradtx.minimize(rosenbrock, start, SEARCHING[name], tol=1e-8)
        expected = scipy.optimize.minimize(rosenbrock, start, jac=jax.grad(rosenbrock), method="BFGS", tol=1e-9)
        assert bool(found.converged)
        np.testing.assert_allclose(found.params, expected.x, rtol=1e-6)
        assert float(jnp.max(jnp.abs(jax.grad(rosenbrock)(found.params)))) <= 2e-8


@pytest.mark.parametrize("tx", [*SEARCHING.values(), gradtx.adam(0.02)], ids=repr)
def test_the_evaluations_are_those_that_were_made(tx):
    calls = []

    def counted(p):
        jax.debug.callback(lambda: calls.append(1))
        return rosenbrock(p)

    result = gradtx.minimize(counted, jnp.array(START), tx, max_steps=7)
    jax.effects_barrier()
    assert len(calls) == int(result.evaluations)
    assert int(result.steps) == 7


def test_levenberg_marquardt_is_given_residuals():
    result = gradtx.minimize(residuals, jnp.array(START), gradtx.levenberg_marquardt(), tol=1e-4)
    assert bool(result.converged)
    np.testing.assert_allclose(result.params, 1.0, atol=1e-4)
    np.testing.assert_allclose(result.value, 0.0, atol=1e-8)


def test_value_and_gradient_are_those_of_the_parameters():
    for tx in (gradtx.lbfgs(), gradtx.adam(0.02)):
        result = gradtx.minimize(rosenbrock, jnp.array(START), tx, max_steps=10)
        value, grad = jax.value_and_grad(rosenbrock)(result.params)
        np.testing.assert_allclose(result.value, value, rtol=1e-5)
        np.testing.assert_allclose(result.grad, grad, rtol=1e-4)


def test_what_does_not_search_returns_the_least_loss_that_it_saw():
    result = gradtx.minimize(lambda p: jnp.sum(p**2), jnp.array([1.0]), gradtx.sgd(1.05), max_steps=20)  # diverges
    np.testing.assert_array_equal(result.params, jnp.array([1.0]))
    assert not result.converged
    np.testing.assert_array_equal(result.grad, 2 * result.params)


def test_it_stops_at_a_loss_that_is_not_finite():
    result = gradtx.minimize(lambda p: jnp.sum(jnp.log(p)), jnp.array([1.0]), gradtx.sgd(0.8), max_steps=50)
    assert int(result.steps) < 50
    assert bool(jnp.isfinite(result.value))


def test_it_stops_where_no_step_is_found():
    result = gradtx.minimize(lambda p: rosenbrock(1.1 * p - 0.3) + 5, jnp.array(START), tol=0.0, max_steps=500)
    assert int(result.steps) < 100
    assert not result.converged
    np.testing.assert_allclose(result.params, 1.3 / 1.1, rtol=0.02)


def test_a_start_that_is_a_minimum_takes_no_step():
    result = gradtx.minimize(rosenbrock, jnp.ones(3))
    assert (int(result.steps), int(result.evaluations), bool(result.converged)) == (0, 1, True)


def test_what_else_the_function_returns_is_that_of_the_result():
    def with_aux(p):
        return rosenbrock(p), {"last": p[-1]}

    result = gradtx.minimize(with_aux, jnp.array(START), has_aux=True, tol=1e-4)
    np.testing.assert_array_equal(result.aux["last"], result.params[-1])
    assert gradtx.minimize(rosenbrock, jnp.array(START), max_steps=1).aux is None


def test_compiled_and_batched_it_is_as_one_by_one():
    def solve(p, steepness):
        return gradtx.minimize(lambda p: jnp.sum(steepness * (p - 1) ** 4 + p**2), p, tol=1e-4)

    starts, steepnesses = jnp.array([[3.0, 1.0], [-2.0, 0.5], [0.0, 0.1]]), jnp.array([1.0, 10.0, 0.1])
    together = jax.jit(jax.vmap(solve))(starts, steepnesses)
    for i in range(3):
        alone = solve(starts[i], steepnesses[i])
        np.testing.assert_allclose(together.params[i], alone.params, atol=1e-4)
        assert bool(together.converged[i])
        assert abs(int(together.evaluations[i]) - int(alone.evaluations)) <= 2


def test_trees_and_narrow_dtypes_keep_their_structure_and_dtype():
    start = {"a": jnp.ones(2, jnp.bfloat16), "b": [jnp.zeros(()), None]}

    def loss(p):
        return jnp.sum((p["a"].astype(jnp.float32) - 3.0) ** 2) + (p["b"][0] - 2.0) ** 2

    result = gradtx.minimize(loss, start, tol=1e-2)
    assert jax.tree.structure(result.params) == jax.tree.structure(start)
    assert result.params["a"].dtype == jnp.bfloat16
    np.testing.assert_array_equal(result.params["a"], jnp.full(2, 3.0, jnp.bfloat16))


def test_float32_solves_to_a_tolerance_that_it_can_hold():
    for tx in SEARCHING.values():
        result = gradtx.minimize(rosenbrock, jnp.array(START), tx, tol=1e-3)
        assert bool(result.converged)
        np.testing.assert_allclose(result.params, 1.0, rtol=1e-2)


WRAPPED = {
    "lookahead": gradtx.lookahead(gradtx.lbfgs(), 2),
    "masked": gradtx.chain(
        gradtx.masked(gradtx.lbfgs(), {"a": True, "b": False}), gradtx.freeze({"a": False, "b": True})
    ),
    "partition": gradtx.partition({"x": gradtx.lbfgs(), "y": gradtx.lbfgs()}, {"a": "x", "b": "y"}),
}


@pytest.mark.parametrize("tx", WRAPPED.values(), ids=WRAPPED)
def test_value_and_evaluations_are_right_around_searches_that_are_not_the_whole_step(tx):
    calls = []

    def counted(p):
        jax.debug.callback(lambda: calls.append(1))
        return jnp.sum((p["a"] - p["b"]) ** 4) + jnp.sum((p["a"] - 1) ** 2)

    result = gradtx.minimize(counted, {"a": jnp.array([3.0, 1.0]), "b": jnp.array(0.5)}, tx, max_steps=5, tol=0.0)
    jax.effects_barrier()
    assert len(calls) == int(result.evaluations)
    np.testing.assert_allclose(result.value, counted(result.params), rtol=1e-5)


def test_adam_with_a_line_search_waits_until_its_direction_points_downhill():
    tx = gradtx.chain(gradtx.scale_by_adam(), gradtx.scale(-1.0), gradtx.line_search())
    result = gradtx.minimize(rosenbrock, jnp.array(START), tx, tol=1e-2)
    assert bool(result.converged)


def test_a_start_that_has_no_gradient_is_an_error_that_names_it():
    with pytest.raises(TypeError, match=r"minimize: x0\['n'\] is int32\[\], which has no gradient"):
        gradtx.minimize(lambda p: p["w"] ** 2, {"w": 1.0, "n": jnp.array(2)})
