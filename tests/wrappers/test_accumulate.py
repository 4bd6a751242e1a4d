"""`accumulate` against Optax's MultiSteps, and against the gradient of the whole batch."""

import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest

import gradtx
from properties import registry
from wrappers.training import P, gradients, train


def test_accumulate_follows_optax_multi_steps():
    grads = gradients(6)
    ours, state = train(gradtx.accumulate(gradtx.adam(0.1), 3), grads)
    theirs, _ = train(optax.MultiSteps(optax.adam(0.1), 3), grads, apply=optax.apply_updates)
    registry.assert_close(ours, theirs, rtol=1e-5)
    assert int(state["step"]) == 2


def test_a_schedule_of_every_sees_the_steps_taken():
    grads = gradients(9)
    every = lambda step: jnp.minimum(step, 2) + 2  # noqa: E731
    ours, _ = train(gradtx.accumulate(gradtx.sgd(0.1), every), grads)
    theirs, _ = train(optax.MultiSteps(optax.sgd(0.1), every), grads, apply=optax.apply_updates)
    registry.assert_close(ours, theirs, rtol=1e-5)


def test_one_gradient_for_every_step_is_the_inner_transformation():
    assert gradtx.accumulate(gradtx.adam(0.1), 1).mathematics == gradtx.adam(0.1).mathematics


def test_a_weighted_mean_is_the_gradient_of_the_whole_batch():
    x, y = np.random.default_rng(1).normal(size=(2, 12))
    loss = lambda p, rows: jnp.mean((p["a"] * x[rows] + p["b"] - y[rows]) ** 2)  # noqa: E731
    p, parts = {"a": jnp.array(1.0), "b": jnp.array(0.5)}, [slice(0, 1), slice(1, 4), slice(4, 12)]
    tx = gradtx.accumulate(gradtx.sgd(1.0), 3, weight="rows")
    grads = [jax.grad(loss)(p, part) for part in parts]
    path, _ = train(tx, grads, p, rows=jnp.array([1.0, 3.0, 8.0]))
    expected = jax.tree.map(lambda q, g: q - g, p, jax.grad(loss)(p, slice(0, 12)))
    registry.assert_close(path[-1], expected, rtol=1e-5)


def test_the_sum_adds_gradients():
    grads = gradients(2)
    path, _ = train(gradtx.accumulate(gradtx.sgd(1.0), 2, how="sum"), grads)
    registry.assert_close(path[-1], jax.tree.map(lambda p, a, b: p - a - b, P, *grads), rtol=1e-5)


def test_flush_takes_the_step_with_what_has_been_gathered():
    grads = gradients(2)
    path, state = train(gradtx.accumulate(gradtx.sgd(1.0), 4), grads, flush=jnp.array([False, True]))
    registry.assert_close(path[-1], jax.tree.map(lambda p, a, b: p - (a + b) / 2, P, *grads), rtol=1e-5)
    assert (int(state["step"]), int(state["accumulate"].gradients)) == (1, 0)


def test_bfloat16_gradients_are_gathered_in_float32():
    g = {"w": jnp.full(1, 1.0, jnp.bfloat16)}
    grads = [jax.tree.map(lambda x: x * (1 + 2**-7 * (i % 2)), g) for i in range(64)]
    _, state = train(gradtx.accumulate(gradtx.sgd(1.0), 65), grads, {"w": jnp.ones(1)})
    np.testing.assert_allclose(state["accumulate"].gathered["w"], 1 + 2**-8, rtol=1e-6)


@pytest.mark.parametrize("how", ["mean", "sum"])
def test_an_infinity_in_one_window_does_not_reach_the_next(how):
    grads = gradients(4)
    grads[0] = jax.tree.map(lambda g: g * jnp.inf, grads[0])
    tx = gradtx.accumulate(gradtx.skip_nonfinite(gradtx.sgd(1.0)), 2, how=how)
    path, _ = train(tx, grads)
    assert registry.is_finite(path[-1])
    assert registry.bits(path[1]) == registry.bits(P)
    assert registry.bits(path[3]) != registry.bits(P)
