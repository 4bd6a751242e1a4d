"""The transformation that changes nothing."""

from __future__ import annotations

from jax import Array

from gradtx.core import GradientTransformation, leafwise, transformation


@transformation
def identity() -> GradientTransformation:
    """Pass every update on unchanged.

    u = u

    Returns:
      A transformation without state.

    Example:
      >>> import gradtx, jax.numpy as jnp
      >>> gradtx.identity().update(jnp.array(2.0), gradtx.identity().init(jnp.array(0.0)))[0]
      Array(2., dtype=float32)
    """
    return leafwise(_identity)


def _identity(u: Array, s: None, p: None) -> tuple[Array, None]:
    return u, s
