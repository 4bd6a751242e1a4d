"""The constant schedule, and schedules of schedules: one after another, their product, their sum."""

import itertools
from collections.abc import Sequence
from typing import Any, cast

import jax
import jax.numpy as jnp

from gradtx.core.chain import chain
from gradtx.core.checks import at_least, finite
from gradtx.core.factory import ScalarOrSchedule, as_numeric, stepwise, transformation
from gradtx.core.numerics import scalar_dtype
from gradtx.core.primitives import hold, keeps_state
from gradtx.core.progress import as_step, elapsed, reached
from gradtx.core.transformation import Schedule

Array = jax.Array


@transformation
def constant(value: ScalarOrSchedule) -> Schedule:
    """The same value at every step.

    Args:
      value: any finite number.

    Returns:
      A schedule.

    Raises:
      ValueError: if `value` is not finite.

    Example:
      >>> import gradtx
      >>> float(gradtx.constant(0.5)(1000))
      0.5
    """
    finite(value=value)
    return stepwise(hold, value=value)


def join(schedules: Sequence[ScalarOrSchedule], boundaries: Sequence[int]) -> Schedule:
    """One schedule after another; each begins at its boundary, with a step of its own counted from there.

    schedules[i](step - boundaries[i - 1]) for boundaries[i - 1] <= step < boundaries[i]

    Args:
      schedules: at least one; numbers stand for constants, functions of the step for the schedules they are.
      boundaries: for each schedule but the first, the step at which it begins: at least 0, in order. Of two at the same
        step the first never has a turn.

    Returns:
      A schedule. PyTorch's `SequentialLR(schedulers, milestones)` is the same, and Optax's `join_schedules`.

    Raises:
      ValueError: if there is not one boundary between each schedule and the next, or if they are not in order.
      TypeError: if a schedule keeps a state, such as `plateau`, whose value is no function of the step.

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
    for before, boundary in itertools.pairwise((0, *boundaries)):
        at_least("a boundary", boundary, before, ", for boundaries are steps in order")
    members = tuple(map(as_schedule, schedules))
    for member in members:
        if keeps_state(member._primitive):
            raise TypeError(
                f"{member.name} keeps a state, so that it cannot begin at a boundary. Multiply it with a schedule of "
                "the step instead: gradtx.product(schedule, plateau)."
            )
    return stepwise(_joined, schedules=members, boundaries=boundaries)


def as_schedule(x: Any) -> Schedule:
    """A schedule as it is; a number as a constant, a function of the step as the schedule that it is."""
    x = as_numeric(x)
    return x if isinstance(x, Schedule) else constant(x)


def _joined(step: Any, schedules: tuple[Schedule, ...], boundaries: tuple[int, ...]) -> Array:
    step, value = as_step(step), jnp.zeros((), scalar_dtype())
    lengths = [end - begin for begin, end in itertools.pairwise((0, *boundaries))]
    for schedule, begin, length in zip(schedules, (0, *boundaries), (*lengths, None), strict=True):
        since = elapsed(step, begin, length)
        value = jnp.where(reached(step, begin), schedule(since), value)
    return value


def product(*schedules: ScalarOrSchedule) -> Schedule:
    """The product of schedules, at each step: the chain of them.

    Args:
      *schedules: at least one; also such as keep a state. Numbers stand for constants, functions of the step for the
        schedules they are.

    Returns:
      A schedule, `gradtx.chain` of them: its state, if any, is theirs by name.

    Raises:
      TypeError: if none is given.

    Example:
      >>> import gradtx
      >>> rate = gradtx.product(0.5, gradtx.warmup(1.0, 4))
      >>> [float(rate(step)) for step in (0, 1, 2, 4)]
      [0.0, 0.125, 0.25, 0.5]
    """
    if not schedules:
        raise TypeError("product of no schedules: give at least one.")
    return cast(Schedule, chain(*map(as_schedule, schedules)))


def total(*schedules: ScalarOrSchedule, **named: ScalarOrSchedule) -> Schedule:
    """The sum of schedules, at each step.

    Args:
      *schedules: at least one; also such as keep a state. Numbers stand for constants, functions of the step for the
        schedules they are. They are called term_1, term_2, ...
      **named: further ones, called as given.

    Returns:
      A schedule.

    Raises:
      TypeError: if none is given.

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
        raise TypeError("total of no schedules: give at least one.")
    members: dict[str, Any] = {name: as_schedule(x) for name, x in terms.items()}
    return stepwise(_sum, **members)


def _sum(step: Any, **terms: Array) -> Array:
    return sum(terms.values())  # type: ignore[return-value]
