"""LAMB: AdamW whose step is as long as the array that it moves."""

from __future__ import annotations

from gradtx.core import Axes, Fraction, GradientTransformation, LearningRate, Mask, NonNegative, transformation
from gradtx.optimizers.common import decayed, descend
from gradtx.transforms.moments import bias_correction, scale_by_moments, track_moments
from gradtx.transforms.trust_ratio import scale_by_trust_ratio


@transformation
def lamb(
    learning_rate: LearningRate,
    b1: Fraction = 0.9,
    b2: Fraction = 0.999,
    eps: NonNegative = 1e-6,
    weight_decay: NonNegative | None = 0.01,
    *,
    axes: Axes | None = None,
    where: Mask | None = None,
    maximize: bool = False,
) -> GradientTransformation:
    """AdamW whose step is as long as the array that it moves: for large batches.

    r = adam's quotient + weight_decay p;  p - learning_rate r ||p|| / ||r||, for each array

    Optax does the same; its default decay is 0.

    Args:
      weight_decay: the fraction of the parameters that joins the step before it is given its length, which is what the
        method is. None for no decay.
      axes: as for `scale_by_trust_ratio`.
      learning_rate, b1, b2, eps, where, maximize: as for `adam`.

    Returns:
      A transformation that keeps `Moments`; its update needs `params`.

    References:
      You et al., 2020, Large Batch Optimization for Deep Learning: Training BERT in 76 minutes.
    """
    adam = track_moments(b1, b2), bias_correction(b1, b2), scale_by_moments(eps)
    stages = *adam, *decayed(weight_decay, where), scale_by_trust_ratio(axes=axes)
    return descend(stages, learning_rate, maximize=maximize)
