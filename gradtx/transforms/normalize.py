"""Updates divided by their joint norm."""

from __future__ import annotations

from typing import Any

import jax
import jax.numpy as jnp
from jax import Array

from gradtx.core import Finite, GradientTransformation, NonNegative, transformation, treewise
from gradtx.transforms.global_norm import global_norm

PyTree = Any


@transformation
def normalize_by_update_norm(scale_factor: Finite = 1.0, eps: NonNegative = 1e-6) -> GradientTransformation:
    """Divide all updates by their joint norm.

    u * scale_factor / (||u|| + eps), with ||u|| over the whole tree.

    Args:
      scale_factor: the norm of the new updates.
      eps: added to the norm.

    Returns:
      A transformation without state.

    Example:
      >>> import gradtx, jax.numpy as jnp
      >>> tx = gradtx.normalize_by_update_norm(eps=0.0)
      >>> tx.update(jnp.array([3.0, 4.0]), tx.init(jnp.zeros(2)))[0]
      Array([0.6, 0.8], dtype=float32)
    """
    return treewise(_normalize, scale_factor=scale_factor, eps=eps)


def _normalize(updates: PyTree, s: None, params: PyTree, scale_factor: Array, eps: Array) -> tuple[PyTree, None]:
    size = global_norm(updates) + eps
    factor = jnp.where(size > 0, scale_factor / jnp.where(size > 0, size, 1), 0)
    return jax.tree.map(lambda u: factor.astype(u.real.dtype) * u, updates), s
