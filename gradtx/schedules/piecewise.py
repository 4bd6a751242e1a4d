"""Schedules made of pieces, with boundaries between them."""

from collections.abc import Mapping
from typing import Any

import jax
import jax.numpy as jnp

from gradtx.core import ScalarOrSchedule, Schedule, stepwise, transformation
from gradtx.core.checks import at_least, in_range

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
      A schedule.

    Raises:
      ValueError: if an argument is out of range.

    Example:
      >>> import gradtx
      >>> rate = gradtx.piecewise_constant(1.0, {10: 0.5, 20: 0.1})
      >>> [round(float(rate(step)), 3) for step in (0, 9, 10, 19, 20)]
      [1.0, 1.0, 0.5, 0.5, 0.05]
    """
    in_range("init_value", init_value, -jnp.inf, open_low=True)
    scales = boundaries_and_scales or {}
    for boundary, scale in scales.items():
        at_least("a boundary", boundary, 0)
        in_range(f"the scale at {boundary}", scale, -jnp.inf, open_low=True)
    numbered: dict[str, Any] = {
        f"scale_{i}": float(x) if isinstance(x, int) else x for i, x in enumerate(scales.values())
    }
    return stepwise(_piecewise_constant, boundaries=tuple(scales), init_value=init_value, **numbered)


def _piecewise_constant(step: Array, boundaries: tuple[int, ...], init_value: Array, **scales: Array) -> Array:
    value = init_value
    for boundary, scale in zip(boundaries, scales.values(), strict=True):
        value = value * jnp.where(step >= boundary, scale, 1.0)
    return value
