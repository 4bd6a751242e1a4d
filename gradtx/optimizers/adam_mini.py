"""Adam-mini: Adam with one second moment for each array."""

from __future__ import annotations

import jax.numpy as jnp
from jax import Array

from gradtx.core import (
    Axes,
    Fraction,
    GradientTransformation,
    LearningRate,
    Mask,
    NonNegative,
    leafwise,
    transformation,
)
from gradtx.optimizers.common import descend
from gradtx.transforms.averages import one_minus
from gradtx.transforms.moments import Moments, bias_correction, scale_by_moments
from gradtx.transforms.numerics import average, bounded_square, rms


@transformation
def track_mini_moments(b1: Fraction = 0.9, b2: Fraction = 0.999, *, axes: Axes | None = None) -> GradientTransformation:
    """Track the first moment of every number, and one second moment for each array: half of Adam's memory.

    m = b1 m + (1 - b1) g,  v = b2 v + (1 - b2) mean(|g|^2), both zero at first.

    Args:
      b1: decay of the first moment.
      b2: decay of the second moment.
      axes: as for `adam_mini`.

    Returns:
      A transformation that takes arrays and gives `Moments`, the second a scalar; it keeps them, in float32 or wider.

    References:
      Zhang et al., 2024, Adam-mini: Use Fewer Learning Rates To Gain More.
    """
    return leafwise(
        _track_mini,
        _zeros,
        keeps=Moments,
        gives=Moments,
        axes=axes,
        one_minus_b1=one_minus(b1),
        one_minus_b2=one_minus(b2),
    )


def _zeros(p: Array) -> Moments:
    return Moments(jnp.zeros_like(p), jnp.zeros((), p.real.dtype))


def _track_mini(g: Array, s: Moments, p: None, one_minus_b1: Array, one_minus_b2: Array) -> tuple[Moments, Moments]:
    s = Moments(average(s.first, g, one_minus_b1), average(s.second, bounded_square(rms(g)), one_minus_b2))
    return s, s


@transformation
def adam_mini(
    learning_rate: LearningRate,
    b1: Fraction = 0.9,
    b2: Fraction = 0.999,
    eps: NonNegative = 1e-8,
    *,
    axes: Axes | None = None,
    weight_decay: NonNegative | None = None,
    where: Mask | None = None,
    maximize: bool = False,
) -> GradientTransformation:
    """Adam with one second moment for each array: half the memory.

    v = b2 v + (1 - b2) mean(g^2), one number for an array, takes the place of v.

    The paper divides most arrays further, and says where with `axes`: queries and keys by heads ("i 12o", for twelve of
    them), embeddings by tokens ("b o"), and all other matrices by output neurons ("i b").

    Args:
      axes: what the axes of arrays are, as for `muon`: each matrix has one of its own. By default each array
        does.
      learning_rate, b1, b2, eps, weight_decay, where, maximize: as for `adam`.

    Returns:
      A transformation that keeps `Moments`, the second of which is one number per array.

    References:
      Zhang et al., 2024, Adam-mini: Use Fewer Learning Rates To Gain More.
    """
    stages = track_mini_moments(b1, b2, axes=axes), bias_correction(b1, b2), scale_by_moments(eps)
    return descend(stages, learning_rate, weight_decay, where, maximize)
