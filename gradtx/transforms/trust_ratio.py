"""Updates in proportion to their parameters."""

from __future__ import annotations

import jax.numpy as jnp
from jax import Array

from gradtx.core import Axes, GradientTransformation, NonNegative, leafwise, transformation
from gradtx.transforms.numerics import norm


@transformation
def scale_by_trust_ratio(
    min_norm: NonNegative = 0.0,
    trust_coefficient: NonNegative = 1.0,
    eps: NonNegative = 0.0,
    *,
    axes: Axes | None = None,
) -> GradientTransformation:
    """Make each array's update as long as the array itself, times a coefficient.

    u * trust_coefficient ||p|| / (||u|| + eps), and u where either norm is 0.

    Args:
      min_norm: norms below this count as this.
      trust_coefficient: the length of an update as a fraction of ||p||; LARS uses 0.001, LAMB 1.
      eps: added to the norm of the update.
      axes: what the axes of arrays are, as for `muon`: each matrix then counts as an array. By default each array does.

    Returns:
      A transformation without state, whose update needs `params`.

    References:
      You, Gitman and Ginsburg, 2017, Large Batch Training of Convolutional Networks.
    """
    return leafwise(
        _trust_ratio, needs=("params",), axes=axes, min_norm=min_norm, coefficient=trust_coefficient, eps=eps
    )


def _trust_ratio(u: Array, s: None, p: Array, min_norm: Array, coefficient: Array, eps: Array) -> tuple[Array, None]:
    of_p, of_u = jnp.maximum(norm(p), min_norm), jnp.maximum(norm(u), min_norm)
    defined = (of_p > 0) & (of_u > 0)
    ratio = coefficient * of_p / jnp.where(defined, of_u + eps, 1)
    return jnp.where(defined, ratio, 1) * u, s
