"""SM3: AdaGrad in the memory of one number for each row and column."""

from __future__ import annotations

import functools
from typing import Annotated, NamedTuple

import jax.numpy as jnp
from jax import Array

from gradtx.core import (
    Axes,
    Fraction,
    GradientTransformation,
    LearningRate,
    Mask,
    NonNegative,
    Range,
    ScalarOrSchedule,
    leafwise,
    transformation,
)
from gradtx.optimizers.common import descend
from gradtx.transforms.numerics import bounded, bounded_square, real_zeros, root


class Sm3State(NamedTuple):
    """The momentum, and a cover for each axis: a tuple of vectors, none for a scalar."""

    momentum: Array
    covers: tuple[Array, ...]


@transformation
def scale_by_sm3(
    b1: Fraction = 0.9,
    b2: Annotated[ScalarOrSchedule, Range(0, 1 + 1e-9)] = 1.0,
    eps: NonNegative = 1e-8,
    *,
    axes: Axes | None = None,
) -> GradientTransformation:
    """AdaGrad in the memory of one number for each row, column, ... of an array, with momentum.

    nu = b2 min(of the covers that a number lies in) + (1 - b2 or 1, where b2 = 1) |g|^2;  u = g / sqrt(nu + eps);
    each cover becomes the largest nu in it;  m = b1 m + (1 - b1) u, zero at first, is the new update.

    Args:
      b1: decay of the momentum.
      b2: decay of the covers, up to 1, where squares add up, as in the paper.
      eps: added inside the root, so that the quotient stays small where nu is.
      axes: what the axes of arrays are, as for `muon`: a matrix has covers for its inputs and its outputs. By default
        every axis of an array has covers.

    Returns:
      A transformation that keeps an `Sm3State`: one array for the momentum, and a vector for each axis.

    References:
      Anil, Gupta, Koren and Singer, 2019, Memory-Efficient Adaptive Optimization.
    """
    return leafwise(_sm3, _zeros, keeps=Sm3State, axes=axes, b1=b1, b2=b2, eps=eps)


def _zeros(p: Array) -> Sm3State:
    square = real_zeros(p)
    return Sm3State(jnp.zeros_like(p), tuple(square.sum(_others(p.ndim, axis)) for axis in range(max(p.ndim, 1))))


def _others(ndim: int, axis: int) -> tuple[int, ...]:
    return tuple(other for other in range(ndim) if other != axis)


def _sm3(g: Array, s: Sm3State, p: None, b1: Array, b2: Array, eps: Array) -> tuple[Array, Sm3State]:
    spread = [jnp.expand_dims(cover, _others(g.ndim, axis)) for axis, cover in enumerate(s.covers)]
    least = functools.reduce(jnp.minimum, spread)
    nu = b2 * bounded(least) + jnp.where(b2 < 1, 1 - b2, 1) * bounded_square(g)
    covers = tuple(jnp.max(nu, axis=_others(g.ndim, axis), initial=0) for axis in range(max(g.ndim, 1)))
    momentum = b1 * s.momentum + (1 - b1) * (g / root(nu + eps))
    return momentum, Sm3State(momentum, covers)


@transformation
def sm3(
    learning_rate: LearningRate,
    momentum: Fraction = 0.9,
    *,
    axes: Axes | None = None,
    weight_decay: NonNegative | None = None,
    where: Mask | None = None,
    maximize: bool = False,
) -> GradientTransformation:
    """AdaGrad in the memory of one number for each row and column, with momentum.

    m = momentum m + (1 - momentum) g / sqrt(nu + 1e-8);  p - learning_rate m, with nu the least of the row's and the
    column's largest, plus g^2, as in `scale_by_sm3`.

    Optax does the same; the paper has no eps.

    Args:
      momentum: decay of the momentum.
      axes: as for `scale_by_sm3`.
      learning_rate, weight_decay, where, maximize: as for `adam`.

    Returns:
      A transformation that keeps an `Sm3State`.

    References:
      Anil, Gupta, Koren and Singer, 2019, Memory-Efficient Adaptive Optimization.
    """
    return descend([scale_by_sm3(momentum, axes=axes)], learning_rate, weight_decay, where, maximize)
