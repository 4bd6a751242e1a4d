"""Schedules that rise, fall and start again, under the names that Optax has for them, with its arguments in its order.

Each is one of gradtx's schedules, told where both differ.
"""

from collections.abc import Iterable, Mapping, Sequence
from itertools import accumulate
from typing import Any

from gradtx.core import ScalarOrSchedule, Schedule, transformation
from gradtx.core.algebra import join
from gradtx.schedules.one_cycle import one_cycle
from gradtx.schedules.warmup import warmup, warmup_cosine, warmup_exponential


@transformation
def cosine_onecycle_schedule(
    transition_steps: int,
    peak_value: ScalarOrSchedule,
    pct_start: ScalarOrSchedule = 0.3,
    div_factor: ScalarOrSchedule = 25.0,
    final_div_factor: ScalarOrSchedule = 1e4,
) -> Schedule:
    """Rise along half a cosine, and fall along another: `one_cycle` with Optax's name and arguments.

    Args:
      transition_steps: the number of steps in all, at least 1.
      peak_value: the value at the peak; any finite number.
      pct_start: the part of the steps that the rise takes, in [0, 1).
      div_factor: how many times less than the peak the value at step 0 is, above 0.
      final_div_factor: how many times less than at step 0 the value in the end is, above 0.

    Returns:
      A schedule.

    Raises:
      ValueError: if an argument is out of range.

    References:
      Smith and Topin, 2019, Super-Convergence: Very Fast Training of Neural Networks Using Large Learning Rates.

    Example:
      >>> import gradtx
      >>> rate = gradtx.cosine_onecycle_schedule(10, 1.0, div_factor=4.0, final_div_factor=4.0)
      >>> [round(float(rate(step)), 4) for step in (0, 3, 10)]
      [0.25, 1.0, 0.0625]
    """
    return one_cycle(peak_value, transition_steps, pct_start, None, div_factor, final_div_factor)


@transformation
def linear_onecycle_schedule(
    transition_steps: int,
    peak_value: ScalarOrSchedule,
    pct_start: ScalarOrSchedule = 0.3,
    pct_final: ScalarOrSchedule = 0.85,
    div_factor: ScalarOrSchedule = 25.0,
    final_div_factor: ScalarOrSchedule = 1e4,
) -> Schedule:
    """Rise in a line, fall back in a line, and on to the end: `one_cycle` with Optax's name and arguments.

    Args:
      transition_steps: the number of steps in all, at least 1.
      peak_value: the value at the peak; any finite number.
      pct_start: the part of the steps that the rise takes, in [0, 1).
      pct_final: the part of them after which the value is back where it began, from pct_start to below 1.
      div_factor: how many times less than the peak the value at step 0 is, above 0.
      final_div_factor: how many times less than at step 0 the value in the end is, above 0.

    Returns:
      A schedule.

    Raises:
      ValueError: if an argument is out of range.

    References:
      Smith and Topin, 2019, Super-Convergence: Very Fast Training of Neural Networks Using Large Learning Rates.

    Example:
      >>> import gradtx
      >>> rate = gradtx.linear_onecycle_schedule(10, 1.0, 0.3, 0.8, div_factor=4.0, final_div_factor=4.0)
      >>> [round(float(rate(step)), 4) for step in (0, 3, 8, 10)]
      [0.25, 1.0, 0.25, 0.0625]
    """
    return one_cycle(peak_value, transition_steps, pct_start, pct_final, div_factor, final_div_factor, shape="linear")


def join_schedules(schedules: Sequence[ScalarOrSchedule], boundaries: Sequence[int]) -> Schedule:
    """One schedule after another, each with a step of its own: Optax's name for `join`.

    Args:
      schedules: at least one, numbers and functions of the step included.
      boundaries: for each schedule but the first, the step at which it begins.

    Returns:
      A schedule, made by `join`.

    Raises:
      ValueError: if there is not one boundary between each schedule and the next, or if they are not in order.
      TypeError: if a schedule keeps a state, such as `plateau`, whose value is no function of the step.

    Example:
      >>> import gradtx
      >>> rate = gradtx.join_schedules([gradtx.warmup(1.0, 4), gradtx.constant(0.5)], [4])
      >>> [float(rate(step)) for step in (0, 3, 4)]
      [0.0, 0.75, 0.5]
    """
    return join(schedules, boundaries)


def sgdr_schedule(cosine_kwargs: Iterable[Mapping[str, Any]]) -> Schedule:
    """Warm restarts, each cycle spelt out: a warm-up and half a cosine, one after another.

    Args:
      cosine_kwargs: for each cycle the arguments of `warmup_cosine_decay_schedule`; its decay_steps is the number of
        steps of the cycle.

    Returns:
      A schedule, which holds the end of the last cycle. `cosine_restarts` goes on for ever.

    Raises:
      ValueError: if an argument is out of range.

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
def warmup_constant_schedule(init_value: ScalarOrSchedule, peak_value: ScalarOrSchedule, warmup_steps: int) -> Schedule:
    """Rise in a line to a peak, and stay there: `warmup` with Optax's name and arguments.

    Args:
      init_value: the value at step 0; any finite number.
      peak_value: the value in the end; any finite number.
      warmup_steps: the number of steps that the rise takes, at least 0; at 0 the peak is there at step 0 (Optax never
        leaves init_value then).

    Returns:
      A schedule.

    Raises:
      ValueError: if an argument is out of range.

    Example:
      >>> import gradtx
      >>> [float(gradtx.warmup_constant_schedule(0.5, 1.0, 4)(step)) for step in (0, 2, 4, 100)]
      [0.5, 0.75, 1.0, 1.0]
    """
    return warmup(peak_value, warmup_steps, init_value)


@transformation
def warmup_cosine_decay_schedule(
    init_value: ScalarOrSchedule,
    peak_value: ScalarOrSchedule,
    warmup_steps: int,
    decay_steps: int,
    end_value: ScalarOrSchedule = 0.0,
    exponent: ScalarOrSchedule = 1.0,
) -> Schedule:
    """Rise in a line, then fall along half a cosine: `warmup_cosine` with Optax's name and arguments.

    Args:
      init_value: the value at step 0; any finite number.
      peak_value: the value at warmup_steps; any finite number.
      warmup_steps: the number of steps that the rise takes, at least 0.
      decay_steps: the number of steps in all, the rise included, at least warmup_steps.
      end_value: the value at decay_steps and beyond; any finite number.
      exponent: the power of the cosine, at least 0.

    Returns:
      A schedule.

    Raises:
      ValueError: if an argument is out of range.

    References:
      Loshchilov and Hutter, 2017, SGDR: Stochastic Gradient Descent with Warm Restarts.

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
    init_value: ScalarOrSchedule,
    peak_value: ScalarOrSchedule,
    warmup_steps: int,
    transition_steps: int,
    decay_rate: ScalarOrSchedule,
    transition_begin: int = 0,
    staircase: bool = False,
    end_value: ScalarOrSchedule | None = None,
) -> Schedule:
    """Rise in a line, then decay exponentially: `warmup_exponential` with Optax's name and arguments.

    Args:
      init_value: the value at step 0; any finite number.
      peak_value: the value at warmup_steps; any finite number.
      warmup_steps: the number of steps that the rise takes, at least 0.
      transition_steps: the number of steps in which the value is multiplied by decay_rate once, at least 1.
      decay_rate: the factor, above 0.
      transition_begin: how many steps the peak lasts, at least 0.
      staircase: whether the value falls once in transition_steps, and stays between.
      end_value: the value goes no further than this; None for no end.

    Returns:
      A schedule.

    Raises:
      ValueError: if an argument is out of range.

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
