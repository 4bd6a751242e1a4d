"""StableAdamW: AdamW that shrinks the steps its second moment did not foresee."""

from __future__ import annotations

import jax.numpy as jnp
from jax import Array

from gradtx.core import Fraction, GradientTransformation, LearningRate, Mask, NonNegative, leafwise, transformation
from gradtx.optimizers.common import descend
from gradtx.transforms.averages import correction, one_minus
from gradtx.transforms.moments import AgedMoments, Moments, bias_correction, scale_by_moments, zero_aged_moments
from gradtx.transforms.numerics import average, bounded_square, rms, root


@transformation
def track_stable_moments(b1: Fraction = 0.9, b2: Fraction = 0.999, eps: NonNegative = 1e-8) -> GradientTransformation:
    """Track moments, and shrink the first where the gradient has outgrown what the second foresees.

    m and v as in `track_moments`;  m is given divided by max(1, rms(g / sqrt(v / (1 - b2^t)))), over one array.

    Args:
      b1: decay of the first moment.
      b2: decay of the second moment.
      eps: the least root to divide by.

    Returns:
      A transformation that takes arrays and gives `Moments`; it keeps `AgedMoments`, in float32 or wider.

    References:
      Wortsman et al., 2023, Stable and low-precision training for large-scale vision-language models.
    """
    return leafwise(
        _track_stable,
        zero_aged_moments,
        keeps=AgedMoments,
        gives=Moments,
        eps=eps,
        one_minus_b1=one_minus(b1),
        one_minus_b2=one_minus(b2),
        correction2=correction(b2),
    )


def _track_stable(
    g: Array, s: AgedMoments, p: None, eps: Array, one_minus_b1: Array, one_minus_b2: Array, correction2: Array
) -> tuple[Moments, AgedMoments]:
    first, second = average(s.first, g, one_minus_b1), average(s.second, bounded_square(g), one_minus_b2)
    outgrown = rms(g / jnp.maximum(root(second / correction2), eps))
    return Moments(first / jnp.maximum(outgrown, 1), second), AgedMoments(first, second, s.age)


@transformation
def stable_adamw(
    learning_rate: LearningRate,
    b1: Fraction = 0.9,
    b2: Fraction = 0.99,
    eps: NonNegative = 1e-8,
    weight_decay: NonNegative | None = 0.01,
    *,
    where: Mask | None = None,
    maximize: bool = False,
) -> GradientTransformation:
    """AdamW whose step shrinks where the gradient has outgrown its second moment.

    AdamW with learning_rate / max(1, rms(g / sqrt(v / (1 - b2^t)))) for each array.

    The weight decay does not shrink with the step; in the paper it does.

    Args:
      learning_rate, b1, b2, eps, weight_decay, where, maximize: as for `adam`.

    Returns:
      A transformation that keeps `AgedMoments`: two arrays per array, in float32 or wider.

    References:
      Wortsman et al., 2023, Stable and low-precision training for large-scale vision-language models.
    """
    stages = track_stable_moments(b1, b2, eps), bias_correction(b1, b2), scale_by_moments(eps)
    return descend(stages, learning_rate, weight_decay, where, maximize)
