"""Schedules made of schedules: one after another, their product, and their sum."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, cast

import jax.numpy as jnp
from jax import Array

from gradtx.core import ScalarOrSchedule, Schedule, chain, stepwise, transformation
from gradtx.core.factory import as_numeric
from gradtx.core.mathematics import keeps_state
from gradtx.core.numerics import scalar_dtype
from gradtx.core.ranges import AtLeast
from gradtx.core.transformation import OPERATORS
from gradtx.schedules.constant import constant
from gradtx.schedules.progress import as_step, elapsed, reached

IN_ORDER = ", because boundaries must be in ascending order"


def join(schedules: Sequence[ScalarOrSchedule], boundaries: Sequence[int]) -> Schedule:
    """Run one schedule after another, each of which counts its own steps from 0.

    schedules[i](step - boundaries[i - 1]) for boundaries[i - 1] <= step < boundaries[i]

    Args:
      schedules: at least one schedule; a number stands for a constant.
      boundaries: the step, at least 0, at which each schedule after the first begins, in ascending order. If two of
        them are equal, the schedule between them is never used.

    Returns:
      A schedule. PyTorch's `SequentialLR(schedulers, milestones)` does the same.

    Raises:
      ValueError: if there is not one boundary between each schedule and the next, or if they are not in order.
      TypeError: if a schedule keeps a state, as `plateau` does, because its value is not a function of the step alone.

    Example:
      >>> import gradtx
      >>> rate = gradtx.join([gradtx.warmup(1.0, 4), gradtx.step_decay(1.0, 2, 0.5)], boundaries=[4])
      >>> [float(rate(step)) for step in (0, 3, 4, 5, 6, 8)]
      [0.0, 0.75, 1.0, 1.0, 0.5, 0.25]
    """
    return _join(tuple(schedules), tuple(boundaries))


@transformation
def _join(schedules: tuple[Any, ...], boundaries: tuple[int, ...]) -> Schedule:
    if len(boundaries) != len(schedules) - 1:
        raise ValueError(
            f"{len(schedules)} schedules were given with {len(boundaries)} boundaries; expected one boundary between "
            "each and the next."
        )
    begins = [0]
    for boundary in boundaries:
        begins.append(AtLeast(begins[-1], IN_ORDER).check("a boundary", boundary))
    members = tuple(map(as_schedule, schedules))
    for member in members:
        if keeps_state(member.mathematics):
            raise TypeError(
                f"{member.name} keeps a state, so it cannot begin at a boundary. Multiply it by a schedule of the step "
                "instead: gradtx.product(schedule, plateau)."
            )
    return stepwise(_joined, schedules=members, begins=tuple(begins))


def as_schedule(x: Any) -> Schedule:
    """A schedule as it is, a number as a constant, and a function of the step as the schedule that it is."""
    x = as_numeric(x)
    return x if isinstance(x, Schedule) else constant(x)


def _joined(step: Array, schedules: tuple[Schedule, ...], begins: tuple[int, ...]) -> Array:
    step, value = as_step(step), jnp.zeros((), scalar_dtype())
    for schedule, begin, end in zip(schedules, begins, (*begins[1:], None), strict=True):
        # A schedule is not evaluated beyond its turn, where it could overflow.
        own_step = elapsed(step, begin, None if end is None else end - begin)
        value = jnp.where(reached(step, begin), schedule(own_step), value)
    return value


def product(*schedules: ScalarOrSchedule) -> Schedule:
    """Multiply schedules at each step.

    schedules[0](step) * schedules[1](step) * ...

    Args:
      *schedules: at least one schedule, which may keep a state; a number stands for a constant.

    Returns:
      A schedule. It is the `gradtx.chain` of the schedules, and its state, if any, holds theirs by name.

    Raises:
      TypeError: if no schedule is given.

    Example:
      >>> import gradtx
      >>> rate = gradtx.product(0.5, gradtx.warmup(1.0, 4))
      >>> [float(rate(step)) for step in (0, 1, 2, 4)]
      [0.0, 0.125, 0.25, 0.5]
    """
    if not schedules:
        raise TypeError("product was given no schedules: give at least one.")
    return cast(Schedule, chain(*map(as_schedule, schedules)))


def total(*schedules: ScalarOrSchedule, **named: ScalarOrSchedule) -> Schedule:
    """Add schedules at each step.

    schedules[0](step) + schedules[1](step) + ...

    Args:
      *schedules: at least one schedule, which may keep a state; a number stands for a constant. Their names are term_1,
        term_2, and so on.
      **named: further schedules, under the names given.

    Returns:
      A schedule. Its state, if any, holds theirs by name.

    Raises:
      TypeError: if no schedule is given.

    Example:
      >>> import gradtx
      >>> rate = gradtx.total(0.5, gradtx.warmup(1.0, 4))
      >>> [float(rate(step)) for step in (0, 1, 2, 4)]
      [0.5, 0.75, 1.0, 1.5]
    """
    return _total(**{f"term_{i}": x for i, x in enumerate(schedules, 1)}, **named)


@transformation
def _total(**terms: Any) -> Schedule:
    if not terms:
        raise TypeError("total was given no schedules: give at least one.")
    members: dict[str, Any] = {name: as_schedule(x) for name, x in terms.items()}
    return stepwise(_sum, **members)


def _sum(step: Array, **terms: Array) -> Any:
    return sum(terms.values())


OPERATORS.update(join=join, product=product, total=total)
