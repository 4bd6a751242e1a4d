"""Compute the path of a transformation, to compare it with the path of a paper's rule or of another library."""

import jax
import jax.numpy as jnp
import numpy as np

import gradtx

STARTS = {
    "vector": np.array([1.0, -2.0, 0.5, 0.1]),
    "vector with a zero": np.array([1.0, -2.0, 0.5, 0.0]),
    "matrix": np.array([[1.0, -2.0, 0.5], [0.25, 3.0, -0.75]]),
}
STEPS = 100


def numpy_of(p):
    """NumPy or `jax.numpy`, whichever `p` belongs to. The papers' rules do not use JAX."""
    return np if isinstance(p, np.ndarray) else jnp


def gradient(p):
    """The gradient of a bowl with ripples. Its sign changes, so momentum and moments matter."""
    return 2 * p + numpy_of(p).sin(5 * p)


def path(
    tx,
    start,
    steps=STEPS,
    *,
    gradient=gradient,
    extra=lambda p: {},
    apply=gradtx.apply_updates,
    keep=lambda p, state: p,
    dtype=np.float64,
):
    """The parameters after each step, or what `keep` returns for the parameters and the state.

    `extra` maps the parameters to the extra arguments of an update, such as the loss.
    """

    def step(carry, _):
        p, state = carry
        updates, state = tx.update(gradient(p), state, p, **extra(p))
        p = apply(p, updates)
        return (p, state), keep(p, state)

    with jax.enable_x64(dtype == np.float64):
        p = jnp.asarray(start, dtype)
        return jax.tree.map(np.asarray, jax.lax.scan(step, (p, tx.init(p)), length=steps)[1])
