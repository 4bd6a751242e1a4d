"""MADGRAD: dual averaging with cube roots and momentum."""

from __future__ import annotations

from typing import NamedTuple

import jax.numpy as jnp
from jax import Array

from gradtx.core import (
    Fraction,
    GradientTransformation,
    LearningRate,
    Mask,
    NonNegative,
    leafwise,
    stepwise,
    transformation,
)
from gradtx.optimizers.common import descend_by
from gradtx.transforms.numerics import bounded, bounded_square, real_zeros


class MadgradState(NamedTuple):
    """Weighted sums of gradients and of squares, and the first parameters: arrays of a parameter's shape."""

    gradient: Array
    square: Array
    origin: Array
    age: Array | int = 0


@transformation
def scale_by_madgrad(
    learning_rate: LearningRate, momentum: Fraction = 0.9, eps: NonNegative = 1e-6
) -> GradientTransformation:
    """The whole step of `madgrad`, uphill; arguments as there.

    Returns:
      A transformation that keeps a `MadgradState`, three arrays per array; its update needs `params`.
    """
    weight = stepwise(_weight, needs=("age",), learning_rate=learning_rate)
    return leafwise(_madgrad, _first, keeps=MadgradState, needs=("params",), weight=weight, momentum=momentum, eps=eps)


def _weight(step: Array, age: Array, learning_rate: Array) -> Array:
    return learning_rate * jnp.sqrt(age + 1.0)


def _first(p: Array) -> MadgradState:
    return MadgradState(jnp.zeros_like(p), real_zeros(p), p)


def _madgrad(
    g: Array, s: MadgradState, p: Array, weight: Array, momentum: Array, eps: Array
) -> tuple[Array, MadgradState]:
    gradient = s.gradient + weight * g
    square = bounded(s.square) + bounded(weight * bounded_square(g))
    tiny = jnp.finfo(square.dtype).tiny
    z = s.origin - gradient / (jnp.cbrt(jnp.maximum(square, tiny)) + eps)
    return (1 - momentum) * (p - z), s._replace(gradient=gradient, square=square)


@transformation
def madgrad(
    learning_rate: LearningRate,
    momentum: Fraction = 0.9,
    eps: NonNegative = 1e-6,
    *,
    weight_decay: NonNegative | None = None,
    where: Mask | None = None,
    maximize: bool = False,
) -> GradientTransformation:
    """Dual averaging with cube roots and momentum.

    s = s + w g,  v = v + w g^2,  w = learning_rate sqrt(t);  p + (1 - momentum)(p0 - s / (cbrt(v) + eps) - p)

    The authors' code and Optax use learning_rate + eps for the rate, and add an L2 penalty to the gradient for weight
    decay: put `add_decayed_weights` before it in a chain.

    Args:
      momentum: how much of where p is stays. The paper's default, as is `eps`.
      eps: added to the cube root, so that the quotient stays small where v is.
      learning_rate, weight_decay, where, maximize: as for `adam`.

    Returns:
      A transformation that keeps a `MadgradState`: three arrays per array; its update needs `params`.

    References:
      Defazio and Jelassi, 2021, Adaptivity without Compromise: A Momentumized, Adaptive, Dual Averaged Gradient Method
      for Stochastic Optimization.
    """
    step = scale_by_madgrad(learning_rate, momentum, eps)
    return descend_by(step, learning_rate, weight_decay, where, maximize)
