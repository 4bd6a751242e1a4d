"""The loss and its gradient from the state of a line search: nothing is computed twice, and nothing stale is given."""

import chex
import jax
import jax.numpy as jnp
import numpy as np
import pytest

import gradtx


def rosenbrock(p):
    return (1 - p["x"]) ** 2 + 100 * (p["y"] - p["x"] ** 2) ** 2


START = {"x": jnp.array(-1.2), "y": jnp.array(1.0)}


def counting():
    """A loss, and the list that its evaluations lengthen."""
    calls = []

    def loss(p):
        jax.debug.callback(lambda: calls.append(1))
        return rosenbrock(p)

    return loss, calls


def run(tx, loss, steps):
    p, state = START, tx.init(START)
    for _ in range(steps):
        value, grad = gradtx.value_and_grad(loss, state)(p)
        updates, state = tx.update(grad, state, p, value=value, grad=grad, value_fn=loss)
        p = gradtx.apply_updates(p, updates)
    jax.effects_barrier()
    return p, state


@pytest.mark.parametrize("compiled", [False, True], ids=["plain", "jit"])
def test_every_evaluation_but_the_first_is_one_of_the_search(compiled):
    loss, calls = counting()
    tx = gradtx.lbfgs()

    def step(p, state):
        value, grad = gradtx.value_and_grad(loss, state)(p)
        updates, state = tx.update(grad, state, p, value=value, grad=grad, value_fn=loss)
        return gradtx.apply_updates(p, updates), state

    step = jax.jit(step) if compiled else step
    p, state = START, tx.init(START)
    for _ in range(6):
        p, state = step(p, state)
    jax.effects_barrier()
    assert len(calls) == 1 + int(state["line_search"].evaluations)


def test_what_is_given_is_what_would_be_computed():
    p, state = run(gradtx.lbfgs(), rosenbrock, 5)
    value, grad = gradtx.value_and_grad(rosenbrock, state)(p)
    expected, expected_grad = jax.value_and_grad(rosenbrock)(p)
    np.testing.assert_allclose(value, expected, rtol=1e-5)
    chex.assert_trees_all_close(grad, expected_grad, rtol=1e-4)


def test_at_other_parameters_it_is_computed():
    p, state = run(gradtx.lbfgs(), rosenbrock, 5)
    for other in ({**p, "x": p["x"] + 0.01}, {**p, "x": p["x"] * (1 + 1e-6)}, START):
        for f in (gradtx.value_and_grad(rosenbrock, state), jax.jit(gradtx.value_and_grad(rosenbrock, state))):
            value, grad = f(other)
            expected, expected_grad = jax.value_and_grad(rosenbrock)(other)
            np.testing.assert_allclose(value, expected, rtol=1e-5)
            chex.assert_trees_all_close(grad, expected_grad, rtol=1e-4)


def test_a_search_that_has_not_begun_or_is_not_there_gives_what_is_computed():
    expected = jax.value_and_grad(rosenbrock)(START)
    for tx in (gradtx.lbfgs(), gradtx.adam(0.1), gradtx.partition({"a": gradtx.lbfgs(), "b": gradtx.lbfgs()}, "a")):
        chex.assert_trees_all_equal(gradtx.value_and_grad(rosenbrock, tx.init(START))(START), expected)


@pytest.mark.parametrize(
    "wrap", [gradtx.skip_nonfinite, lambda tx: gradtx.chain(gradtx.clip_by_global_norm(1e9), a=tx)]
)
def test_the_search_is_found_within_wrappers_and_chains(wrap):
    loss, calls = counting()
    p, state = run(wrap(gradtx.lbfgs()), loss, 3)
    before = len(calls)
    gradtx.value_and_grad(loss, state)(p)
    jax.effects_barrier()
    assert len(calls) == before


def test_what_else_a_function_returns_is_computed_anew():
    p, state = run(gradtx.lbfgs(), rosenbrock, 4)

    def with_aux(p):
        return rosenbrock(p), {"distance": jnp.abs(1 - p["x"])}

    expected = jax.value_and_grad(with_aux, has_aux=True)(p)
    for f in (lambda f: f, jax.jit):
        found = f(gradtx.value_and_grad(with_aux, state, has_aux=True))(p)
        chex.assert_trees_all_close(found, expected, rtol=1e-4)


def test_levenberg_marquardt_keeps_value_and_gradient_too():
    def residuals(p):
        return jnp.stack([1 - p["x"], 10 * (p["y"] - p["x"] ** 2)])

    def loss(p):
        return 0.5 * jnp.sum(residuals(p) ** 2)

    tx, p = gradtx.levenberg_marquardt(), START
    updates, state = tx.update(p, tx.init(p), p, residual_fn=residuals)
    p = gradtx.apply_updates(p, updates)
    chex.assert_trees_all_close(
        gradtx.value_and_grad(lambda p: 0.0 * loss(p), state)(p), jax.value_and_grad(loss)(p), rtol=1e-4
    )


def test_bfloat16_parameters_are_recognized_and_get_gradients_of_their_dtype():
    p = jax.tree.map(lambda x: x.astype(jnp.bfloat16), START)
    tx = gradtx.lbfgs()
    value, grad = jax.value_and_grad(rosenbrock)(p)
    updates, state = tx.update(grad, tx.init(p), p, value=value, grad=grad, value_fn=rosenbrock)
    p = gradtx.apply_updates(p, updates)
    kept = gradtx.value_and_grad(lambda p: 0 * rosenbrock(p), state)(p)
    chex.assert_trees_all_equal(kept, jax.value_and_grad(rosenbrock)(p))
