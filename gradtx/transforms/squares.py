"""Stages that divide by the root of gathered squares."""

from typing import NamedTuple

import jax
import jax.numpy as jnp

from gradtx.core import GradientTransformation, ScalarOrSchedule, leafwise, transformation
from gradtx.core.checks import in_range
from gradtx.core.numerics import abs_square, average, bounded, bounded_square, real_zeros, root
from gradtx.transforms.averages import complement, correction

Array = jax.Array


@transformation
def scale_by_rms(
    decay: ScalarOrSchedule = 0.9,
    eps: ScalarOrSchedule = 1e-8,
    *,
    eps_in_sqrt: bool = False,
    bias_correction: bool = False,
) -> GradientTransformation:
    """Divide by the root of an average of squares, as RMSProp does.

    s = decay * s + (1 - decay) |u|^2, zero at first;  u / (sqrt(s) + eps)

    Args:
      decay: decay of the average, in [0, 1); 0.9 is the lecture's, PyTorch's is 0.99. A number or a schedule.
      eps: keeps the quotient small where s is; at least 0.
      eps_in_sqrt: divide by sqrt(s + eps) instead, as Optax does unless told otherwise.
      bias_correction: take s / (1 - decay^t) for s, since it began at zero.

    Returns:
      A transformation that keeps one real array per array, float32 or wider.

    Raises:
      ValueError: if an argument is out of range.

    References:
      Tieleman and Hinton, 2012, Lecture 6.5: RMSProp.
    """
    in_range("decay", decay, 0.0, 1.0)
    in_range("eps", eps)
    weight = correction(decay) if bias_correction else 1.0
    rate = complement(decay)
    return leafwise(
        _scale_by_rms, real_zeros, keeps="square", rate=rate, weight=weight, eps=eps, eps_in_sqrt=eps_in_sqrt
    )


def _scale_by_rms(
    u: Array, square: Array, p: None, rate: Array, weight: Array, eps: Array, eps_in_sqrt: bool
) -> tuple[Array, Array]:
    square = average(square, bounded_square(u), rate)
    return _by_root(u, square / weight, eps, eps_in_sqrt), square


def _by_root(u: Array, square: Array, eps: Array, eps_in_sqrt: bool) -> Array:
    if eps_in_sqrt:
        return u / root(square + eps)
    return u / (root(square) + eps)


@transformation
def scale_by_rss(
    initial_accumulator_value: ScalarOrSchedule = 0.0, eps: ScalarOrSchedule = 1e-8, *, eps_in_sqrt: bool = False
) -> GradientTransformation:
    """Divide by the root of the sum of all squares so far, as AdaGrad does.

    s = s + |u|^2;  u / (sqrt(s) + eps)

    Args:
      initial_accumulator_value: s at first, at least 0. The paper's and PyTorch's is 0, Optax's 0.1.
      eps: keeps the quotient small where s is; at least 0. Optax's is 1e-7.
      eps_in_sqrt: divide by sqrt(s + eps) instead, as Optax does.

    Returns:
      A transformation that keeps one real array per array, float32 or wider.

    Raises:
      ValueError: if an argument is out of range.

    References:
      Duchi, Hazan and Singer, 2011, Adaptive Subgradient Methods for Online Learning and Stochastic Optimization.
    """
    in_range("initial_accumulator_value", initial_accumulator_value)
    in_range("eps", eps)
    return leafwise(
        _scale_by_rss, real_zeros, keeps="square", first=initial_accumulator_value, eps=eps, eps_in_sqrt=eps_in_sqrt
    )


def _scale_by_rss(u: Array, square: Array, p: None, first: Array, eps: Array, eps_in_sqrt: bool) -> tuple[Array, Array]:
    # The first value is a hyperparameter like any other, so it is added here and the state begins at zero.
    square = bounded(square) + bounded_square(u)
    return _by_root(u, square + first, eps, eps_in_sqrt), square


class Spread(NamedTuple):
    """An average and the average of squares beside it, arrays of a gradient's shape; the second is real."""

    mean: Array
    square: Array


@transformation
def scale_by_stddev(
    decay: ScalarOrSchedule = 0.9, eps: ScalarOrSchedule = 1e-8, *, eps_in_sqrt: bool = False
) -> GradientTransformation:
    """Divide by the standard deviation that recent updates had, as the centered RMSProp does.

    m = decay m + (1 - decay) u,  s = decay s + (1 - decay) |u|^2, both zero at first;
    u / (sqrt(s - |m|^2) + eps)

    Args:
      decay: decay of both averages, in [0, 1); a number or a schedule.
      eps: keeps the quotient small where the deviation is; at least 0.
      eps_in_sqrt: divide by sqrt(s - |m|^2 + eps) instead, as Optax does unless told otherwise. PyTorch does as here.

    Returns:
      A transformation that keeps a `Spread`, two arrays per array, float32 or wider.

    Raises:
      ValueError: if an argument is out of range.

    References:
      Graves, 2013, Generating Sequences With Recurrent Neural Networks.
    """
    in_range("decay", decay, 0.0, 1.0)
    in_range("eps", eps)
    return leafwise(
        _scale_by_stddev, _no_spread, keeps=Spread, rate=complement(decay), eps=eps, eps_in_sqrt=eps_in_sqrt
    )


def _no_spread(p: Array) -> Spread:
    return Spread(jnp.zeros_like(p), real_zeros(p))


def _scale_by_stddev(u: Array, s: Spread, p: None, rate: Array, eps: Array, eps_in_sqrt: bool) -> tuple[Array, Spread]:
    s = Spread(average(s.mean, u, rate), average(s.square, bounded_square(u), rate))
    # Where all updates were alike the difference is rounding, which may be below zero; beyond 1e19 there is none left.
    of_mean = abs_square(s.mean)
    spread = jnp.where(jnp.isinf(of_mean), s.square, s.square - of_mean)
    return _by_root(u, jnp.maximum(spread, 0), eps, eps_in_sqrt), s


class Squares(NamedTuple):
    """Averages of squares, of gradients and of steps, real arrays of a gradient's shape."""

    gradient: Array
    step: Array


@transformation
def scale_by_adadelta(rho: ScalarOrSchedule = 0.9, eps: ScalarOrSchedule = 1e-6) -> GradientTransformation:
    """Divide by the size of recent gradients, multiply by that of recent steps.

    s = rho s + (1 - rho) |g|^2,  u = g sqrt(x + eps) / sqrt(s + eps),  then x = rho x + (1 - rho) |u|^2, zero at first

    Args:
      rho: decay of both averages, in [0, 1); a number or a schedule. 0.9 is PyTorch's and Optax's, 0.95 the paper's.
      eps: starts the steps, above 0; a number or a schedule.

    Returns:
      A transformation that keeps `Squares`, two real arrays per array, float32 or wider.

    Raises:
      ValueError: if an argument is out of range.

    References:
      Zeiler, 2012, ADADELTA: An Adaptive Learning Rate Method.
    """
    in_range("rho", rho, 0.0, 1.0)
    in_range("eps", eps)
    return leafwise(_adadelta, _no_squares, keeps=Squares, rate=complement(rho), eps=eps)


def _no_squares(p: Array) -> Squares:
    return Squares(real_zeros(p), real_zeros(p))


def _adadelta(g: Array, s: Squares, p: None, rate: Array, eps: Array) -> tuple[Array, Squares]:
    gradient = average(s.gradient, bounded_square(g), rate)
    u = g * (root(s.step + eps) / root(gradient + eps))
    return u, Squares(gradient, average(s.step, bounded_square(u), rate))
