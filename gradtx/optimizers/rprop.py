"""Resilient propagation: steps that grow while a gradient keeps its sign, and shrink where it changes."""

from __future__ import annotations

from typing import Annotated, NamedTuple

import jax.numpy as jnp
from jax import Array

from gradtx.core import (
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
from gradtx.optimizers.common import descend_by

Growth = Annotated[ScalarOrSchedule, Range(1)]


class RpropState(NamedTuple):
    """The size of each step, -1 before the first one, and the gradient it was taken for, 0 where the sign changed."""

    size: Array
    last: Array


@transformation
def scale_by_rprop(
    learning_rate: LearningRate,
    eta_minus: Fraction = 0.5,
    eta_plus: Growth = 1.2,
    min_step_size: NonNegative = 1e-6,
    max_step_size: NonNegative = 50.0,
) -> GradientTransformation:
    """The whole step of `rprop`, uphill; arguments as there.

    Returns:
      A transformation that keeps an `RpropState`, two arrays per array, in float32 or wider. Complex arrays are
      refused.

    Raises:
      TypeError: when used, if an array is complex, because a complex number has no sign that changes.
    """
    return leafwise(
        _rprop,
        _no_size,
        keeps=RpropState,
        first=learning_rate,
        shrink=eta_minus,
        grow=eta_plus,
        least=min_step_size,
        largest=max_step_size,
    )


def _no_size(p: Array) -> RpropState:
    return RpropState(jnp.full_like(p, -1), jnp.zeros_like(p))


def _rprop(
    g: Array, s: RpropState, p: None, first: Array, shrink: Array, grow: Array, least: Array, largest: Array
) -> tuple[Array, RpropState]:
    if jnp.iscomplexobj(g):
        raise TypeError(
            "rprop follows the sign of real numbers; split the complex array into real and imaginary part "
            "with gradtx.split_real_and_imaginary(...)."
        )
    agreement = jnp.sign(g) * jnp.sign(s.last)
    factor = jnp.where(agreement > 0, grow, jnp.where(agreement < 0, shrink, 1.0))
    size = jnp.clip(jnp.where(s.size < 0, first, s.size * factor), least, largest)
    g = jnp.where(agreement < 0, 0, g)
    return jnp.sign(g) * size, RpropState(size, g)


@transformation
def rprop(
    learning_rate: LearningRate,
    eta_minus: Fraction = 0.5,
    eta_plus: Growth = 1.2,
    min_step_size: NonNegative = 1e-6,
    max_step_size: NonNegative = 50.0,
    *,
    weight_decay: NonNegative | None = None,
    where: Mask | None = None,
    maximize: bool = False,
) -> GradientTransformation:
    """Descend by the sign of the gradient, with a step size of its own for each number; for full batches.

    size = learning_rate at first, then times eta_plus where g keeps its sign, times eta_minus where it turns;
    p - sign(g) size, and no step where it turns.

    PyTorch does the same. Optax does not move at the first step, and for two steps where a sign changes.

    Args:
      learning_rate: the first size; of a schedule the first value counts.
      eta_minus: factor of the size where the sign changes. The paper's default, as are those below.
      eta_plus: factor of the size where it does not.
      min_step_size: the least size.
      max_step_size: the largest size.
      weight_decay, where, maximize: as for `adam`.

    Returns:
      A transformation that keeps an `RpropState`: two arrays per array.

    References:
      Riedmiller and Braun, 1993, A direct adaptive method for faster backpropagation learning: the RPROP algorithm.
      Igel and Husken, 2000, Improving the Rprop Learning Algorithm (iRprop-, as here and in PyTorch).
    """
    step = scale_by_rprop(learning_rate, eta_minus, eta_plus, min_step_size, max_step_size)
    return descend_by(step, learning_rate, weight_decay, where, maximize)
