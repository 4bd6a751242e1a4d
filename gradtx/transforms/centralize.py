"""Updates without their mean."""

from __future__ import annotations

from typing import Annotated

import jax.numpy as jnp
from jax import Array

from gradtx.core import GradientTransformation, leafwise, transformation
from gradtx.core.ranges import AtLeast


@transformation
def centralize(unit_axis: Annotated[int, AtLeast(-1)] = 0) -> GradientTransformation:
    """Subtract from each unit's updates their mean, as gradient centralization does.

    u - mean(u) over all axes but one; arrays of fewer than two axes pass.

    Args:
      unit_axis: the axis of the units. 0 is Optax's, and right for PyTorch's weights; kernels of Flax and Haiku have
        their outputs last, -1.

    Returns:
      A transformation without state.

    References:
      Yong et al., 2020, Gradient Centralization: A New Optimization Technique for Deep Neural Networks.
    """
    return leafwise(_centralize, unit_axis=unit_axis)


def _centralize(u: Array, s: None, p: None, unit_axis: int) -> tuple[Array, None]:
    if u.ndim < 2:
        return u, s
    others = tuple(axis for axis in range(u.ndim) if axis != unit_axis % u.ndim)
    return u - jnp.mean(u, axis=others, keepdims=True), s
