"""Methods that step from where they started, or keep an average of where they have been."""

from typing import NamedTuple

import jax
import jax.numpy as jnp

from gradtx.core import GradientTransformation, ScalarOrSchedule, leafwise, stepwise, transformation
from gradtx.core.checks import at_least, in_range
from gradtx.core.numerics import bounded, bounded_square, real_zeros

Array = jax.Array


class Madgrad(NamedTuple):
    """Weighted sums of gradients and of squares, and the first parameters; arrays of a parameter's shape."""

    gradient: Array
    square: Array
    origin: Array


@transformation
def scale_by_madgrad(
    learning_rate: ScalarOrSchedule, momentum: ScalarOrSchedule = 0.9, eps: ScalarOrSchedule = 1e-6
) -> GradientTransformation:
    """Dual averaging with cube roots. The whole step, uphill.

    With w = learning_rate sqrt(t):  s = s + w g,  v = v + w |g|^2, zero at first;
    z = p0 - s / (cbrt(v) + eps);  u = (1 - momentum)(p - z)

    Args:
      learning_rate: at least 0; a number or a schedule.
      momentum: how much of where p is stays, in [0, 1); a number or a schedule. 0.9 is the paper's.
      eps: keeps the quotient small where v is; at least 0.

    Returns:
      A transformation that keeps a `Madgrad`, three arrays per array; its update needs `params`.

    Raises:
      ValueError: if an argument is out of range.

    References:
      Defazio and Jelassi, 2021, Adaptivity without Compromise: A Momentumized, Adaptive, Dual Averaged Gradient Method
      for Stochastic Optimization.
    """
    in_range("learning_rate", learning_rate)
    in_range("momentum", momentum, 0.0, 1.0)
    in_range("eps", eps)
    weight = stepwise(_root_weight, learning_rate=learning_rate)
    return leafwise(
        _madgrad, _madgrad_init, keeps=Madgrad, needs=("params",), weight=weight, momentum=momentum, eps=eps
    )


def _root_weight(step: Array, learning_rate: Array) -> Array:
    return learning_rate * jnp.sqrt(step + 1.0)


def _madgrad_init(p: Array) -> Madgrad:
    return Madgrad(jnp.zeros_like(p), real_zeros(p), p)


def _madgrad(g: Array, s: Madgrad, p: Array, weight: Array, momentum: Array, eps: Array) -> tuple[Array, Madgrad]:
    gradient = s.gradient + weight * g
    square = bounded(s.square) + bounded(weight * bounded_square(g))
    tiny = jnp.finfo(square.dtype).tiny
    z = s.origin - gradient / (jnp.cbrt(jnp.maximum(square, tiny)) + eps)
    return (1 - momentum) * (p - z), Madgrad(gradient, square, s.origin)


@transformation
def track_average(start: int = 0) -> GradientTransformation:
    """Keep the mean of all parameters from a step on, as the last stage of a chain; updates pass.

    a = a + (p + u - a) / max(1, t - start),  t = 1, 2, ...; it is in the state as `average`.

    Args:
      start: how many steps are left out, at least 0; up to then the average is the last parameters.

    Returns:
      A transformation that keeps one array per array, float32 or wider; its update needs `params`.

    Raises:
      ValueError: if `start` is negative.

    References:
      Polyak and Juditsky, 1992, Acceleration of stochastic approximation by averaging.
    """
    at_least("start", start, 0)
    part = stepwise(_part, start=start)
    return leafwise(_track_average, _own, keeps="average", needs=("params",), part=part)


def _part(step: Array, start: int) -> Array:
    return 1 / jnp.maximum(step + 1.0 - start, 1.0)


def _own(p: Array) -> Array:
    return p


def _track_average(u: Array, a: Array, p: Array, part: Array) -> tuple[Array, Array]:
    return u, a + part * (p + u - a)
