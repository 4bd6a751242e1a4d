"""Line searches: the conditions that a step meets, what is no step, and losses that are hard to search."""

import chex
import jax
import jax.numpy as jnp
import numpy as np
import pytest

import gradtx


def rosenbrock(p):
    return (1 - p[0]) ** 2 + 100 * (p[1] - p[0] ** 2) ** 2


def barrier(p):
    """NaN outside of 0 < p < 1, with the least value near 1."""
    return jnp.sum(-jnp.log(p) - 0.001 * jnp.log(1 - p) + 0 * jnp.sqrt(1 - p))


def cliff(p):
    """A slope of 1e20."""
    return jnp.sum(1e20 * jnp.abs(p - 3.0) + (p - 3.0) ** 2)


def wall(p):
    """A parabola of which the slope is 1e20."""
    return jnp.sum(1e20 * (p - 3.0) ** 2)


def concave(p):
    return jnp.sum(jnp.cos(p))


def double_well(p):
    return jnp.sum((p**2 - 1) ** 2)


def searched(tx, loss, p, state=None):
    """One step, with the arguments that a search needs."""
    state = tx.init(p) if state is None else state
    value, grad = jax.value_and_grad(loss)(p)
    updates, state = tx.update(grad, state, p, value=value, grad=grad, value_fn=loss)
    return gradtx.apply_updates(p, updates), state


def state_of(state):
    return next(x for x in state.values() if isinstance(x, gradtx.LineSearchState))


DESCENT = {
    search: gradtx.chain(gradtx.scale(-1.0), gradtx.line_search(search, curvature=0.1))
    for search in ("zoom", "backtracking")
}


@pytest.mark.parametrize("start", [[-1.2, 1.0], [2.0, -2.0], [0.0, 0.0], [0.5, 30.0]])
@pytest.mark.parametrize("search", DESCENT)
def test_a_step_meets_the_conditions(search, start):
    p = jnp.array(start)
    value, g = jax.value_and_grad(rosenbrock)(p)
    new, state = searched(DESCENT[search], rosenbrock, p)
    t = float(state_of(state).step_size)
    slope = -float(g @ g)
    after, g_after = jax.value_and_grad(rosenbrock)(new)
    assert float(after) <= float(value) + 1e-4 * t * slope
    if search == "zoom":
        assert abs(float(g_after @ -g)) <= 0.1 * abs(slope)


@pytest.mark.parametrize("search", DESCENT)
def test_the_state_holds_where_the_search_arrived(search):
    p = {"a": jnp.array([-1.2]), "b": {"c": jnp.array(1.0)}}

    def loss(p):
        return rosenbrock(jnp.stack([p["a"][0], p["b"]["c"]]))

    new, state = searched(DESCENT[search], loss, p)
    found = state_of(state)
    chex.assert_trees_all_equal(found.params, new)
    value, grad = jax.value_and_grad(loss)(new)
    np.testing.assert_allclose(found.value, value, rtol=1e-5)
    chex.assert_trees_all_close(found.grad, grad, rtol=1e-4)


@pytest.mark.parametrize("search", DESCENT)
def test_evaluations_are_counted(search):
    calls = []

    def counted(p):
        jax.debug.callback(lambda: calls.append(1))
        return rosenbrock(p)

    p = jnp.array([-1.2, 1.0])
    value, grad = jax.value_and_grad(rosenbrock)(p)
    tx = DESCENT[search]
    _, state = tx.update(grad, tx.init(p), p, value=value, grad=grad, value_fn=counted)
    jax.effects_barrier()
    assert len(calls) == int(state_of(state).evaluations) > 1


HARD = {
    "barrier": (barrier, [0.5, 0.999]),
    "a slope of 1e20": (cliff, [0.0, 10.0]),
    "a curvature of 1e20": (wall, [0.0, 10.0]),
    "concave": (concave, [0.1, -0.2]),
    "on a ridge": (double_well, [1e-3, -1e-4]),
    "Rosenbrock": (rosenbrock, [-1.2, 1.0]),
}
METHODS = {
    **DESCENT,
    "lbfgs": gradtx.lbfgs(),
    "lbfgs that backtracks": gradtx.lbfgs(search="backtracking"),
    "conjugate_gradient": gradtx.conjugate_gradient(),
    "adam": gradtx.chain(gradtx.scale_by_adam(), gradtx.scale(-1.0), gradtx.line_search()),
}


@pytest.mark.parametrize("x64", [False, pytest.param(True, marks=pytest.mark.slow)], ids=["float32", "float64"])
@pytest.mark.parametrize("problem", HARD)
@pytest.mark.parametrize("method", METHODS)
def test_no_step_rises(method, problem, x64):
    loss, start = HARD[problem]
    with jax.enable_x64(x64):
        p = jnp.array(start)

        def step(carry, _):
            p, state = carry
            new, state = searched(METHODS[method], loss, p, state)
            return (new, state), (loss(p), loss(new), jnp.all(jnp.isfinite(new)))

        _, (before, after, finite) = jax.lax.scan(step, (p, METHODS[method].init(p)), length=30)
        slack = 20 * jnp.finfo(p.dtype).eps * jnp.abs(before)  # where values differ by rounding only, slopes decide
        assert jnp.all(after <= before + slack)
        assert jnp.all(finite)
        # A gradient of 1e20 is too long an update for thirty evaluations of backtracking.
        assert after[-1] < before[0] or (method, problem) == ("backtracking", "a slope of 1e20")


@pytest.mark.parametrize("search", DESCENT)
def test_an_update_that_points_uphill_is_no_step(search):
    p = jnp.array([-1.2, 1.0])
    new, state = searched(gradtx.chain(gradtx.line_search(search)), rosenbrock, p)
    np.testing.assert_array_equal(new, p)
    assert float(state_of(state).step_size) == 0
    np.testing.assert_array_equal(state_of(state).grad, jax.grad(rosenbrock)(p))


@pytest.mark.parametrize("search", DESCENT)
def test_a_zero_update_or_one_that_is_not_finite_is_no_step(search):
    tx, p = gradtx.line_search(search), jnp.array([-1.2, 1.0])
    value, grad = jax.value_and_grad(rosenbrock)(p)
    for u in (jnp.zeros(2), jnp.array([jnp.nan, 1.0]), jnp.array([jnp.inf, 1.0])):
        updates, _ = tx.update(u, tx.init(p), p, value=value, grad=grad, value_fn=rosenbrock)
        np.testing.assert_array_equal(updates, jnp.zeros(2))


@pytest.mark.parametrize("search", DESCENT)
def test_where_rounding_hides_the_decrease_the_slope_decides(search):
    p = jnp.array([1e-4, -1e-4])

    def loss(p):
        square = jnp.sum(p**2)
        return jax.lax.stop_gradient(1 + jnp.finfo(p.dtype).eps - square) + square  # one rounding above its least value

    g = jax.grad(loss)(p)
    tx = gradtx.line_search(search, curvature=0.1)
    updates, _ = tx.update(-0.6 * g, tx.init(p), p, value=1.0, grad=g, value_fn=loss)
    assert float(jnp.max(jnp.abs(p + updates))) < 0.5e-4


@pytest.mark.parametrize("search", DESCENT)
def test_a_search_that_is_maximized_climbs_as_far_as_one_of_the_negative_descends(search):
    p = jnp.array([-1.2, 1.0])
    down, _ = searched(DESCENT[search], rosenbrock, p)
    up, _ = searched(gradtx.line_search(search, curvature=0.1, maximize=True), lambda p: -rosenbrock(p), p)
    np.testing.assert_array_equal(up, down)


def test_a_step_of_bfloat16_lands_on_the_value_that_was_computed():
    p = jnp.array([0.3, -0.7], jnp.bfloat16)

    def loss(p):
        return jnp.sum((p.astype(jnp.float32) - 3.0) ** 2)

    new, state = searched(DESCENT["zoom"], loss, p)
    assert new.dtype == jnp.bfloat16
    np.testing.assert_array_equal(state_of(state).params, new.astype(jnp.float32))
    assert float(state_of(state).value) == float(loss(new))


def test_the_derivative_of_a_step_takes_its_length_for_a_constant():
    p, loss = jnp.array([-1.2, 1.0]), rosenbrock
    value, grad = jax.value_and_grad(loss)(p)
    tx = gradtx.line_search()

    def moved(u):
        updates, state = tx.update(u, tx.init(p), p, value=value, grad=grad, value_fn=loss)
        return updates[0], state["line_search"].step_size

    derivative, t = jax.grad(moved, has_aux=True)(-grad)
    np.testing.assert_allclose(derivative, [t, 0.0], rtol=1e-6)


@pytest.mark.slow
def test_a_loss_that_depends_on_what_is_differentiated_is_a_constant_to_the_search():
    p = jnp.array([-1.2, 1.0])

    def moved(c):
        loss = lambda p: c * rosenbrock(p)  # noqa: E731
        value, grad = jax.value_and_grad(loss)(p)
        tx = gradtx.chain(gradtx.scale(-1.0), gradtx.line_search())
        updates, state = tx.update(grad, tx.init(p), p, value=value, grad=grad, value_fn=loss)
        return updates, state["line_search"].step_size

    _, t = moved(1.0)
    expected = -t * jax.grad(rosenbrock)(p)
    np.testing.assert_allclose(jax.jacrev(moved)(1.0)[0], expected, rtol=1e-5)
    np.testing.assert_allclose(jax.jacfwd(moved)(1.0)[0], expected, rtol=1e-5)


def test_a_population_searches_as_each_member_does_alone():
    starts = jnp.array([[-1.2, 1.0], [2.0, 2.0], [0.0, 5.0]])
    step = jax.jit(lambda p: searched(DESCENT["zoom"], rosenbrock, p))
    together, states = jax.vmap(step)(starts)
    for i, p in enumerate(starts):
        alone, state = step(p)
        np.testing.assert_allclose(together[i], alone, rtol=1e-6)
        assert int(state_of(states).evaluations[i]) == int(state_of(state).evaluations)


def test_arrays_without_a_gradient_stay_and_are_given_to_the_loss():
    p = {"w": jnp.array([1.0, 2.0]), "still": jnp.array(3.0), "ids": jnp.arange(2)}

    def loss(p):
        return jnp.sum(p["still"] * (p["w"] - p["ids"]) ** 2)

    value, g = jax.value_and_grad(lambda w: loss({**p, "w": w}))(p["w"])
    grad = {"w": g, "still": None, "ids": None}
    for run in (lambda f: f, jax.jit):
        tx = gradtx.lbfgs()
        updates, _ = run(
            lambda grad, state, p, tx=tx: tx.update(grad, state, p, value=value, grad=grad, value_fn=loss)
        )(grad, tx.init(p), p)
        new = gradtx.apply_updates(p, updates)
        assert loss(new) < value
        assert float(new["still"]) == 3.0


def test_a_masked_search_sees_its_arrays_and_the_loss_sees_all():
    p = {"w": jnp.array([1.0, 2.0]), "b": jnp.array(3.0)}

    def loss(p):
        return jnp.sum((p["w"] - p["b"]) ** 2)

    tx = gradtx.chain(gradtx.masked(gradtx.lbfgs(), {"w": True, "b": False}), gradtx.freeze({"w": False, "b": True}))
    value, grad = jax.value_and_grad(loss)(p)
    updates, _ = tx.update(grad, tx.init(p), p, value=value, grad=grad, value_fn=loss)
    new = gradtx.apply_updates(p, updates)
    assert loss(new) < value
    assert float(new["b"]) == 3.0


def test_complex_arrays_are_refused():
    p = jnp.array([1.0 + 1.0j])
    for tx in (gradtx.line_search(), gradtx.lbfgs(), gradtx.conjugate_gradient(), gradtx.levenberg_marquardt()):
        given = {"value": 1.0, "grad": p, "value_fn": jnp.sum, "residual_fn": lambda p: p}
        with pytest.raises(TypeError, match=r"for real parameters only\. Give the real and the imaginary part"):
            tx.update(p + 0, tx.init(p), p, **given)
