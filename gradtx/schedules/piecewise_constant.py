"""Constant pieces, with a factor at each boundary."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import jax.numpy as jnp
from jax import Array

from gradtx.core import Finite, Range, Schedule, stepwise, transformation
from gradtx.core.factory import as_numeric
from gradtx.core.ranges import AtLeast
from gradtx.schedules.progress import as_step, reached


@transformation
def piecewise_constant(init_value: Finite, boundaries_and_scales: Mapping[int, float] | None = None) -> Schedule:
    """Multiply the value by a factor at each boundary, and hold it in between.

    init_value * product of the scales whose boundaries are at most step

    Args:
      init_value: the value before the first boundary.
      boundaries_and_scales: the boundaries, which are steps, and the factor at each: {step: scale}. A boundary at 0
        applies from the start, and None means no boundaries.

    Returns:
      A schedule. PyTorch's `MultiStepLR(milestones, gamma)` uses one scale for all milestones.

    Raises:
      ValueError: if a boundary is negative, or a scale is not finite.
      TypeError: if `boundaries_and_scales` is not a mapping, or a boundary is not a whole number.

    Example:
      >>> import gradtx
      >>> rate = gradtx.piecewise_constant(1.0, {10: 0.5, 20: 0.1})
      >>> [round(float(rate(step)), 3) for step in (0, 9, 10, 19, 20)]
      [1.0, 1.0, 0.5, 0.5, 0.05]
    """
    boundaries, scales = split_pieces(boundaries_and_scales)
    return stepwise(_piecewise_constant, boundaries=boundaries, init_value=init_value, **scales)


def split_pieces(boundaries_and_scales: Mapping[int, float] | None) -> tuple[tuple[int, ...], dict[str, Any]]:
    """The boundaries in order, and the scale at each as a hyperparameter.

    Raises:
      ValueError: if a boundary is negative, or a scale is not finite.
      TypeError: if this is not a mapping, or a boundary is not a whole number.
    """
    if boundaries_and_scales is None:
        return (), {}
    if not isinstance(boundaries_and_scales, Mapping):
        raise TypeError(
            f"boundaries_and_scales = {boundaries_and_scales!r} is not a mapping; expected {{step: scale}}, such as "
            "{1000: 0.1}."
        )
    pieces = {}
    for boundary, scale in boundaries_and_scales.items():
        checked = Range().check(f"the scale at {boundary}", scale)
        pieces[AtLeast(0).check("a boundary", boundary)] = as_numeric(checked)
    boundaries = tuple(sorted(pieces))
    return boundaries, {f"scale_{i}": pieces[boundary] for i, boundary in enumerate(boundaries)}


def _piecewise_constant(step: Array, boundaries: tuple[int, ...], init_value: Array, **scales: Array) -> Array:
    step, value = as_step(step), init_value
    for boundary, scale in zip(boundaries, scales.values(), strict=True):
        value = value * jnp.where(reached(step, boundary), scale, 1.0)
    return value
