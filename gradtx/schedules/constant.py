"""The constant schedule."""

from __future__ import annotations

from jax import Array

from gradtx.core import Finite, Schedule, stepwise, transformation
from gradtx.core.mathematics import Chain, Mathematics


@transformation
def constant(value: Finite) -> Schedule:
    """Give the same value at every step.

    Args:
      value: the value.

    Returns:
      A schedule.

    Example:
      >>> import gradtx
      >>> float(gradtx.constant(0.5)(1000))
      0.5
    """
    return stepwise(_constant, value=value)


def _constant(step: Array, value: Array) -> Array:
    return value


def is_constant(schedule: Mathematics) -> bool:
    """Whether the value of a schedule is known to be the same at every step."""
    if isinstance(schedule, Chain):
        return all(map(is_constant, schedule.stages.values()))
    value = getattr(schedule, "value", None)
    return value is _constant and all(map(is_constant, schedule.schedules.values()))
