"""Updates that point where the current gradient does."""

from __future__ import annotations

from typing import Any

import jax.numpy as jnp
from jax import Array

from gradtx.core import GradientTransformation, Run, each, transformation, wrapping

PyTree = Any


@transformation
def with_gradient_sign(inner: GradientTransformation) -> GradientTransformation:
    """Keep the size of each number's update, and take its sign from the current gradient.

    |u| sign(g)

    Args:
      inner: stages that scale gradients, before a learning rate: the result points as the gradient does.

    Returns:
      A transformation that keeps what `inner` keeps, under the same names.

    Raises:
      TypeError: if `inner` is not a transformation.

    References:
      Cao, Li and Song, 2024, Grams: Gradient Descent with Adaptive Momentum Scaling.
    """
    return wrapping(inner, _with_gradient_sign)


def _with_gradient_sign(run: Run, g: PyTree, s: None, params: PyTree) -> tuple[PyTree, None]:
    return each(_with_sign, run(g), g), s


def _with_sign(u: Array, g: Array) -> Array:
    return jnp.abs(u) * jnp.sign(g)
