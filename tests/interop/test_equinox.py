"""gradtx with the modules, filters and checkpoints of Equinox."""

from collections.abc import Callable

import chex
import equinox as eqx
import jax
import jax.numpy as jnp
import pytest

import gradtx
from properties import registry


class Linear(eqx.Module):
    kernel: jax.Array
    bias: jax.Array
    activation: Callable
    features: int

    def __call__(self, x):
        return self.activation(x @ self.kernel + self.bias)


@pytest.fixture(scope="module")
def model(problem):
    return Linear(**problem.params, activation=jnp.tanh, features=2)


def trainable(model):
    return eqx.filter(model, eqx.is_inexact_array)


@pytest.fixture(scope="module")
def fit(problem, model):
    """A function that trains the module, from scratch or from `start`, and returns the module and the state."""

    @eqx.filter_jit
    def step(update, apply_updates, model, state):
        def loss(model):
            return jnp.mean((jax.vmap(model)(problem.inputs) - problem.targets) ** 2)

        updates, state = update(eqx.filter_grad(loss)(model), state, trainable(model))
        return apply_updates(model, updates), state

    def run(tx, steps=8, start=None, apply_updates=eqx.apply_updates):
        fitted, state = start or (model, tx.init(trainable(model)))
        for _ in range(steps):
            fitted, state = step(tx.update, apply_updates, fitted, state)
        return fitted, state

    return run


def test_a_module_trains_as_with_optax(pair, fit, assert_agree):
    assert_agree(trainable(fit(pair.ours)[0]), trainable(fit(pair.theirs)[0]))


def test_apply_updates_of_both_libraries_give_the_same_module(fit):
    theirs, _ = fit(gradtx.adam(0.1), steps=3)
    ours, _ = fit(gradtx.adam(0.1), steps=3, apply_updates=gradtx.apply_updates)
    chex.assert_trees_all_equal(trainable(ours), trainable(theirs))


def test_apply_updates_leaves_everything_but_floating_arrays_unchanged(model, fit):
    fitted, _ = fit(gradtx.adam(0.1), steps=1, apply_updates=gradtx.apply_updates)
    assert (fitted.activation, fitted.features) == (jnp.tanh, 2)
    assert not jnp.array_equal(fitted.kernel, model.kernel)


def test_moments_are_modules_of_the_same_class(fit):
    _, state = fit(gradtx.adam(0.1), steps=1)
    assert isinstance(state["track_moments"].first, Linear)


def test_training_resumes_bit_for_bit_from_leaves_saved_by_equinox(fit, tmp_path):
    tx = gradtx.adam(0.1)
    halfway = fit(tx, steps=4)
    eqx.tree_serialise_leaves(tmp_path / "halfway.eqx", halfway)
    restored = eqx.tree_deserialise_leaves(tmp_path / "halfway.eqx", fit(tx, steps=0))
    chex.assert_trees_all_equal(
        *(jax.tree.map(jnp.asarray, eqx.filter(fit(tx, 4, start), eqx.is_array)) for start in (restored, halfway))
    )


def test_filter_jit_traces_a_transformation_with_array_leaves_once(problem):
    traces = []

    @eqx.filter_jit
    def first_updates(tx, params):
        traces.append(tx)
        return tx.update(registry.copy(params), tx.init(params), params)[0]

    small, large = (first_updates(gradtx.sgd(jnp.array(rate)), problem.params) for rate in (0.1, 0.2))
    assert len(traces) == 1
    chex.assert_trees_all_close(jax.tree.map(lambda u: 2 * u, small), large)
