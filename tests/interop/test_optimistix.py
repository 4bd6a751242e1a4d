"""gradtx as the optimizer in Optimistix's OptaxMinimiser."""

import jax.numpy as jnp
import optimistix
import pytest

import gradtx


@pytest.fixture(scope="module")
def minimise():
    """A function that minimises an elliptic bowl around (1, 2) in Optimistix with a given transformation."""

    def bowl(y, centre):
        return jnp.sum(jnp.array([1.0, 3.0]) * (y - centre) ** 2)

    def run(tx):
        solver = optimistix.OptaxMinimiser(tx, rtol=1e-4, atol=1e-4)
        return optimistix.minimise(bowl, solver, jnp.zeros(2), args=jnp.array([1.0, 2.0]), max_steps=400, throw=False)

    return run


def test_a_minimum_is_found_as_with_optax(pair, minimise, assert_agree):
    ours, theirs = minimise(pair.ours), minimise(pair.theirs)
    assert ours.stats["num_steps"] == theirs.stats["num_steps"]
    assert_agree(ours.value, theirs.value)


def test_the_true_minimum_is_found(minimise):
    assert jnp.allclose(minimise(gradtx.adam(0.1)).value, jnp.array([1.0, 2.0]), atol=1e-2)


def test_the_value_of_the_function_is_passed_to_a_plateau(plateau_pair, minimise, assert_agree):
    ours, theirs = (minimise(tx) for tx in plateau_pair)
    assert ours.state.opt_state["scale_by_learning_rate"]["learning_rate"].scale < 1
    assert_agree(ours.value, theirs.value)
