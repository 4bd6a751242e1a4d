"""Adan: Adam with Nesterov's momentum made of the differences of gradients."""

from __future__ import annotations

from typing import NamedTuple

import jax.numpy as jnp
from jax import Array

from gradtx.core import Fraction, GradientTransformation, LearningRate, Mask, NonNegative, leafwise, transformation
from gradtx.optimizers.common import descend
from gradtx.transforms.averages import correction, one_minus
from gradtx.transforms.numerics import average, bounded_square, real_zeros, root


class AdanState(NamedTuple):
    """Averages of gradients, of their changes and of squares, and the previous gradient: arrays of its shape."""

    first: Array
    change: Array
    second: Array
    last: Array
    age: Array | int = 0


@transformation
def scale_by_adan(
    b1: Fraction = 0.98, b2: Fraction = 0.92, b3: Fraction = 0.99, eps: NonNegative = 1e-8
) -> GradientTransformation:
    """The step of `adan` before the learning rate; arguments as there.

    Returns:
      A transformation that keeps an `AdanState`, four arrays per array, in float32 or wider.
    """
    return leafwise(
        _adan,
        _zeros,
        keeps=AdanState,
        eps=eps,
        one_minus_b1=one_minus(b1),
        one_minus_b2=one_minus(b2),
        one_minus_b3=one_minus(b3),
        correction1=correction(b1),
        correction2=correction(b2),
        correction3=correction(b3),
    )


def _zeros(p: Array) -> AdanState:
    return AdanState(jnp.zeros_like(p), jnp.zeros_like(p), real_zeros(p), jnp.zeros_like(p))


def _adan(
    g: Array,
    s: AdanState,
    p: None,
    eps: Array,
    one_minus_b1: Array,
    one_minus_b2: Array,
    one_minus_b3: Array,
    correction1: Array,
    correction2: Array,
    correction3: Array,
) -> tuple[Array, AdanState]:
    difference = jnp.where(s.age > 0, g - s.last, 0)
    s = s._replace(
        first=average(s.first, g, one_minus_b1),
        change=average(s.change, difference, one_minus_b2),
        second=average(s.second, bounded_square(g + (1 - one_minus_b2) * difference), one_minus_b3),
        last=g,
    )
    ahead = s.first / correction1 + (1 - one_minus_b2) * s.change / correction2
    return ahead / (root(s.second / correction3) + eps), s


@transformation
def adan(
    learning_rate: LearningRate,
    b1: Fraction = 0.98,
    b2: Fraction = 0.92,
    b3: Fraction = 0.99,
    eps: NonNegative = 1e-8,
    *,
    weight_decay: NonNegative | None = None,
    where: Mask | None = None,
    maximize: bool = False,
) -> GradientTransformation:
    """Adam with Nesterov's momentum made of the differences of gradients.

    p - learning_rate * (m / (1 - b1^t) + b2 v / (1 - b2^t)) / (sqrt(n / (1 - b3^t)) + eps), with averages m of g, v of
    d = g - last g and n of (g + b2 d)^2.

    The decays are those of the authors' code; the paper writes 1 - b for them. Optax takes the paper's 1 - b2 of the
    code's b2, 0.08 in the place of 0.92. The authors' code divides the parameters by 1 + learning_rate * weight_decay
    instead of decaying them.

    Args:
      b1: decay of the average of gradients.
      b2: decay of the average of differences, and their weight.
      b3: decay of the average of squares.
      learning_rate, eps, weight_decay, where, maximize: as for `adam`.

    Returns:
      A transformation that keeps an `AdanState`: four arrays per array.

    References:
      Xie et al., 2022, Adan: Adaptive Nesterov Momentum Algorithm for Faster Optimizing Deep Models.
    """
    return descend([scale_by_adan(b1, b2, b3, eps)], learning_rate, weight_decay, where, maximize)
