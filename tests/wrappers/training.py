"""A run of an optimizer over given gradients, for the tests of wrappers."""

import functools

import jax
import jax.numpy as jnp
import numpy as np

import gradtx

P = {"w": jnp.array([1.0, -2.0]), "deep": {"kernel": jnp.array([[0.5, 1.0], [-1.0, 2.0]])}}


def gradients(steps, params=P):
    """Random gradients, one tree per step."""
    rng = np.random.default_rng(0)
    return [jax.tree.map(lambda p: jnp.asarray(rng.normal(size=p.shape), p.dtype), params) for _ in range(steps)]


@functools.cache
def _step(tx):
    return jax.jit(tx.update)


def train(tx, grads, params=P, apply=gradtx.apply_updates, **extra):
    """The parameters after each step, and the last state."""
    state, path = tx.init(params), []
    step = _step(tx) if isinstance(tx, gradtx.GradientTransformation) else jax.jit(tx.update)
    for i, g in enumerate(grads):
        updates, state = step(g, state, params, **{name: x[i] for name, x in extra.items()})
        params = apply(params, updates)
        path.append(params)
    return path, state
