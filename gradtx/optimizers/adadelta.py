"""AdaDelta: gradients over their recent size, times the recent size of steps."""

from __future__ import annotations

from typing import NamedTuple

from jax import Array

from gradtx.core import (
    Fraction,
    GradientTransformation,
    LearningRate,
    Mask,
    NonNegative,
    Positive,
    leafwise,
    transformation,
)
from gradtx.optimizers.common import descend
from gradtx.transforms.averages import one_minus
from gradtx.transforms.numerics import average, bounded_square, real_zeros, root


class AdadeltaState(NamedTuple):
    """Averages of squares, of gradients and of steps: real arrays of a gradient's shape."""

    gradient: Array
    step: Array


@transformation
def scale_by_adadelta(rho: Fraction = 0.9, eps: Positive = 1e-6) -> GradientTransformation:
    """The step of `adadelta` before the learning rate; arguments as there.

    Returns:
      A transformation that keeps an `AdadeltaState`, two real arrays per array, in float32 or wider.
    """
    return leafwise(_adadelta, _zeros, keeps=AdadeltaState, one_minus_rho=one_minus(rho), eps=eps)


def _zeros(p: Array) -> AdadeltaState:
    return AdadeltaState(real_zeros(p), real_zeros(p))


def _adadelta(g: Array, s: AdadeltaState, p: None, one_minus_rho: Array, eps: Array) -> tuple[Array, AdadeltaState]:
    gradient = average(s.gradient, bounded_square(g), one_minus_rho)
    u = g * (root(s.step + eps) / root(gradient + eps))
    return u, AdadeltaState(gradient, average(s.step, bounded_square(u), one_minus_rho))


@transformation
def adadelta(
    learning_rate: LearningRate,
    rho: Fraction = 0.9,
    eps: Positive = 1e-6,
    *,
    weight_decay: NonNegative | None = None,
    where: Mask | None = None,
    maximize: bool = False,
) -> GradientTransformation:
    """Descend by gradients over their recent size, times the recent size of steps.

    u = g sqrt(x + eps) / sqrt(s + eps), with s and x the averages of g^2 and u^2;  p - learning_rate u

    Args:
      learning_rate: a factor of the step; 1 in the paper.
      rho: decay of both averages; 0.9 is PyTorch's and Optax's, 0.95 the paper's.
      eps: starts the steps.
      weight_decay, where, maximize: as for `adam`.

    Returns:
      A transformation that keeps an `AdadeltaState`: two real arrays per array.

    References:
      Zeiler, 2012, ADADELTA: An Adaptive Learning Rate Method.
    """
    return descend([scale_by_adadelta(rho, eps)], learning_rate, weight_decay, where, maximize)
