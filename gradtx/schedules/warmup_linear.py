"""Warm-up, then linear decay."""

from __future__ import annotations

from jax import Array

from gradtx.core import Count, Finite, Schedule, transformation
from gradtx.core.ranges import AtLeast
from gradtx.schedules.curves import between
from gradtx.schedules.progress import ramp
from gradtx.schedules.warmup import TOTAL, after_warmup


@transformation
def warmup_linear(
    peak_value: Finite, warmup_steps: Count, decay_steps: Count, *, init_value: Finite = 0.0, end_value: Finite = 0.0
) -> Schedule:
    """Rise to a peak in a straight line, then fall in a straight line.

    With Tw = warmup_steps and T = decay_steps: peak * s / Tw for s <= Tw, then peak * (T - s) / (T - Tw), for
    init_value = end_value = 0.

    Args:
      peak_value: the value at warmup_steps.
      warmup_steps: the number of steps the warm-up takes; at 0 the peak is at step 0.
      decay_steps: the total number of steps, the warm-up included.
      init_value: the value at step 0.
      end_value: the value from decay_steps on.

    Returns:
      A schedule.

    Raises:
      ValueError: if `decay_steps` is less than `warmup_steps`.

    References:
      Devlin, Chang, Lee and Toutanova, 2019, BERT: Pre-training of Deep Bidirectional Transformers for Language
      Understanding.

    Example:
      >>> import gradtx
      >>> rate = gradtx.warmup_linear(1.0, warmup_steps=2, decay_steps=6)
      >>> [float(rate(step)) for step in (0, 1, 2, 3, 4, 6)]
      [0.0, 0.5, 1.0, 0.75, 0.5, 0.0]
    """
    AtLeast(warmup_steps, TOTAL).check("decay_steps", decay_steps)
    return after_warmup(
        _fall_linearly, peak_value, warmup_steps, init_value, decay_steps=decay_steps, end_value=end_value
    )


def _fall_linearly(step: Array, peak_value: Array, warmup_steps: int, decay_steps: int, end_value: Array) -> Array:
    return between(peak_value, end_value, ramp(step, warmup_steps, decay_steps))
