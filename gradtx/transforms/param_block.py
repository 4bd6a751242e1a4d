"""Updates scaled by the size of their parameter."""

from __future__ import annotations

import jax.numpy as jnp
from jax import Array

from gradtx.core import Axes, GradientTransformation, NonNegative, leafwise, transformation
from gradtx.transforms.numerics import norm, rms


@transformation
def scale_by_param_block_norm(min_scale: NonNegative = 1e-3, *, axes: Axes | None = None) -> GradientTransformation:
    """Scale each array's update by the norm of its parameter.

    u * max(||p||, min_scale)

    Args:
      min_scale: the least factor, so that parameters can leave zero.
      axes: what the axes of arrays are, as for `muon`: each matrix then counts as an array. By default each array does.

    Returns:
      A transformation without state, whose update needs `params`.
    """
    return leafwise(_by_norm, needs=("params",), axes=axes, min_scale=min_scale)


@transformation
def scale_by_param_block_rms(min_scale: NonNegative = 1e-3, *, axes: Axes | None = None) -> GradientTransformation:
    """Scale each array's update by the root mean square of its parameter, as Adafactor does.

    u * max(rms(p), min_scale)

    Args:
      min_scale: the least factor, so that parameters can leave zero.
      axes: what the axes of arrays are, as for `muon`: each matrix then counts as an array. By default each array does.

    Returns:
      A transformation without state, whose update needs `params`.

    References:
      Shazeer and Stern, 2018, Adafactor: Adaptive Learning Rates with Sublinear Memory Cost.
    """
    return leafwise(_by_rms, needs=("params",), axes=axes, min_scale=min_scale)


def _by_norm(u: Array, s: None, p: Array, min_scale: Array) -> tuple[Array, None]:
    return jnp.maximum(norm(p), min_scale) * u, s


def _by_rms(u: Array, s: None, p: Array, min_scale: Array) -> tuple[Array, None]:
    return jnp.maximum(rms(p), min_scale) * u, s
