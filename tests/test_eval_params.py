"""The parameters to evaluate with, through nestings of wrappers."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import gradtx
from properties import registry, wrappers

P = {"w": jnp.array([1.0, -2.0]), "deep": jnp.ones((2, 2), jnp.bfloat16), "n": jnp.arange(2)}


def after_two_steps(tx, params=P):
    state = tx.init(params)
    for _ in range(2):
        updates, state = tx.update(jax.tree.map(lambda p: p * 0 + 1, params), state, params)
        params = gradtx.apply_updates(params, updates)
    return params, state


def averaged(rate):
    """The weights after two steps of this rate from one, and their average of decay a half."""
    return 1 - 2 * rate, 0.5 * (0.5 * 1 + 0.5 * (1 - rate)) + 0.5 * (1 - 2 * rate)


NESTINGS = {
    "bare": lambda tx: tx,
    "scaled": lambda tx: wrappers.scaled(tx, 1.0),
    "guarded": wrappers.skip_nonfinite,
    "in a chain": lambda tx: gradtx.chain(gradtx.clip(10.0), tx),
    "split": gradtx.split_real_and_imaginary,
}


@pytest.mark.parametrize("nesting", NESTINGS)
def test_an_average_is_found_through_any_nesting(nesting):
    tx = NESTINGS[nesting](wrappers.ema(gradtx.sgd(0.25)))
    params, state = after_two_steps(tx)
    found = gradtx.eval_params(tx, state, params)
    last, average = averaged(0.25)
    np.testing.assert_allclose(params["w"][0], last)
    np.testing.assert_allclose(found["w"][0], average)
    assert registry.avals(found) == registry.avals(params)
    assert registry.bits(found["n"]) == registry.bits(P["n"])


def test_an_average_of_some_arrays_leaves_the_others_as_they_are():
    tx = gradtx.masked(wrappers.ema(gradtx.sgd(0.25)), {"w": True, "deep": False, "n": False})
    params, state = after_two_steps(tx)
    found = gradtx.eval_params(tx, state, params)
    np.testing.assert_allclose(found["w"][0], averaged(0.25)[1])
    assert registry.bits(found["deep"]) == registry.bits(params["deep"])


@pytest.mark.parametrize("name", ["adam", "masked", "partition", "mechanize", "cautious", "wrapping"])
def test_without_an_average_they_are_the_parameters_themselves(name):
    tx, p = registry.make(name), registry.params(jnp.bfloat16)
    assert registry.bits(gradtx.eval_params(tx, tx.init(p), p)) == registry.bits(p)


def test_the_state_of_another_transformation_is_refused():
    with pytest.raises(ValueError, match="the state is that of another transformation"):
        gradtx.eval_params(gradtx.adam(0.1), gradtx.sgd(0.1, 0.9).init(P), P)
