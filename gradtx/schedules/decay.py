"""Schedules that fall: in stairs, by a rate, along a cosine, as an inverse square root."""

from typing import Any

import jax
import jax.numpy as jnp
from jax import lax

from gradtx.core import ScalarOrSchedule, Schedule, stepwise, transformation
from gradtx.core.checks import at_least, finite, in_range
from gradtx.core.progress import after, as_float, as_step, cycles, elapsed, ramp
from gradtx.schedules.curves import between, cosine_shape, power_shape
from gradtx.schedules.numbers import power as to_the_power
from gradtx.schedules.numbers import split_rate, unless_one

Array = jax.Array


@transformation
def step_decay(init_value: ScalarOrSchedule, transition_steps: int, decay_rate: ScalarOrSchedule = 0.1) -> Schedule:
    """Multiply by a factor once in so many steps.

    init_value * decay_rate^floor(step / transition_steps)

    Args:
      init_value: the value at first; any finite number.
      transition_steps: the number of steps from one cut to the next, at least 1.
      decay_rate: the factor, at least 0; 0.1 is the custom for networks on images.

    Returns:
      A schedule. It is PyTorch's `StepLR(step_size, gamma)`; `exponential` has more options.

    Raises:
      ValueError: if an argument is out of range.

    References:
      He, Zhang, Ren and Sun, 2016, Deep Residual Learning for Image Recognition.

    Example:
      >>> import gradtx
      >>> rate = gradtx.step_decay(1.0, transition_steps=10, decay_rate=0.5)
      >>> [float(rate(step)) for step in (0, 9, 10, 25)]
      [1.0, 1.0, 0.5, 0.25]
    """
    finite(init_value=init_value)
    at_least("transition_steps", transition_steps, 1)
    in_range("decay_rate", decay_rate)
    rounded, residue = split_rate(decay_rate)
    return stepwise(
        _step_decay, init_value=init_value, transition_steps=transition_steps, decay_rate=rounded, residue=residue
    )


def _step_decay(step: Any, init_value: Array, transition_steps: int, decay_rate: Array, residue: Array) -> Array:
    cuts, _ = cycles(as_step(step), transition_steps)
    return init_value * to_the_power(decay_rate, residue, as_float(cuts))


@transformation
def exponential(
    init_value: ScalarOrSchedule,
    transition_steps: int,
    decay_rate: ScalarOrSchedule,
    transition_begin: int = 0,
    *,
    staircase: bool = False,
    end_value: ScalarOrSchedule | None = None,
) -> Schedule:
    """Multiply by a factor in so many steps, a little at each.

    init_value * decay_rate^x, x = max(step - transition_begin, 0) / transition_steps.

    Args:
      init_value: the value up to transition_begin; any finite number.
      transition_steps: the number of steps in which the value is multiplied by decay_rate once, at least 1.
      decay_rate: the factor, above 0; below 1 the value decays, above 1 it grows (by 1e34 at most in float32).
      transition_begin: the step at which it begins, at least 0.
      staircase: whether x is rounded down, so that the value falls once in transition_steps.
      end_value: the value goes no further than this, down if decay_rate is below 1 and else up; None for no end.

    Returns:
      A schedule. PyTorch's `ExponentialLR(gamma)` on a rate of r is `exponential(r, 1, gamma)`.

    Raises:
      ValueError: if an argument is out of range.

    References:
      Senior, Heigold, Ranzato and Yang, 2013, An Empirical Study of Learning Rates in Deep Neural Networks for Speech
      Recognition.

    Example:
      >>> import gradtx
      >>> rate = gradtx.exponential(1.0, transition_steps=10, decay_rate=0.25, end_value=0.1)
      >>> [float(rate(step)) for step in (0, 5, 10, 15, 20)]
      [1.0, 0.5, 0.25, 0.125, 0.10000000149011612]
    """
    finite(init_value=init_value)
    return stepwise(
        _exponential,
        init_value=init_value,
        staircase=staircase,
        **exponential_arguments(transition_steps, decay_rate, transition_begin, end_value),
    )


def exponential_arguments(
    transition_steps: int, decay_rate: Any, transition_begin: int, end_value: Any
) -> dict[str, Any]:
    """The hyperparameters of an exponential decay, checked.

    Raises:
      ValueError: if an argument is out of range.
    """
    at_least("transition_steps", transition_steps, 1)
    in_range("decay_rate", decay_rate, open_low=True)
    at_least("transition_begin", transition_begin, 0)
    if end_value is not None:
        finite(end_value=end_value)
    rounded, residue = split_rate(decay_rate)
    return {
        "transition_steps": transition_steps,
        "decay_rate": rounded,
        "residue": residue,
        "transition_begin": transition_begin,
        "end_value": end_value,
    }


def _exponential(step: Any, init_value: Array, transition_begin: int, **decay: Any) -> Array:
    return decay_exponentially(elapsed(as_step(step), transition_begin), init_value, **decay)


def decay_exponentially(
    since: Array,
    init_value: Array,
    transition_steps: int,
    decay_rate: Array,
    residue: Array,
    staircase: bool,
    end_value: Array | None,
) -> Array:
    """The value `since` steps after an exponential decay began."""
    whole, rest = cycles(since, transition_steps)
    part = 0.0 if staircase else as_float(rest) / float(transition_steps)
    value = init_value * to_the_power(decay_rate, residue, as_float(whole), part)
    if end_value is None:
        return value
    falls = jnp.log(decay_rate) + residue < 0
    over = jnp.where(falls, value < end_value, value > end_value)
    return jnp.where(over, end_value, value)


@transformation
def cosine(
    init_value: ScalarOrSchedule,
    decay_steps: int,
    end_value: ScalarOrSchedule = 0.0,
    *,
    exponent: ScalarOrSchedule = 1.0,
) -> Schedule:
    """Fall from one value to another along half a cosine.

    end_value + (init_value - end_value) * ((1 + cos(pi * step / decay_steps)) / 2)^exponent, end_value from decay_steps
    on.

    Args:
      init_value: the value at step 0; any finite number.
      decay_steps: the number of steps that the fall takes, at least 0; at 0 the end is reached at once.
      end_value: the value at the end; any finite number. Optax's `alpha` is end_value / init_value.
      exponent: the power of the cosine, at least 0; above 1 the value falls early, below 1 late.

    Returns:
      A schedule. Beyond decay_steps PyTorch's `CosineAnnealingLR(T_max, eta_min)` rises again; this one holds.

    Raises:
      ValueError: if an argument is out of range.

    References:
      Loshchilov and Hutter, 2017, SGDR: Stochastic Gradient Descent with Warm Restarts.

    Example:
      >>> import gradtx
      >>> rate = gradtx.cosine(1.0, decay_steps=100)
      >>> [round(float(rate(step)), 3) for step in (0, 50, 100, 200)]
      [1.0, 0.5, 0.0, 0.0]
    """
    finite(init_value=init_value, end_value=end_value)
    at_least("decay_steps", decay_steps, 0)
    in_range("exponent", exponent)
    return stepwise(
        _cosine, init_value=init_value, decay_steps=decay_steps, end_value=end_value, exponent=unless_one(exponent)
    )


def _cosine(step: Any, init_value: Array, decay_steps: int, end_value: Array, exponent: Array | None) -> Array:
    weights = power_shape(*cosine_shape(*ramp(as_step(step), 0, decay_steps)), exponent)
    return between(init_value, end_value, weights)


@transformation
def rsqrt(init_value: ScalarOrSchedule, timescale: int = 10_000, hold_steps: int = 0) -> Schedule:
    """Fall as the inverse square root of the step, without an end.

    init_value / sqrt(1 + max(step - hold_steps, 0) / timescale)

    Args:
      init_value: the value up to hold_steps; any finite number.
      timescale: the number of steps after which the value has fallen to 1 / sqrt(2) of it, at least 1.
      hold_steps: the number of steps before the fall, at least 0. With hold_steps = timescale = k it is the schedule of
        T5, in proportion to 1 / sqrt(max(step, k)).

    Returns:
      A schedule. `warmup_inverse_sqrt` begins with a rise; `noam` is the first of the kind.

    Raises:
      ValueError: if an argument is out of range.

    References:
      Zhai, Kolesnikov, Houlsby and Beyer, 2022, Scaling Vision Transformers.
      Raffel et al., 2020, Exploring the Limits of Transfer Learning with a Unified Text-to-Text Transformer.

    Example:
      >>> import gradtx
      >>> rate = gradtx.rsqrt(1.0, timescale=10)
      >>> [round(float(rate(step)), 3) for step in (0, 10, 30, 990)]
      [1.0, 0.707, 0.5, 0.1]
    """
    finite(init_value=init_value)
    at_least("timescale", timescale, 1)
    at_least("hold_steps", hold_steps, 0)
    return stepwise(_rsqrt, init_value=init_value, timescale=timescale, hold_steps=hold_steps)


def _rsqrt(step: Any, init_value: Array, timescale: int, hold_steps: int) -> Array:
    return init_value / lax.sqrt(1.0 + after(as_step(step), hold_steps) / float(timescale))
