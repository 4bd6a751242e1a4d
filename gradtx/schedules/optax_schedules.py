"""Schedules under Optax's names, with the arguments in Optax's order.

Where a transition has no steps, Optax never leaves the first value, whereas here the last value holds at once.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from itertools import accumulate
from typing import Any, Literal

from gradtx.core import (
    Count,
    Finite,
    Fraction,
    NonNegative,
    Positive,
    PositiveCount,
    ScalarOrSchedule,
    Schedule,
    transformation,
)
from gradtx.schedules.algebra import join
from gradtx.schedules.constant import constant
from gradtx.schedules.cosine import cosine
from gradtx.schedules.exponential import exponential
from gradtx.schedules.linear import linear
from gradtx.schedules.numbers import is_static, times
from gradtx.schedules.one_cycle import one_cycle
from gradtx.schedules.piecewise_constant import piecewise_constant
from gradtx.schedules.piecewise_interpolate import piecewise_interpolate
from gradtx.schedules.polynomial import polynomial
from gradtx.schedules.warmup import warmup
from gradtx.schedules.warmup_cosine import warmup_cosine
from gradtx.schedules.warmup_exponential import warmup_exponential


@transformation
def constant_schedule(value: Finite) -> Schedule:
    """`constant` under Optax's name.

    value is as for `constant`.

    Returns:
      A schedule.

    Example:
      >>> import gradtx
      >>> float(gradtx.constant_schedule(0.5)(1000))
      0.5
    """
    return constant(value)


@transformation
def linear_schedule(
    init_value: Finite, end_value: Finite, transition_steps: Count, transition_begin: Count = 0
) -> Schedule:
    """`linear` under Optax's name.

    init_value, end_value, transition_steps and transition_begin are as for `linear`.

    Returns:
      A schedule.

    Example:
      >>> import gradtx
      >>> [float(gradtx.linear_schedule(1.0, 0.5, 4)(step)) for step in (0, 2, 4, 100)]
      [1.0, 0.75, 0.5, 0.5]
    """
    return linear(init_value, end_value, transition_steps, transition_begin)


@transformation
def polynomial_schedule(
    init_value: Finite, end_value: Finite, power: NonNegative, transition_steps: Count, transition_begin: Count = 0
) -> Schedule:
    """`polynomial` under Optax's name.

    init_value, end_value, power, transition_steps and transition_begin are as for `polynomial`.

    Returns:
      A schedule.

    Example:
      >>> import gradtx
      >>> [float(gradtx.polynomial_schedule(1.0, 0.0, 2.0, 4)(step)) for step in (0, 2, 4)]
      [1.0, 0.25, 0.0]
    """
    return polynomial(init_value, end_value, power, transition_steps, transition_begin)


@transformation
def exponential_decay(
    init_value: Finite,
    transition_steps: PositiveCount,
    decay_rate: Positive,
    transition_begin: Count = 0,
    staircase: bool = False,
    end_value: Finite | None = None,
) -> Schedule:
    """`exponential` under Optax's name.

    init_value, transition_steps, decay_rate, transition_begin, staircase and end_value are as for `exponential`. Where
    transition_steps or decay_rate is 0, Optax does not decay, whereas `exponential` refuses it.

    Returns:
      A schedule.

    Example:
      >>> import gradtx
      >>> [float(gradtx.exponential_decay(1.0, 10, 0.25)(step)) for step in (0, 5, 10)]
      [1.0, 0.5, 0.25]
    """
    return exponential(
        init_value, transition_steps, decay_rate, transition_begin, staircase=staircase, end_value=end_value
    )


@transformation
def cosine_decay_schedule(
    init_value: Finite, decay_steps: Count, alpha: Finite = 0.0, exponent: NonNegative = 1.0
) -> Schedule:
    """`cosine` under Optax's name, with Optax's arguments.

    init_value, decay_steps and exponent are as for `cosine`, and alpha is end_value / init_value. Optax refuses a
    decay_steps of 0.

    Returns:
      A schedule.

    Example:
      >>> import gradtx
      >>> rate = gradtx.cosine_decay_schedule(2.0, 100, alpha=0.5)
      >>> [round(float(rate(step)), 3) for step in (0, 50, 100, 200)]
      [2.0, 1.5, 1.0, 1.0]
    """
    return cosine(init_value, decay_steps, times(alpha, init_value), exponent=exponent)


@transformation
def piecewise_constant_schedule(
    init_value: Finite, boundaries_and_scales: Mapping[int, float] | None = None
) -> Schedule:
    """`piecewise_constant` under Optax's name.

    init_value and boundaries_and_scales are as for `piecewise_constant`.

    Returns:
      A schedule.

    Example:
      >>> import gradtx
      >>> rate = gradtx.piecewise_constant_schedule(1.0, {10: 0.5, 20: 0.5})
      >>> [float(rate(step)) for step in (0, 9, 10, 20)]
      [1.0, 1.0, 0.5, 0.25]
    """
    return piecewise_constant(init_value, boundaries_and_scales)


@transformation
def piecewise_interpolate_schedule(
    interpolate_type: Literal["linear", "cosine", "1-sqrt"],
    init_value: Finite,
    boundaries_and_scales: Mapping[int, float] | None = None,
) -> Schedule:
    """`piecewise_interpolate` under Optax's name, with the arguments in Optax's order.

    init_value and boundaries_and_scales are as for `piecewise_interpolate`, and interpolate_type is its shape, where
    Optax has no "1-sqrt".

    Returns:
      A schedule.

    Example:
      >>> import gradtx
      >>> rate = gradtx.piecewise_interpolate_schedule("linear", 1.0, {4: 0.5, 8: 0.5})
      >>> [float(rate(step)) for step in (0, 2, 4, 6, 8)]
      [1.0, 0.75, 0.5, 0.375, 0.25]
    """
    return piecewise_interpolate(init_value, boundaries_and_scales, shape=interpolate_type)


@transformation
def cosine_onecycle_schedule(
    transition_steps: PositiveCount,
    peak_value: Finite,
    pct_start: Fraction = 0.3,
    div_factor: Positive = 25.0,
    final_div_factor: Positive = 1e4,
) -> Schedule:
    """`one_cycle` under Optax's name, with the arguments in Optax's order: a rise and a fall, each along half a cosine.

    transition_steps, peak_value, pct_start, div_factor and final_div_factor are as for `one_cycle`, but the peak is
    where Optax has it: 0.29 * 100 is a little less than 29 in floating point, and is rounded down to 28.

    Returns:
      A schedule.

    Example:
      >>> import gradtx
      >>> rate = gradtx.cosine_onecycle_schedule(10, 1.0, div_factor=4.0, final_div_factor=4.0)
      >>> [round(float(rate(step)), 4) for step in (0, 3, 10)]
      [0.25, 1.0, 0.0625]
    """
    start = _rounded_down(pct_start, transition_steps)
    return one_cycle(peak_value, transition_steps, start, None, div_factor, final_div_factor)


@transformation
def linear_onecycle_schedule(
    transition_steps: PositiveCount,
    peak_value: Finite,
    pct_start: Fraction = 0.3,
    pct_final: Fraction = 0.85,
    div_factor: Positive = 25.0,
    final_div_factor: Positive = 1e4,
) -> Schedule:
    """`one_cycle` under Optax's name, with the arguments in Optax's order: a rise and two falls in straight lines.

    transition_steps, peak_value, pct_start, pct_final, div_factor and final_div_factor are as for `one_cycle`, and the
    rounding as for `cosine_onecycle_schedule`.

    Returns:
      A schedule.

    Example:
      >>> import gradtx
      >>> rate = gradtx.linear_onecycle_schedule(10, 1.0, 0.3, 0.8, div_factor=4.0, final_div_factor=4.0)
      >>> [round(float(rate(step)), 4) for step in (0, 3, 8, 10)]
      [0.25, 1.0, 0.25, 0.0625]
    """
    start, final = (_rounded_down(x, transition_steps) for x in (pct_start, pct_final))
    return one_cycle(peak_value, transition_steps, start, final, div_factor, final_div_factor, shape="linear")


def _rounded_down(fraction: Fraction, steps: int) -> Fraction:
    """The fraction of whole steps that Optax takes; a traced one as it is."""
    return int(float(fraction) * steps) / steps if is_static(fraction) else fraction  # type: ignore[arg-type]


def join_schedules(schedules: Sequence[ScalarOrSchedule], boundaries: Sequence[int]) -> Schedule:
    """`join` under Optax's name.

    schedules and boundaries are as for `join`.

    Returns:
      A schedule, made by `join`.

    Example:
      >>> import gradtx
      >>> rate = gradtx.join_schedules([gradtx.warmup(1.0, 4), gradtx.constant(0.5)], [4])
      >>> [float(rate(step)) for step in (0, 3, 4)]
      [0.0, 0.75, 0.5]
    """
    return join(schedules, boundaries)


def sgdr_schedule(cosine_kwargs: Iterable[Mapping[str, Any]]) -> Schedule:
    """Join cycles of warm-up and cosine decay, each with arguments of its own, under Optax's name.

    Args:
      cosine_kwargs: the arguments of `warmup_cosine_decay_schedule` for each cycle, whose decay_steps is the length of
        the cycle.

    Returns:
      A schedule, which holds the last value of the last cycle. `cosine_restarts` goes on forever.

    Raises:
      ValueError: if an argument of a cycle is out of range.

    References:
      Loshchilov and Hutter, 2017, SGDR: Stochastic Gradient Descent with Warm Restarts.

    Example:
      >>> import gradtx
      >>> cycle = {"init_value": 0.0, "peak_value": 1.0, "warmup_steps": 2, "decay_steps": 10}
      >>> rate = gradtx.sgdr_schedule([cycle, {**cycle, "peak_value": 0.5}])
      >>> [round(float(rate(step)), 3) for step in (0, 2, 6, 10, 12, 20)]
      [0.0, 1.0, 0.5, 0.0, 0.5, 0.0]
    """
    return _sgdr_schedule(tuple(map(dict, cosine_kwargs)))


@transformation
def _sgdr_schedule(cosine_kwargs: tuple[dict[str, Any], ...]) -> Schedule:
    cycles = [warmup_cosine_decay_schedule(**arguments) for arguments in cosine_kwargs]
    return join(cycles, list(accumulate(arguments["decay_steps"] for arguments in cosine_kwargs))[:-1])


@transformation
def warmup_constant_schedule(init_value: Finite, peak_value: Finite, warmup_steps: Count) -> Schedule:
    """`warmup` under Optax's name, with the arguments in Optax's order.

    init_value, peak_value and warmup_steps are as for `warmup`.

    Returns:
      A schedule.

    Example:
      >>> import gradtx
      >>> [float(gradtx.warmup_constant_schedule(0.5, 1.0, 4)(step)) for step in (0, 2, 4, 100)]
      [0.5, 0.75, 1.0, 1.0]
    """
    return warmup(peak_value, warmup_steps, init_value)


@transformation
def warmup_cosine_decay_schedule(
    init_value: Finite,
    peak_value: Finite,
    warmup_steps: Count,
    decay_steps: Count,
    end_value: Finite = 0.0,
    exponent: NonNegative = 1.0,
) -> Schedule:
    """`warmup_cosine` under Optax's name, with the arguments in Optax's order.

    init_value, peak_value, warmup_steps, decay_steps, end_value and exponent are as for `warmup_cosine`.

    Returns:
      A schedule.

    Example:
      >>> import gradtx
      >>> rate = gradtx.warmup_cosine_decay_schedule(0.0, 1.0, warmup_steps=10, decay_steps=110)
      >>> [round(float(rate(step)), 3) for step in (0, 5, 10, 60, 110)]
      [0.0, 0.5, 1.0, 0.5, 0.0]
    """
    return warmup_cosine(
        peak_value, warmup_steps, decay_steps, init_value=init_value, end_value=end_value, exponent=exponent
    )


@transformation
def warmup_exponential_decay_schedule(
    init_value: Finite,
    peak_value: Finite,
    warmup_steps: Count,
    transition_steps: PositiveCount,
    decay_rate: Positive,
    transition_begin: Count = 0,
    staircase: bool = False,
    end_value: Finite | None = None,
) -> Schedule:
    """`warmup_exponential` under Optax's name, with the arguments in Optax's order.

    init_value, peak_value, warmup_steps, transition_steps, decay_rate, transition_begin, staircase and end_value are as
    for `warmup_exponential`.

    Returns:
      A schedule.

    Example:
      >>> import gradtx
      >>> rate = gradtx.warmup_exponential_decay_schedule(0.0, 1.0, 4, transition_steps=10, decay_rate=0.25)
      >>> [float(rate(step)) for step in (0, 2, 4, 9, 14)]
      [0.0, 0.5, 1.0, 0.5, 0.25]
    """
    return warmup_exponential(
        peak_value,
        warmup_steps,
        transition_steps,
        decay_rate,
        transition_begin,
        init_value=init_value,
        staircase=staircase,
        end_value=end_value,
    )
