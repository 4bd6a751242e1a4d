"""NAdam: Adam with Nesterov's momentum."""

from __future__ import annotations

from gradtx.core import Fraction, GradientTransformation, LearningRate, Mask, NonNegative, transformation
from gradtx.optimizers.common import descend
from gradtx.transforms.moments import bias_correction, scale_by_moments, track_nesterov_moments


@transformation
def nadam(
    learning_rate: LearningRate,
    b1: Fraction = 0.9,
    b2: Fraction = 0.999,
    eps: NonNegative = 1e-8,
    *,
    momentum_decay: NonNegative | None = None,
    weight_decay: NonNegative | None = None,
    where: Mask | None = None,
    maximize: bool = False,
) -> GradientTransformation:
    """Adam with Nesterov's momentum: the first moment as it will be one step ahead.

    b1 m / (1 - b1^(t+1)) + (1 - b1) g / (1 - b1^t) takes the place of m / (1 - b1^t).

    With a schedule for b1 the products of its values take the place of its powers, as in the paper. With a constant b1
    Optax does the same. PyTorch lets b1 follow 0.9 (1 - 0.96^(0.004 t) / 2) in the weights, and not in m.

    Args:
      b1: decay of the first moment; a schedule must be a function of the step alone.
      momentum_decay: let b1 rise in the weights as PyTorch does, with 0.004; None for the rule above.
      learning_rate, b2, eps, weight_decay, where, maximize: as for `adam`.

    Returns:
      A transformation that keeps `AgedMoments`.

    References:
      Dozat, 2016, Incorporating Nesterov Momentum into Adam.
    """
    stages = track_nesterov_moments(b1, b2, momentum_decay), bias_correction(b1, b2), scale_by_moments(eps)
    return descend(stages, learning_rate, weight_decay, where, maximize)


@transformation
def nadamw(
    learning_rate: LearningRate,
    b1: Fraction = 0.9,
    b2: Fraction = 0.999,
    eps: NonNegative = 1e-8,
    weight_decay: NonNegative | None = 0.01,
    *,
    where: Mask | None = None,
    maximize: bool = False,
) -> GradientTransformation:
    """NAdam with decoupled weight decay.

    p - learning_rate * (nadam's quotient + weight_decay p)

    Optax's default decay is 0.0001.

    Args:
      learning_rate, b1, b2, eps, weight_decay, where, maximize: as for `nadam`.

    Returns:
      A transformation that keeps `AgedMoments`, and whose update needs `params`.

    References:
      Dozat, 2016, Incorporating Nesterov Momentum into Adam.
      Loshchilov and Hutter, 2019, Decoupled Weight Decay Regularization.
    """
    stages = track_nesterov_moments(b1, b2), bias_correction(b1, b2), scale_by_moments(eps)
    return descend(stages, learning_rate, weight_decay, where, maximize)
