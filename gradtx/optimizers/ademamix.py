"""AdEMAMix: Adam with a second, far slower average of gradients."""

from __future__ import annotations

from typing import NamedTuple

import jax.numpy as jnp
from jax import Array

from gradtx.core import Fraction, GradientTransformation, LearningRate, Mask, NonNegative, leafwise, transformation
from gradtx.optimizers.common import descend
from gradtx.transforms.averages import correction, one_minus
from gradtx.transforms.numerics import average, bounded_square, real_zeros, root


class AdemamixState(NamedTuple):
    """First moments over a short and over a long time, and the second: arrays of a gradient's shape."""

    first: Array
    slow: Array
    second: Array
    age: Array | int = 0


@transformation
def scale_by_ademamix(
    b1: Fraction = 0.9,
    b2: Fraction = 0.999,
    b3: Fraction = 0.9999,
    alpha: NonNegative = 5.0,
    eps: NonNegative = 1e-8,
) -> GradientTransformation:
    """The step of `ademamix` before the learning rate; arguments as there.

    Returns:
      A transformation that keeps an `AdemamixState`, three arrays per array, in float32 or wider.
    """
    return leafwise(
        _ademamix,
        _zeros,
        keeps=AdemamixState,
        alpha=alpha,
        eps=eps,
        one_minus_b1=one_minus(b1),
        one_minus_b2=one_minus(b2),
        one_minus_b3=one_minus(b3),
        correction1=correction(b1),
        correction2=correction(b2),
    )


def _zeros(p: Array) -> AdemamixState:
    return AdemamixState(jnp.zeros_like(p), jnp.zeros_like(p), real_zeros(p))


def _ademamix(
    g: Array,
    s: AdemamixState,
    p: None,
    alpha: Array,
    eps: Array,
    one_minus_b1: Array,
    one_minus_b2: Array,
    one_minus_b3: Array,
    correction1: Array,
    correction2: Array,
) -> tuple[Array, AdemamixState]:
    s = s._replace(
        first=average(s.first, g, one_minus_b1),
        slow=average(s.slow, g, one_minus_b3),
        second=average(s.second, bounded_square(g), one_minus_b2),
    )
    return (s.first / correction1 + alpha * s.slow) / (root(s.second / correction2) + eps), s


@transformation
def ademamix(
    learning_rate: LearningRate,
    b1: Fraction = 0.9,
    b2: Fraction = 0.999,
    b3: Fraction = 0.9999,
    alpha: NonNegative = 5.0,
    eps: NonNegative = 1e-8,
    *,
    weight_decay: NonNegative | None = None,
    where: Mask | None = None,
    maximize: bool = False,
) -> GradientTransformation:
    """Adam with a second, far slower average of gradients.

    n = b3 n + (1 - b3) g;  (m / (1 - b1^t) + alpha n) / (sqrt(v / (1 - b2^t)) + eps) is Adam's quotient.

    Optax does the same. The paper lets b3 and alpha rise: give schedules.

    Args:
      b1: decay of the fast average. The paper's default, as are `b2`, `b3` and `alpha`.
      b2: decay of the squares.
      b3: decay of the slow average; in the paper a schedule that rises from b1.
      alpha: weight of the slow average; in the paper a line that rises from 0.
      learning_rate, eps, weight_decay, where, maximize: as for `adam`.

    Returns:
      A transformation that keeps an `AdemamixState`: three arrays per array.

    References:
      Pagliardini, Ablin and Grangier, 2024, The AdEMAMix Optimizer: Better, Faster, Older.
    """
    return descend([scale_by_ademamix(b1, b2, b3, alpha, eps)], learning_rate, weight_decay, where, maximize)
