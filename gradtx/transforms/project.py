"""Projections that keep parameters in a set."""

from __future__ import annotations

from collections.abc import Callable

import jax.numpy as jnp
from jax import Array

from gradtx.core import GradientTransformation, leafwise, transformation


@transformation
def project(projection: Callable[[Array], Array]) -> GradientTransformation:
    """Keep parameters in a set by projecting each array after its step. Put it last in a chain.

    u = projection(p + u) - p

    Args:
      projection: a function of one array that returns one of the same shape, the nearest in the set: for example
        `jax.nn.relu` for numbers that are not negative.

    Returns:
      A transformation without state, whose update needs `params`.

    Example:
      >>> import gradtx, jax, jax.numpy as jnp
      >>> tx = gradtx.chain(gradtx.sgd(1.0), gradtx.project(jax.nn.relu))
      >>> p = jnp.array([0.5, 2.0])
      >>> tx.update(jnp.ones(2), tx.init(p), p)[0]
      Array([-0.5, -1. ], dtype=float32)
    """
    return leafwise(_project, needs=("params",), projection=projection)


def _project(u: Array, s: None, p: Array, projection: Callable[[Array], Array]) -> tuple[Array, None]:
    return projection(p + u) - p, s


@transformation
def keep_params_nonnegative() -> GradientTransformation:
    """Keep parameters from falling below zero. Put it last in a chain.

    u = max(p + u, 0) - p

    Returns:
      A transformation without state, whose update needs `params`.
    """
    return project(_nonnegative)


def _nonnegative(x: Array) -> Array:
    return jnp.maximum(x, 0)
