"""Curves between the values at boundaries."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal

from jax import Array

from gradtx.core import Finite, Schedule, stepwise, transformation
from gradtx.schedules.curves import SHAPES, through
from gradtx.schedules.piecewise_constant import split_pieces
from gradtx.schedules.progress import as_step


@transformation
def piecewise_interpolate(
    init_value: Finite,
    boundaries_and_scales: Mapping[int, float] | None = None,
    *,
    shape: Literal["linear", "cosine", "1-sqrt"] = "linear",
) -> Schedule:
    """Interpolate between boundaries, each of which multiplies the value by a factor.

    At the i-th boundary the value is v_i = init_value * scale_1 * ... * scale_i, and between two boundaries it goes
    from v_i to v_{i+1}; v_0 = init_value at step 0, and the last value from the last boundary on.

    Args:
      init_value: the value at step 0.
      boundaries_and_scales: as for `piecewise_constant`.
      shape: the curve between two boundaries: "linear", "cosine", or "1-sqrt", as for `warmup_stable_decay`.

    Returns:
      A schedule.

    Raises:
      ValueError: as for `piecewise_constant`.
      TypeError: as for `piecewise_constant`.

    Example:
      >>> import gradtx
      >>> rate = gradtx.piecewise_interpolate(1.0, {4: 0.5, 8: 0.5})
      >>> [float(rate(step)) for step in (0, 2, 4, 6, 8, 100)]
      [1.0, 0.75, 0.5, 0.375, 0.25, 0.25]
    """
    boundaries, scales = split_pieces(boundaries_and_scales)
    return stepwise(_piecewise_interpolate, boundaries=boundaries, shape=shape, init_value=init_value, **scales)


def _piecewise_interpolate(
    step: Array, boundaries: tuple[int, ...], shape: str, init_value: Array, **scales: Array
) -> Array:
    values = [init_value]
    for scale in scales.values():
        values.append(values[-1] * scale)
    return through(as_step(step), boundaries, values, SHAPES[shape])
