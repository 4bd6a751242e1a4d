"""LaProp: Adam that scales gradients first and averages them then."""

from __future__ import annotations

from gradtx.core import Fraction, GradientTransformation, LearningRate, Mask, NonNegative, transformation
from gradtx.optimizers.common import descend
from gradtx.transforms.ema import ema
from gradtx.transforms.rms import scale_by_rms


@transformation
def laprop(
    learning_rate: LearningRate,
    b1: Fraction = 0.9,
    b2: Fraction = 0.999,
    eps: NonNegative = 1e-15,
    *,
    weight_decay: NonNegative | None = None,
    where: Mask | None = None,
    maximize: bool = False,
) -> GradientTransformation:
    """Adam with its two parts in the other order: gradients are scaled first and averaged then.

    q = g / (sqrt(v / (1 - b2^t)) + eps),  m = b1 m + (1 - b1) q;  p - learning_rate * m / (1 - b1^t)

    Args:
      learning_rate: the length of a step; 0.0004 in the paper.
      b1: decay of the average.
      b2: decay of the second moment.
      eps, weight_decay, where, maximize: as for `adam`.

    Returns:
      A transformation that keeps two arrays per array, in float32 or wider.

    References:
      Ziyin, Wang and Ueda, 2020, LaProp: Separating Momentum and Adaptivity in Adam.
    """
    stages = scale_by_rms(b2, eps, bias_correction=True), ema(b1)
    return descend(stages, learning_rate, weight_decay, where, maximize)
