"""Updates without their mean."""

from __future__ import annotations

import jax.numpy as jnp
from jax import Array

from gradtx.core import Axes, GradientTransformation, leafwise, transformation
from gradtx.core.axes import AxesOfArray, axes_of


@transformation
def centralize(axes: Axes | None = None) -> GradientTransformation:
    """Subtract from each unit's updates their mean, as gradient centralization does.

    u - mean over inputs of u, output by output; arrays of fewer than two axes pass.

    Optax takes the first axis for the outputs, which is right for PyTorch's weights: "o i" and "o i i i".

    Args:
      axes: what the axes of arrays are, as for `muon`; each output of a matrix is a unit, and an array without axes
        passes. By default the last axis is the outputs, as in Flax and Haiku, and all others are inputs.

    Returns:
      A transformation without state.

    References:
      Yong et al., 2020, Gradient Centralization: A New Optimization Technique for Deep Neural Networks.
    """
    return leafwise(_centralize, needs=("axes",), axes=axes_of(axes, "units"))


def _centralize(u: Array, s: None, p: None, axes: AxesOfArray | None) -> tuple[Array, None]:
    return (u if axes is None else u - jnp.mean(u, 0)), s
