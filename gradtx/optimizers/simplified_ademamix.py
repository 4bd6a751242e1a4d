"""Simplified AdEMAMix: one slow momentum, and the gradient itself."""

from __future__ import annotations

from jax import Array

from gradtx.core import Fraction, GradientTransformation, LearningRate, Mask, NonNegative, leafwise, transformation
from gradtx.optimizers.common import descend
from gradtx.transforms.averages import correction, one_minus
from gradtx.transforms.moments import AgedMoments, zero_aged_moments
from gradtx.transforms.numerics import average, bounded_square, root


@transformation
def scale_by_simplified_ademamix(
    b1: Fraction = 0.99, b2: Fraction = 0.95, alpha: NonNegative = 0.0, eps: NonNegative = 1e-8
) -> GradientTransformation:
    """The step of `simplified_ademamix` before the learning rate; arguments as there.

    Returns:
      A transformation that keeps `AgedMoments`, in float32 or wider.
    """
    return leafwise(
        _simplified_ademamix,
        zero_aged_moments,
        keeps=AgedMoments,
        b1=b1,
        one_minus_b2=one_minus(b2),
        correction2=correction(b2),
        alpha=alpha,
        eps=eps,
    )


def _simplified_ademamix(
    g: Array, s: AgedMoments, p: None, b1: Array, one_minus_b2: Array, correction2: Array, alpha: Array, eps: Array
) -> tuple[Array, AgedMoments]:
    s = AgedMoments(b1 * s.first + g, average(s.second, bounded_square(g), one_minus_b2), s.age)
    below = root(s.second / correction2) + eps
    return alpha * (g / below) + s.first / below, s


@transformation
def simplified_ademamix(
    learning_rate: LearningRate,
    b1: Fraction = 0.99,
    b2: Fraction = 0.95,
    alpha: NonNegative = 0.0,
    eps: NonNegative = 1e-8,
    *,
    weight_decay: NonNegative | None = None,
    where: Mask | None = None,
    maximize: bool = False,
) -> GradientTransformation:
    """AdEMAMix with one slow momentum and the gradient itself.

    m = b1 m + g;  p - learning_rate * (alpha g + m) / (sqrt(v / (1 - b2^t)) + eps)

    The momentum is a sum, which makes the step 1 / (1 - b1) times as long as Adam's: use a smaller learning rate.
    Optax does the same.

    Args:
      b1: the fraction of the momentum that is left after a step.
      b2: decay of the squares.
      alpha: weight of the gradient.
      learning_rate, eps, weight_decay, where, maximize: as for `adam`.

    Returns:
      A transformation that keeps `AgedMoments`: two arrays per array, in float32 or wider.

    References:
      Morwani et al., 2025, Connections between Schedule-Free Optimizers, AdEMAMix, and Accelerated SGD Variants.
    """
    return descend([scale_by_simplified_ademamix(b1, b2, alpha, eps)], learning_rate, weight_decay, where, maximize)
