"""Schedules that are functions of the step alone: step 0 is the first, and beyond its end each holds its value."""

import jax
import jax.numpy as jnp

from gradtx.core import ScalarOrSchedule, Schedule, stepwise, transformation
from gradtx.core.checks import at_least, in_range
from gradtx.core.numerics import scalar_dtype
from gradtx.core.primitives import hold

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
    in_range("value", value, -jnp.inf, open_low=True)
    return stepwise(hold, value=value)


@transformation
def step_decay(init_value: ScalarOrSchedule, transition_steps: int, decay_rate: ScalarOrSchedule = 0.1) -> Schedule:
    """Multiply by a factor once in so many steps.

    init_value * decay_rate^floor(step / transition_steps)

    Args:
      init_value: the value at first; any finite number.
      transition_steps: the number of steps from one cut to the next, at least 1.
      decay_rate: the factor, at least 0; 0.1 is the custom for networks on images.

    Returns:
      A schedule.

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
    in_range("init_value", init_value, -jnp.inf, open_low=True)
    at_least("transition_steps", transition_steps, 1)
    in_range("decay_rate", decay_rate)
    return stepwise(_step_decay, init_value=init_value, transition_steps=transition_steps, decay_rate=decay_rate)


def _step_decay(step: Array, init_value: Array, transition_steps: int, decay_rate: Array) -> Array:
    return init_value * decay_rate ** jnp.floor_divide(step, transition_steps)


@transformation
def cosine(init_value: ScalarOrSchedule, decay_steps: int, end_value: ScalarOrSchedule = 0.0) -> Schedule:
    """Fall from one value to another along half a cosine.

    end_value + (init_value - end_value) / 2 * (1 + cos(pi * step / decay_steps)), end_value from decay_steps on.

    Args:
      init_value: the value at step 0; any finite number.
      decay_steps: the number of steps that the fall takes, at least 0; at 0 the end is reached at once.
      end_value: the value at the end; any finite number. Optax's `alpha` is end_value / init_value.

    Returns:
      A schedule.

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
    in_range("init_value", init_value, -jnp.inf, open_low=True)
    at_least("decay_steps", decay_steps, 0)
    in_range("end_value", end_value, -jnp.inf, open_low=True)
    return stepwise(_cosine, init_value=init_value, decay_steps=decay_steps, end_value=end_value)


def _cosine(step: Array, init_value: Array, decay_steps: int, end_value: Array) -> Array:
    # (1 + cos(pi x)) / 2 = sin(pi (1 - x) / 2)^2, which keeps its digits where it is small and ends at exactly 0.
    remaining = _progress(decay_steps - jnp.minimum(step, decay_steps), decay_steps) if decay_steps else 0.0
    return end_value + (init_value - end_value) * jnp.square(jnp.sin(0.5 * jnp.pi * remaining))


def _progress(step: Array, steps: int) -> Array:
    """How much of `steps` is done, from 0 to 1; no steps at all are done at once."""
    if steps == 0:
        return jnp.ones_like(step, scalar_dtype())
    return jnp.minimum(step, steps).astype(scalar_dtype()) / steps


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
    in_range("peak_value", peak_value, -jnp.inf, open_low=True)
    at_least("warmup_steps", warmup_steps, 0)
    in_range("init_value", init_value, -jnp.inf, open_low=True)
    return stepwise(_warmup, peak_value=peak_value, warmup_steps=warmup_steps, init_value=init_value)


def _warmup(step: Array, peak_value: Array, warmup_steps: int, init_value: Array) -> Array:
    done = _progress(step, warmup_steps)
    return jnp.where(done < 1, init_value + (peak_value - init_value) * done, peak_value)


@transformation
def warmup_cosine(
    peak_value: ScalarOrSchedule,
    warmup_steps: int,
    decay_steps: int,
    *,
    init_value: ScalarOrSchedule = 0.0,
    end_value: ScalarOrSchedule = 0.0,
) -> Schedule:
    """Rise in a line to a peak, then fall along half a cosine.

    With Tw = warmup_steps and T = decay_steps: peak * s / Tw for s <= Tw, then
    peak / 2 * (1 + cos(pi * (s - Tw) / (T - Tw))), for init_value = end_value = 0.

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
      Loshchilov and Hutter, 2017, SGDR: Stochastic Gradient Descent with Warm Restarts.

    Example:
      >>> import gradtx
      >>> rate = gradtx.warmup_cosine(1.0, warmup_steps=10, decay_steps=110)
      >>> [round(float(rate(step)), 3) for step in (0, 5, 10, 60, 110)]
      [0.0, 0.5, 1.0, 0.5, 0.0]
    """
    for name, value in (("peak_value", peak_value), ("init_value", init_value), ("end_value", end_value)):
        in_range(name, value, -jnp.inf, open_low=True)
    at_least("warmup_steps", warmup_steps, 0)
    at_least("decay_steps", decay_steps, warmup_steps, ", for it counts warmup_steps too")
    return stepwise(
        _warmup_cosine,
        peak_value=peak_value,
        warmup_steps=warmup_steps,
        decay_steps=decay_steps,
        init_value=init_value,
        end_value=end_value,
    )


def _warmup_cosine(
    step: Array, peak_value: Array, warmup_steps: int, decay_steps: int, init_value: Array, end_value: Array
) -> Array:
    rising = _warmup(step, peak_value, warmup_steps, init_value)
    falling = _cosine(jnp.maximum(step - warmup_steps, 0), peak_value, decay_steps - warmup_steps, end_value)
    return jnp.where(step < warmup_steps, rising, falling)
