"""Warm-up, a constant peak, and a decay at the end."""

from __future__ import annotations

from typing import Literal

from jax import Array

from gradtx.core import Count, Finite, Schedule, transformation
from gradtx.schedules.curves import SHAPES, between
from gradtx.schedules.progress import ramp
from gradtx.schedules.warmup import after_warmup


@transformation
def warmup_stable_decay(
    peak_value: Finite,
    warmup_steps: Count,
    stable_steps: Count,
    decay_steps: Count,
    *,
    shape: Literal["linear", "cosine", "1-sqrt"] = "1-sqrt",
    init_value: Finite = 0.0,
    end_value: Finite = 0.0,
) -> Schedule:
    """Rise to a peak in a straight line, hold it, and decay at the end (WSD, a trapezoid).

    With x the fraction of the decay that is done, for init_value = end_value = 0, the value is peak * step /
    warmup_steps, then peak, then peak * (1 - sqrt(x)), or peak * (1 - x), or peak * (1 + cos(pi x)) / 2.

    Args:
      peak_value: the value between the warm-up and the decay.
      warmup_steps: the number of steps the warm-up takes; at 0 the peak is at step 0.
      stable_steps: the number of steps for which the peak holds.
      decay_steps: the number of steps the decay itself takes; at 0 the value jumps to end_value. The paper advises a
        fifth of all steps.
      shape: the curve of the decay: "linear" is a straight line, "cosine" half a cosine, and "1-sqrt" the square root
        of the fraction that is done, which the paper finds best.
      init_value: the value at step 0.
      end_value: the value after the decay.

    Returns:
      A schedule.

    References:
      Hägele, Bakouch, Kosson, Ben Allal, Von Werra and Jaggi, 2024, Scaling Laws and Compute-Optimal Training Beyond
      Fixed Training Durations.

    Example:
      >>> import gradtx
      >>> rate = gradtx.warmup_stable_decay(1.0, warmup_steps=2, stable_steps=4, decay_steps=4)
      >>> [float(rate(step)) for step in (0, 1, 2, 6, 7, 10)]
      [0.0, 0.5, 1.0, 1.0, 0.5, 0.0]
    """
    return after_warmup(
        _hold_and_decay,
        peak_value,
        warmup_steps,
        init_value,
        stable_steps=stable_steps,
        decay_steps=decay_steps,
        shape=shape,
        end_value=end_value,
    )


def _hold_and_decay(
    step: Array,
    peak_value: Array,
    warmup_steps: int,
    stable_steps: int,
    decay_steps: int,
    shape: str,
    end_value: Array,
) -> Array:
    begin = warmup_steps + stable_steps
    return between(peak_value, end_value, SHAPES[shape](*ramp(step, begin, begin + decay_steps)))
