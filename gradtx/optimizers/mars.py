"""MARS: AdamW on gradients corrected by their own change."""

from __future__ import annotations

import jax.numpy as jnp
from jax import Array

from gradtx.core import (
    Axes,
    Fraction,
    GradientTransformation,
    LearningRate,
    Mask,
    NonNegative,
    leafwise,
    transformation,
)
from gradtx.optimizers.common import descend
from gradtx.transforms.averages import one_minus
from gradtx.transforms.moments import bias_correction, scale_by_moments, track_moments
from gradtx.transforms.numerics import norm


@transformation
def reduce_variance(
    b1: Fraction = 0.95, gamma: NonNegative = 0.025, *, axes: Axes | None = None
) -> GradientTransformation:
    """Correct each gradient by its change, so that its average lags less: the first stage of MARS.

    c = g + gamma b1 / (1 - b1) (g - last g), no change at first;  c / max(1, ||c||), over one array.

    Args:
      b1: decay of the average that will follow. The paper's default, as is `gamma`.
      gamma: how much of the change counts.
      axes: as for `scale_by_trust_ratio`.

    Returns:
      A transformation that keeps the previous gradient and its age.

    References:
      Yuan et al., 2024, MARS: Unleashing the Power of Variance Reduction for Training Large Models (there MARS-approx).
    """
    return leafwise(_reduce_variance, keeps="last", needs=("age",), axes=axes, one_minus_b1=one_minus(b1), gamma=gamma)


def _reduce_variance(
    g: Array, last: Array, p: None, age: Array, one_minus_b1: Array, gamma: Array
) -> tuple[Array, Array]:
    change = jnp.where(age > 0, g - last, 0)
    corrected = g + gamma * ((1 - one_minus_b1) / one_minus_b1) * change
    return corrected / jnp.maximum(norm(corrected), 1), g


@transformation
def mars(
    learning_rate: LearningRate,
    b1: Fraction = 0.95,
    b2: Fraction = 0.99,
    eps: NonNegative = 1e-8,
    gamma: NonNegative = 0.025,
    weight_decay: NonNegative | None = 0.01,
    *,
    axes: Axes | None = None,
    where: Mask | None = None,
    maximize: bool = False,
) -> GradientTransformation:
    """AdamW on gradients corrected by their own change.

    c = g + gamma b1 / (1 - b1) (g - last g), within a norm of 1 for each array; AdamW for c.

    Args:
      axes: as for `scale_by_trust_ratio`.
      learning_rate: the length of a step; 0.003 in the paper.
      gamma: how much of the change counts; the paper's default.
      b1, b2, eps, weight_decay, where, maximize: as for `adam`.

    Returns:
      A transformation that keeps `Moments` and the previous gradient: three arrays per array.

    References:
      Yuan et al., 2024, MARS: Unleashing the Power of Variance Reduction for Training Large Models (MARS-AdamW).
    """
    stages = (
        reduce_variance(b1, gamma, axes=axes),
        track_moments(b1, b2),
        bias_correction(b1, b2),
        scale_by_moments(eps),
    )
    return descend(stages, learning_rate, weight_decay, where, maximize)
