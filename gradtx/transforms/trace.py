"""Momentum: updates gathered in a velocity."""

from __future__ import annotations

from typing import Annotated

import jax.numpy as jnp
from jax import Array

from gradtx.core import (
    Fraction,
    GradientTransformation,
    Range,
    ScalarOrSchedule,
    leafwise,
    stepwise,
    transformation,
)

Remains = Annotated[ScalarOrSchedule, Range(0, 1, closed_high=True)]


@transformation
def trace(decay: Remains, nesterov: bool = False, *, dampening: Fraction | None = None) -> GradientTransformation:
    """Gather updates in a velocity, which replaces them.

    v = decay * v + (1 - dampening) u, zero at first; the new update is v, with Nesterov's momentum u + decay * v.

    Args:
      decay: the fraction of the velocity that is left after a step; at 1 the velocity is the sum of all updates.
      nesterov: look one step ahead.
      dampening: the fraction of each update that is kept out of the velocity; None for none. As in PyTorch, the first
        update enters whole. Optax has no dampening.

    Returns:
      A transformation that keeps one velocity per array, in float32 or wider.

    References:
      Polyak, 1964, Some methods of speeding up the convergence of iteration methods.
      Sutskever et al., 2013, On the importance of initialization and momentum in deep learning.
    """
    if dampening is None:
        return leafwise(_trace, keeps="velocity", decay=decay, nesterov=nesterov)
    fraction = stepwise(_fraction, needs=("age",), dampening=dampening)
    return leafwise(_damped_trace, keeps="velocity", decay=decay, nesterov=nesterov, fraction=fraction)


def _fraction(step: Array, age: Array, dampening: Array) -> Array:
    return jnp.where(age == 0, 1.0, 1.0 - dampening)


def _trace(u: Array, velocity: Array, p: None, decay: Array, nesterov: bool) -> tuple[Array, Array]:
    velocity = decay * velocity + u
    return (u + decay * velocity if nesterov else velocity), velocity


def _damped_trace(
    u: Array, velocity: Array, p: None, decay: Array, nesterov: bool, fraction: Array
) -> tuple[Array, Array]:
    velocity = decay * velocity + fraction * u
    return (u + decay * velocity if nesterov else velocity), velocity
