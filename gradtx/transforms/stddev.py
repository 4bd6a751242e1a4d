"""Division by the standard deviation of recent updates."""

from __future__ import annotations

from typing import NamedTuple

import jax.numpy as jnp
from jax import Array

from gradtx.core import Fraction, GradientTransformation, NonNegative, leafwise, transformation
from gradtx.transforms.averages import one_minus
from gradtx.transforms.numerics import abs_square, average, bounded_square, real_zeros
from gradtx.transforms.rms import over_root


class StddevState(NamedTuple):
    """The averages of updates and of their squares: arrays of their shape. The second is real."""

    mean: Array
    square: Array


@transformation
def scale_by_stddev(
    decay: Fraction = 0.9, eps: NonNegative = 1e-8, *, eps_in_sqrt: bool = False
) -> GradientTransformation:
    """Divide by the standard deviation of recent updates, as the centered RMSProp does.

    m = decay m + (1 - decay) u,  s = decay s + (1 - decay) |u|^2, both zero at first;
    u / (sqrt(s - |m|^2) + eps)

    Args:
      decay: decay of both averages.
      eps: added to the deviation, so that the quotient stays small where it is.
      eps_in_sqrt: divide by sqrt(s - |m|^2 + eps) instead, as Optax does by default. PyTorch does as here.

    Returns:
      A transformation that keeps a `StddevState`, two arrays per array, in float32 or wider.

    References:
      Graves, 2013, Generating Sequences With Recurrent Neural Networks.
    """
    return leafwise(
        _scale_by_stddev,
        _zeros,
        keeps=StddevState,
        one_minus_decay=one_minus(decay),
        eps=eps,
        eps_in_sqrt=eps_in_sqrt,
    )


def _zeros(p: Array) -> StddevState:
    return StddevState(jnp.zeros_like(p), real_zeros(p))


def _scale_by_stddev(
    u: Array, s: StddevState, p: None, one_minus_decay: Array, eps: Array, eps_in_sqrt: bool
) -> tuple[Array, StddevState]:
    s = StddevState(average(s.mean, u, one_minus_decay), average(s.square, bounded_square(u), one_minus_decay))
    # Where all updates were alike the difference is rounding, which may be below zero; beyond 1e19 it is lost.
    square_of_mean = abs_square(s.mean)
    variance = jnp.where(jnp.isinf(square_of_mean), s.square, s.square - square_of_mean)
    return over_root(u, jnp.maximum(variance, 0), eps, eps_in_sqrt), s
