"""Schedules that rise in a line to a peak first; what follows differs."""

from typing import Any

import jax
import jax.numpy as jnp

from gradtx.core import ScalarOrSchedule, Schedule, stepwise, transformation
from gradtx.core.checks import at_least, finite, in_range
from gradtx.core.progress import as_step, elapsed, ramp, reached
from gradtx.schedules.curves import SHAPES, between, cosine_shape, power_shape
from gradtx.schedules.decay import decay_exponentially, exponential_arguments
from gradtx.schedules.numbers import one_of, unless_one

Array = jax.Array
TOTAL = ", for it counts warmup_steps too"


@transformation
def warmup(peak_value: ScalarOrSchedule, warmup_steps: int, init_value: ScalarOrSchedule = 0.0) -> Schedule:
    """Rise in a line to a peak, and stay there.

    init_value + (peak_value - init_value) * step / warmup_steps, peak_value from warmup_steps on.

    Args:
      peak_value: the value in the end; any finite number.
      warmup_steps: the number of steps that the rise takes, at least 0; at 0 the peak is there at step 0.
        A tenth to a hundredth of all steps is usual.
      init_value: the value at step 0; any finite number.

    Returns:
      A schedule.

    Raises:
      ValueError: if an argument is out of range.

    References:
      Goyal et al., 2017, Accurate, Large Minibatch SGD: Training ImageNet in 1 Hour.

    Example:
      >>> import gradtx
      >>> rate = gradtx.warmup(1.0, warmup_steps=4)
      >>> [float(rate(step)) for step in (0, 1, 4, 100)]
      [0.0, 0.25, 1.0, 1.0]
    """
    finite(peak_value=peak_value, init_value=init_value)
    at_least("warmup_steps", warmup_steps, 0)
    return stepwise(_warmup, peak_value=peak_value, warmup_steps=warmup_steps, init_value=init_value)


def _warmup(step: Any, peak_value: Array, warmup_steps: int, init_value: Array) -> Array:
    return between(init_value, peak_value, ramp(as_step(step), 0, warmup_steps))


@transformation
def warmup_linear(
    peak_value: ScalarOrSchedule,
    warmup_steps: int,
    decay_steps: int,
    *,
    init_value: ScalarOrSchedule = 0.0,
    end_value: ScalarOrSchedule = 0.0,
) -> Schedule:
    """Rise in a line to a peak, then fall in a line.

    With Tw = warmup_steps and T = decay_steps: peak * s / Tw for s <= Tw, then peak * (T - s) / (T - Tw), for
    init_value = end_value = 0.

    Args:
      peak_value: the value at warmup_steps; any finite number.
      warmup_steps: the number of steps that the rise takes, at least 0; at 0 the peak is there at step 0.
      decay_steps: the number of steps in all, the rise included, at least warmup_steps.
      init_value: the value at step 0; any finite number.
      end_value: the value at decay_steps and beyond; any finite number.

    Returns:
      A schedule.

    Raises:
      ValueError: if an argument is out of range.

    References:
      Devlin, Chang, Lee and Toutanova, 2019, BERT: Pre-training of Deep Bidirectional Transformers for Language
      Understanding.

    Example:
      >>> import gradtx
      >>> rate = gradtx.warmup_linear(1.0, warmup_steps=2, decay_steps=6)
      >>> [float(rate(step)) for step in (0, 1, 2, 3, 4, 6)]
      [0.0, 0.5, 1.0, 0.75, 0.5, 0.0]
    """
    finite(peak_value=peak_value, init_value=init_value, end_value=end_value)
    at_least("warmup_steps", warmup_steps, 0)
    at_least("decay_steps", decay_steps, warmup_steps, TOTAL)
    return stepwise(
        _warmup_linear,
        peak_value=peak_value,
        warmup_steps=warmup_steps,
        decay_steps=decay_steps,
        init_value=init_value,
        end_value=end_value,
    )


def _warmup_linear(
    step: Any, peak_value: Array, warmup_steps: int, decay_steps: int, init_value: Array, end_value: Array
) -> Array:
    step = as_step(step)
    falling = between(peak_value, end_value, ramp(step, warmup_steps, decay_steps))
    return after_warmup(step, init_value, peak_value, warmup_steps, falling)


def after_warmup(step: Array, init_value: Array, peak_value: Array, warmup_steps: int, tail: Array) -> Array:
    """The rise to the peak before warmup_steps, and `tail` from there on."""
    rising = between(init_value, peak_value, ramp(step, 0, warmup_steps))
    return jnp.where(reached(step, warmup_steps), tail, rising)


@transformation
def warmup_cosine(
    peak_value: ScalarOrSchedule,
    warmup_steps: int,
    decay_steps: int,
    *,
    init_value: ScalarOrSchedule = 0.0,
    end_value: ScalarOrSchedule = 0.0,
    exponent: ScalarOrSchedule = 1.0,
) -> Schedule:
    """Rise in a line to a peak, then fall along half a cosine.

    With Tw = warmup_steps and T = decay_steps: peak * s / Tw for s <= Tw, then
    peak * ((1 + cos(pi * (s - Tw) / (T - Tw))) / 2)^exponent, for init_value = end_value = 0.

    Args:
      peak_value: the value at warmup_steps; any finite number.
      warmup_steps: the number of steps that the rise takes, at least 0; at 0 the peak is there at step 0.
      decay_steps: the number of steps in all, the rise included, at least warmup_steps.
      init_value: the value at step 0; any finite number.
      end_value: the value at decay_steps and beyond; any finite number.
      exponent: the power of the cosine, at least 0; above 1 the value falls early, below 1 late.

    Returns:
      A schedule.

    Raises:
      ValueError: if an argument is out of range.

    References:
      Loshchilov and Hutter, 2017, SGDR: Stochastic Gradient Descent with Warm Restarts.

    Example:
      >>> import gradtx
      >>> rate = gradtx.warmup_cosine(1.0, warmup_steps=10, decay_steps=110)
      >>> [round(float(rate(step)), 3) for step in (0, 5, 10, 60, 110)]
      [0.0, 0.5, 1.0, 0.5, 0.0]
    """
    finite(peak_value=peak_value, init_value=init_value, end_value=end_value)
    at_least("warmup_steps", warmup_steps, 0)
    at_least("decay_steps", decay_steps, warmup_steps, TOTAL)
    in_range("exponent", exponent)
    return stepwise(
        _warmup_cosine,
        peak_value=peak_value,
        warmup_steps=warmup_steps,
        decay_steps=decay_steps,
        init_value=init_value,
        end_value=end_value,
        exponent=unless_one(exponent),
    )


def _warmup_cosine(
    step: Any,
    peak_value: Array,
    warmup_steps: int,
    decay_steps: int,
    init_value: Array,
    end_value: Array,
    exponent: Array | None,
) -> Array:
    step = as_step(step)
    weights = power_shape(*cosine_shape(*ramp(step, warmup_steps, decay_steps)), exponent)
    return after_warmup(step, init_value, peak_value, warmup_steps, between(peak_value, end_value, weights))


@transformation
def warmup_exponential(
    peak_value: ScalarOrSchedule,
    warmup_steps: int,
    transition_steps: int,
    decay_rate: ScalarOrSchedule,
    transition_begin: int = 0,
    *,
    init_value: ScalarOrSchedule = 0.0,
    staircase: bool = False,
    end_value: ScalarOrSchedule | None = None,
) -> Schedule:
    """Rise in a line to a peak, then multiply by a factor in so many steps.

    peak * s / Tw for s <= Tw = warmup_steps, then peak * decay_rate^x, x = max(s - Tw - transition_begin, 0) /
    transition_steps, for init_value = 0.

    Args:
      peak_value: the value at warmup_steps; any finite number.
      warmup_steps: the number of steps that the rise takes, at least 0; at 0 the peak is there at step 0.
      transition_steps: the number of steps in which the value is multiplied by decay_rate once, at least 1.
      decay_rate: the factor, above 0.
      transition_begin: how many steps the peak lasts, at least 0.
      init_value: the value at step 0; any finite number.
      staircase: whether x is rounded down, so that the value falls once in transition_steps.
      end_value: the value goes no further than this, down if decay_rate is below 1 and else up; None for no end. The
        rise is not bound by it.

    Returns:
      A schedule.

    Raises:
      ValueError: if an argument is out of range.

    References:
      Senior, Heigold, Ranzato and Yang, 2013, An Empirical Study of Learning Rates in Deep Neural Networks for Speech
      Recognition.

    Example:
      >>> import gradtx
      >>> rate = gradtx.warmup_exponential(1.0, warmup_steps=4, transition_steps=10, decay_rate=0.25)
      >>> [float(rate(step)) for step in (0, 2, 4, 9, 14)]
      [0.0, 0.5, 1.0, 0.5, 0.25]
    """
    finite(peak_value=peak_value, init_value=init_value)
    at_least("warmup_steps", warmup_steps, 0)
    return stepwise(
        _warmup_exponential,
        peak_value=peak_value,
        warmup_steps=warmup_steps,
        init_value=init_value,
        staircase=staircase,
        **exponential_arguments(transition_steps, decay_rate, transition_begin, end_value),
    )


def _warmup_exponential(
    step: Any,
    peak_value: Array,
    warmup_steps: int,
    init_value: Array,
    transition_begin: int,
    **decay: Any,
) -> Array:
    step = as_step(step)
    falling = decay_exponentially(elapsed(step, warmup_steps + transition_begin), peak_value, **decay)
    return after_warmup(step, init_value, peak_value, warmup_steps, falling)


@transformation
def warmup_stable_decay(
    peak_value: ScalarOrSchedule,
    warmup_steps: int,
    stable_steps: int,
    decay_steps: int,
    *,
    shape: str = "1-sqrt",
    init_value: ScalarOrSchedule = 0.0,
    end_value: ScalarOrSchedule = 0.0,
) -> Schedule:
    """Rise in a line to a peak, stay there, and fall in the end: a trapezoid (WSD).

    With x the part of the fall that is done, for init_value = end_value = 0, the value is peak * step / warmup_steps,
    then peak, then peak * (1 - sqrt(x)), or peak * (1 - x), or peak * (1 + cos(pi x)) / 2.

    Args:
      peak_value: the value between the rise and the fall; any finite number.
      warmup_steps: the number of steps that the rise takes, at least 0; at 0 the peak is there at step 0.
      stable_steps: the number of steps for which the peak lasts, at least 0.
      decay_steps: the number of steps that the fall takes, by itself, at least 0; at 0 the end is reached at once. A
        fifth of all steps is what the paper advises.
      shape: how it falls: "1-sqrt", which the paper finds best, "linear" or "cosine".
      init_value: the value at step 0; any finite number.
      end_value: the value after the fall; any finite number.

    Returns:
      A schedule.

    Raises:
      ValueError: if an argument is out of range.

    References:
      Hägele, Bakouch, Kosson, Ben Allal, Von Werra and Jaggi, 2024, Scaling Laws and Compute-Optimal Training Beyond
      Fixed Training Durations.

    Example:
      >>> import gradtx
      >>> rate = gradtx.warmup_stable_decay(1.0, warmup_steps=2, stable_steps=4, decay_steps=4)
      >>> [float(rate(step)) for step in (0, 1, 2, 6, 7, 10)]
      [0.0, 0.5, 1.0, 1.0, 0.5, 0.0]
    """
    finite(peak_value=peak_value, init_value=init_value, end_value=end_value)
    for name, steps in (("warmup_steps", warmup_steps), ("stable_steps", stable_steps), ("decay_steps", decay_steps)):
        at_least(name, steps, 0)
    one_of("shape", shape, SHAPES)
    return stepwise(
        _warmup_stable_decay,
        peak_value=peak_value,
        warmup_steps=warmup_steps,
        stable_steps=stable_steps,
        decay_steps=decay_steps,
        shape=shape,
        init_value=init_value,
        end_value=end_value,
    )


def _warmup_stable_decay(
    step: Any,
    peak_value: Array,
    warmup_steps: int,
    stable_steps: int,
    decay_steps: int,
    shape: str,
    init_value: Array,
    end_value: Array,
) -> Array:
    step, stable_end = as_step(step), warmup_steps + stable_steps
    falling = between(peak_value, end_value, SHAPES[shape](*ramp(step, stable_end, stable_end + decay_steps)))
    return after_warmup(step, init_value, peak_value, warmup_steps, falling)
