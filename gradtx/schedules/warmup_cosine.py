"""Warm-up, then cosine decay."""

from __future__ import annotations

from jax import Array

from gradtx.core import Count, Finite, NonNegative, Schedule, transformation
from gradtx.core.ranges import AtLeast
from gradtx.schedules.curves import between, cosine_shape, power_shape
from gradtx.schedules.numbers import unless_one
from gradtx.schedules.progress import ramp
from gradtx.schedules.warmup import TOTAL, after_warmup


@transformation
def warmup_cosine(
    peak_value: Finite,
    warmup_steps: Count,
    decay_steps: Count,
    *,
    init_value: Finite = 0.0,
    end_value: Finite = 0.0,
    exponent: NonNegative = 1.0,
) -> Schedule:
    """Rise to a peak in a straight line, then decay along half a cosine.

    With Tw = warmup_steps and T = decay_steps: peak * s / Tw for s <= Tw, then
    peak * ((1 + cos(pi * (s - Tw) / (T - Tw))) / 2)^exponent, for init_value = end_value = 0.

    Args:
      peak_value: the value at warmup_steps.
      warmup_steps: the number of steps the warm-up takes; at 0 the peak is at step 0.
      decay_steps: the total number of steps, the warm-up included.
      init_value: the value at step 0.
      end_value: the value from decay_steps on.
      exponent: the power to which the curve is raised; above 1 the value falls earlier, below 1 later.

    Returns:
      A schedule.

    Raises:
      ValueError: if `decay_steps` is less than `warmup_steps`.

    References:
      Loshchilov and Hutter, 2017, SGDR: Stochastic Gradient Descent with Warm Restarts.

    Example:
      >>> import gradtx
      >>> rate = gradtx.warmup_cosine(1.0, warmup_steps=10, decay_steps=110)
      >>> [round(float(rate(step)), 3) for step in (0, 5, 10, 60, 110)]
      [0.0, 0.5, 1.0, 0.5, 0.0]
    """
    AtLeast(warmup_steps, TOTAL).check("decay_steps", decay_steps)
    return after_warmup(
        _fall_along_cosine,
        peak_value,
        warmup_steps,
        init_value,
        decay_steps=decay_steps,
        end_value=end_value,
        exponent=unless_one(exponent),
    )


def _fall_along_cosine(
    step: Array, peak_value: Array, warmup_steps: int, decay_steps: int, end_value: Array, exponent: Array | None
) -> Array:
    weights = power_shape(*cosine_shape(*ramp(step, warmup_steps, decay_steps)), exponent)
    return between(peak_value, end_value, weights)
