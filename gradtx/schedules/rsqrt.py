"""Inverse square root decay."""

from __future__ import annotations

from jax import Array, lax

from gradtx.core import Count, Finite, PositiveCount, Schedule, stepwise, transformation
from gradtx.schedules.progress import after, as_step


@transformation
def rsqrt(init_value: Finite, timescale: PositiveCount = 10_000, hold_steps: Count = 0) -> Schedule:
    """Decay as the inverse square root of the step, without an end.

    init_value / sqrt(1 + max(step - hold_steps, 0) / timescale)

    Args:
      init_value: the value up to hold_steps.
      timescale: the number of steps after which the value has fallen to 1 / sqrt(2) of init_value.
      hold_steps: the number of steps before the decay begins. With hold_steps = timescale = k this is the schedule of
        T5, which is proportional to 1 / sqrt(max(step, k)), with k = 10_000.

    Returns:
      A schedule. `warmup_inverse_sqrt` begins with a warm-up, and `noam` was the first schedule of this kind.

    References:
      Zhai, Kolesnikov, Houlsby and Beyer, 2022, Scaling Vision Transformers.
      Raffel et al., 2020, Exploring the Limits of Transfer Learning with a Unified Text-to-Text Transformer.

    Example:
      >>> import gradtx
      >>> rate = gradtx.rsqrt(1.0, timescale=10)
      >>> [round(float(rate(step)), 3) for step in (0, 10, 30, 990)]
      [1.0, 0.707, 0.5, 0.1]
    """
    return stepwise(_rsqrt, init_value=init_value, timescale=timescale, hold_steps=hold_steps)


def _rsqrt(step: Array, init_value: Array, timescale: int, hold_steps: int) -> Array:
    return init_value / lax.sqrt(1.0 + after(as_step(step), hold_steps) / float(timescale))
