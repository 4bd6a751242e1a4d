"""Grams: Adam's sizes in the gradient's direction."""

from __future__ import annotations

from gradtx.core import Fraction, GradientTransformation, LearningRate, Mask, NonNegative, transformation
from gradtx.optimizers.adam import scale_by_adam
from gradtx.optimizers.common import descend
from gradtx.wrappers.with_gradient_sign import with_gradient_sign


@transformation
def grams(
    learning_rate: LearningRate,
    b1: Fraction = 0.9,
    b2: Fraction = 0.999,
    eps: NonNegative = 1e-6,
    *,
    weight_decay: NonNegative | None = None,
    where: Mask | None = None,
    maximize: bool = False,
) -> GradientTransformation:
    """Adam's sizes in the gradient's direction.

    p - learning_rate |adam's quotient| sign(g)

    Args:
      learning_rate, b1, b2, eps, weight_decay, where, maximize: as for `adam`.

    Returns:
      A transformation that keeps `Moments`: two arrays per array, in float32 or wider.

    References:
      Cao, Li and Song, 2024, Grams: Gradient Descent with Adaptive Momentum Scaling.
    """
    stages = [with_gradient_sign(scale_by_adam(b1, b2, eps))]
    return descend(stages, learning_rate, weight_decay, where, maximize)
