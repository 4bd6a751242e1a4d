"""Yogi: Adam whose second moment changes by no more than the last square."""

from __future__ import annotations

import functools
from typing import Annotated

import jax.numpy as jnp
from jax import Array

from gradtx.core import (
    Fraction,
    GradientTransformation,
    LearningRate,
    Mask,
    NonNegative,
    Range,
    chain,
    leafwise,
    transformation,
)
from gradtx.optimizers.common import descend
from gradtx.transforms.averages import one_minus
from gradtx.transforms.moments import Moments, bias_correction, scale_by_moments
from gradtx.transforms.numerics import average, bounded_square

FirstValue = Annotated[float, Range(0)]


@transformation
def track_yogi(
    b1: Fraction = 0.9, b2: Fraction = 0.999, initial_accumulator_value: FirstValue = 1e-6
) -> GradientTransformation:
    """Track moments, the second of which changes by at most the last square, whatever it was before.

    m = b1 m + (1 - b1) g, zero at first;  v = v - (1 - b2) sign(v - |g|^2) |g|^2

    Args:
      b1: decay of the first moment.
      b2: how slowly v changes: by at most the fraction 1 - b2 of the last square.
      initial_accumulator_value: v at first. Optax begins m with it too.

    Returns:
      A transformation that takes arrays and gives `Moments`; it keeps `Moments`, in float32 or wider.

    References:
      Zaheer et al., 2018, Adaptive Methods for Nonconvex Optimization.
    """
    return leafwise(
        _track_yogi,
        functools.partial(_first_moments, initial_accumulator_value),
        keeps=Moments,
        gives=Moments,
        one_minus_b1=one_minus(b1),
        one_minus_b2=one_minus(b2),
    )


def _first_moments(value: float, p: Array) -> Moments:
    return Moments(jnp.zeros_like(p), jnp.full_like(p.real, value))


def _track_yogi(g: Array, s: Moments, p: None, one_minus_b1: Array, one_minus_b2: Array) -> tuple[Moments, Moments]:
    square = bounded_square(g)
    second = s.second - one_minus_b2 * jnp.sign(s.second - square) * square
    s = Moments(average(s.first, g, one_minus_b1), second)
    return s, s


@transformation
def scale_by_yogi(
    b1: Fraction = 0.9,
    b2: Fraction = 0.999,
    eps: NonNegative = 1e-3,
    eps_root: NonNegative | None = None,
    initial_accumulator_value: FirstValue = 1e-6,
) -> GradientTransformation:
    """Yogi's quotient with its bias corrected, as Optax has it.

    As `scale_by_adam`, with v = v - (1 - b2) sign(v - |g|^2) |g|^2. The optimizer `yogi` corrects no bias, as the paper
    does not; Optax begins m with `initial_accumulator_value` too.

    Args:
      b1, b2, initial_accumulator_value: as for `track_yogi`.
      eps, eps_root: as for `scale_by_adam`.

    Returns:
      A transformation that keeps `Moments`, under the names of its stages.

    References:
      Zaheer et al., 2018, Adaptive Methods for Nonconvex Optimization.
    """
    tracked = track_yogi(b1, b2, initial_accumulator_value)
    return chain(tracked, bias_correction(b1, b2), scale_by_moments(eps, eps_root))


@transformation
def yogi(
    learning_rate: LearningRate,
    b1: Fraction = 0.9,
    b2: Fraction = 0.999,
    eps: NonNegative = 1e-3,
    *,
    weight_decay: NonNegative | None = None,
    where: Mask | None = None,
    maximize: bool = False,
) -> GradientTransformation:
    """Adam whose second moment changes by no more than the last square.

    v = v - (1 - b2) sign(v - g^2) g^2, 1e-6 at first, takes the place of v.

    The paper corrects no bias, and the first steps are short. Optax does: put `bias_correction(b1, b2)` between the
    two stages; it begins m at 1e-6, too.

    Args:
      learning_rate: the length of a step; 0.01 in the paper.
      b1, b2, eps, weight_decay, where, maximize: as for `adam`.

    Returns:
      A transformation that keeps `Moments`: two arrays per array, in float32 or wider.

    References:
      Zaheer et al., 2018, Adaptive Methods for Nonconvex Optimization.
    """
    return descend([track_yogi(b1, b2), scale_by_moments(eps)], learning_rate, weight_decay, where, maximize)
