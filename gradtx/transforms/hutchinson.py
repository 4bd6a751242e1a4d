"""An estimate of the diagonal of the Hessian."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp
from jax import Array

PyTree = Any


def hutchinson(loss: Callable[[PyTree], Array], params: PyTree, key: Array) -> PyTree:
    """Estimate the diagonal of the Hessian of a loss, at the price of a second gradient.

    z * (H z), with z of random signs: its mean is the diagonal.

    Args:
      loss: a function of params that gives a scalar.
      params: pytree of real floating arrays.
      key: a JAX random key; use another one for each call.

    Returns:
      A pytree like params.

    References:
      Hutchinson, 1990, A Stochastic Estimator of the Trace of the Influence Matrix for Laplacian Smoothing Splines.

    Example:
      >>> import gradtx, jax, jax.numpy as jnp
      >>> gradtx.hutchinson(lambda p: jnp.sum(p**3), jnp.array([1.0, 2.0]), jax.random.key(0))
      Array([ 6., 12.], dtype=float32)
    """
    leaves, treedef = jax.tree.flatten(params)
    keys = jax.random.split(key, max(len(leaves), 1))
    signs = [jax.random.rademacher(k, x.shape, x.dtype) for k, x in zip(keys, leaves, strict=False)]
    z = jax.tree.unflatten(treedef, signs)
    _, product = jax.jvp(jax.grad(loss), (params,), (z,))
    return jax.tree.map(jnp.multiply, z, product)
