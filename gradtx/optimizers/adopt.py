"""ADOPT: Adam that divides by the second moment of the previous step."""

from __future__ import annotations

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
from gradtx.optimizers.common import descend
from gradtx.transforms.averages import one_minus
from gradtx.transforms.moments import AgedMoments, zero_aged_moments
from gradtx.transforms.numerics import average, bounded_square, root


@transformation
def scale_by_adopt(
    b1: Fraction = 0.9, b2: Fraction = 0.9999, eps: NonNegative = 1e-6, clip: bool = True
) -> GradientTransformation:
    """The step of `adopt` before the learning rate; arguments as there.

    Args:
      clip: bound the quotients, as the authors came to recommend.

    Returns:
      A transformation that keeps `AgedMoments`, in float32 or wider.
    """
    return leafwise(
        _adopt,
        zero_aged_moments,
        keeps=AgedMoments,
        eps=eps,
        bound=stepwise(_fourth_root, needs=("age",)),
        clip=clip,
        one_minus_b1=one_minus(b1),
        one_minus_b2=one_minus(b2),
    )


def _fourth_root(step: Array, age: Array) -> Array:
    return jnp.maximum(age, 1.0) ** 0.25


def _adopt(
    g: Array, s: AgedMoments, p: None, eps: Array, bound: Array, clip: bool, one_minus_b1: Array, one_minus_b2: Array
) -> tuple[Array, AgedMoments]:
    quotient = g / jnp.maximum(root(s.second), eps)
    if clip:
        size = jnp.abs(quotient)
        quotient = jnp.where(size > bound, bound * (g / jnp.where(size > bound, jnp.abs(g), 1)), quotient)
    square = bounded_square(g)
    first = jnp.where(s.age > 0, average(s.first, quotient, one_minus_b1), s.first)
    second = jnp.where(s.age > 0, average(s.second, square, one_minus_b2), square)
    return jnp.where(jnp.isfinite(g), first, g), AgedMoments(first, second, s.age)


@transformation
def adopt(
    learning_rate: LearningRate,
    b1: Fraction = 0.9,
    b2: Fraction = 0.9999,
    eps: NonNegative = 1e-6,
    *,
    weight_decay: NonNegative | None = None,
    where: Mask | None = None,
    maximize: bool = False,
) -> GradientTransformation:
    """Adam that divides by the second moment of the previous step: it converges whatever b2 is.

    The first gradient only begins v = g^2. Then q = g / max(sqrt(v), eps), bounded by t^(1/4);
    m = b1 m + (1 - b1) q;  p - learning_rate * m;  v = b2 v + (1 - b2) g^2

    The first step does not decay parameters either, as in the authors' code. Optax has no weight decay.

    Args:
      b1: decay of the average. The paper's default, as are `b2` and `eps`.
      b2: decay of the squares.
      eps: the least root to divide by.
      learning_rate, weight_decay, where, maximize: as for `adam`.

    Returns:
      A transformation that keeps `AgedMoments`: two arrays per array, in float32 or wider.

    References:
      Taniguchi et al., 2024, ADOPT: Modified Adam Can Converge with Any b2 with the Optimal Rate.
    """
    later = None if weight_decay is None else stepwise(_after_the_first, needs=("age",), weight_decay=weight_decay)
    return descend([scale_by_adopt(b1, b2, eps)], learning_rate, later, where, maximize)


def _after_the_first(step: Array, age: Array, weight_decay: Array) -> Array:
    return jnp.where(age > 0, weight_decay, 0.0)
