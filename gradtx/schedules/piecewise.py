"""Schedules made of pieces, with boundaries between them."""

from collections.abc import Mapping
from typing import Any

import jax
import jax.numpy as jnp

from gradtx.core import ScalarOrSchedule, Schedule, stepwise, transformation
from gradtx.core.checks import at_least, finite
from gradtx.core.factory import as_numeric
from gradtx.core.progress import as_step, reached
from gradtx.schedules.curves import SHAPES, through
from gradtx.schedules.numbers import one_of

Array = jax.Array


@transformation
def piecewise_constant(
    init_value: ScalarOrSchedule, boundaries_and_scales: Mapping[int, float] | None = None
) -> Schedule:
    """Multiply by a factor at each boundary, and stay between them.

    init_value * product of the scales whose boundaries are at most step

    Args:
      init_value: the value before the first boundary; any finite number.
      boundaries_and_scales: the factor for each boundary, a step of at least 0; a boundary at 0 counts at once.

    Returns:
      A schedule. PyTorch's `MultiStepLR(milestones, gamma)` has one scale for all of its milestones.

    Raises:
      ValueError: if an argument is out of range.

    Example:
      >>> import gradtx
      >>> rate = gradtx.piecewise_constant(1.0, {10: 0.5, 20: 0.1})
      >>> [round(float(rate(step)), 3) for step in (0, 9, 10, 19, 20)]
      [1.0, 1.0, 0.5, 0.5, 0.05]
    """
    finite(init_value=init_value)
    boundaries, scales = _pieces(boundaries_and_scales)
    return stepwise(_piecewise_constant, boundaries=boundaries, init_value=init_value, **scales)


def _pieces(boundaries_and_scales: Mapping[int, float] | None) -> tuple[tuple[int, ...], dict[str, Any]]:
    """The boundaries in order, and the scale at each as a hyperparameter.

    Raises:
      ValueError: if one is out of range.
    """
    pieces = boundaries_and_scales or {}
    for boundary, scale in pieces.items():
        at_least("a boundary", boundary, 0)
        finite(**{f"the scale at {boundary}": scale})
    boundaries = tuple(sorted(pieces))
    return boundaries, {f"scale_{i}": as_numeric(pieces[boundary]) for i, boundary in enumerate(boundaries)}


def _piecewise_constant(step: Any, boundaries: tuple[int, ...], init_value: Array, **scales: Array) -> Array:
    step, value = as_step(step), init_value
    for boundary, scale in zip(boundaries, scales.values(), strict=True):
        value = value * jnp.where(reached(step, boundary), scale, 1.0)
    return value


@transformation
def piecewise_interpolate(
    init_value: ScalarOrSchedule,
    boundaries_and_scales: Mapping[int, float] | None = None,
    *,
    shape: str = "linear",
) -> Schedule:
    """Go from value to value, where each boundary multiplies by a factor.

    At the i-th boundary the value is v_i = init_value * scale_1 * ... * scale_i, and between two boundaries it goes
    from v_i to v_{i+1}; v_0 = init_value at step 0, and the last value from the last boundary on.

    Args:
      init_value: the value at step 0; any finite number.
      boundaries_and_scales: the factor for each boundary, a step of at least 0; a boundary at 0 counts at once.
      shape: how it goes: "linear", in a line; "cosine", along half a cosine; "1-sqrt", by the root of what is done.

    Returns:
      A schedule.

    Raises:
      ValueError: if an argument is out of range.

    Example:
      >>> import gradtx
      >>> rate = gradtx.piecewise_interpolate(1.0, {4: 0.5, 8: 0.5})
      >>> [float(rate(step)) for step in (0, 2, 4, 6, 8, 100)]
      [1.0, 0.75, 0.5, 0.375, 0.25, 0.25]
    """
    finite(init_value=init_value)
    one_of("shape", shape, SHAPES)
    boundaries, scales = _pieces(boundaries_and_scales)
    return stepwise(_piecewise_interpolate, boundaries=boundaries, shape=shape, init_value=init_value, **scales)


def _piecewise_interpolate(
    step: Any, boundaries: tuple[int, ...], shape: str, init_value: Array, **scales: Array
) -> Array:
    values = [init_value]
    for scale in scales.values():
        values.append(values[-1] * scale)
    return through(as_step(step), boundaries, values, SHAPES[shape])
