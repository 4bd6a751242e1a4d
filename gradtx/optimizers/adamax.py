"""AdaMax: Adam over the largest of recent gradients."""

from __future__ import annotations

import jax.numpy as jnp
from jax import Array

from gradtx.core import Fraction, GradientTransformation, LearningRate, Mask, NonNegative, leafwise, transformation
from gradtx.optimizers.common import descend
from gradtx.transforms.averages import correction, one_minus
from gradtx.transforms.moments import AgedMoments, zero_aged_moments
from gradtx.transforms.numerics import average


@transformation
def scale_by_adamax(b1: Fraction = 0.9, b2: Fraction = 0.999, eps: NonNegative = 1e-8) -> GradientTransformation:
    """The step of `adamax` before the learning rate; arguments as there.

    Returns:
      A transformation that keeps `AgedMoments`, the second of which is v, in float32 or wider.
    """
    return leafwise(
        _adamax,
        zero_aged_moments,
        keeps=AgedMoments,
        one_minus_b1=one_minus(b1),
        one_minus_b2=one_minus(b2),
        correction1=correction(b1),
        eps=eps,
    )


def _adamax(
    g: Array, s: AgedMoments, p: None, one_minus_b1: Array, one_minus_b2: Array, correction1: Array, eps: Array
) -> tuple[Array, AgedMoments]:
    # Far above the least of numbers, because XLA may multiply the two denominators first.
    least = jnp.sqrt(jnp.finfo(s.second.dtype).tiny)
    largest = jnp.maximum(s.second - one_minus_b2 * s.second, jnp.abs(g) + eps)
    s = AgedMoments(average(s.first, g, one_minus_b1), largest, s.age)
    return s.first / correction1 / jnp.maximum(largest, least), s


@transformation
def adamax(
    learning_rate: LearningRate,
    b1: Fraction = 0.9,
    b2: Fraction = 0.999,
    eps: NonNegative = 1e-8,
    *,
    weight_decay: NonNegative | None = None,
    where: Mask | None = None,
    maximize: bool = False,
) -> GradientTransformation:
    """Adam over the largest of recent gradients, instead of the root of their mean square.

    m = b1 m + (1 - b1) g,  v = max(b2 v, |g| + eps);  p - learning_rate * m / (1 - b1^t) / v

    Args:
      learning_rate: the length of a step; 0.002 in the paper.
      b1: decay of the first moment.
      b2: decay of the largest gradient, so that old ones count less.
      eps: keeps v from zero. It stands where PyTorch and Optax have it; the paper has none.
      weight_decay, where, maximize: as for `adam`.

    Returns:
      A transformation that keeps `AgedMoments`: two arrays per array, in float32 or wider.

    References:
      Kingma and Ba, 2014, Adam: A Method for Stochastic Optimization (section 7.1).
    """
    return descend([scale_by_adamax(b1, b2, eps)], learning_rate, weight_decay, where, maximize)


@transformation
def adamaxw(
    learning_rate: LearningRate,
    b1: Fraction = 0.9,
    b2: Fraction = 0.999,
    eps: NonNegative = 1e-8,
    weight_decay: NonNegative | None = 0.01,
    *,
    where: Mask | None = None,
    maximize: bool = False,
) -> GradientTransformation:
    """AdaMax with decoupled weight decay.

    p - learning_rate * (adamax's quotient + weight_decay p)

    Optax's default decay is 0.0001.

    Args:
      learning_rate, b1, b2, eps, weight_decay, where, maximize: as for `adamax`.

    Returns:
      A transformation that keeps `AgedMoments`: two arrays per array, in float32 or wider.

    References:
      Kingma and Ba, 2014, Adam: A Method for Stochastic Optimization (section 7.1).
      Loshchilov and Hutter, 2019, Decoupled Weight Decay Regularization.
    """
    return descend([scale_by_adamax(b1, b2, eps)], learning_rate, weight_decay, where, maximize)
