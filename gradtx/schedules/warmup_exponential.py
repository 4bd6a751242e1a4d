"""Warm-up, then exponential decay."""

from __future__ import annotations

from typing import Any

from jax import Array

from gradtx.core import Count, Finite, Positive, PositiveCount, Schedule, transformation
from gradtx.schedules.exponential import decay_exponentially
from gradtx.schedules.numbers import split_rate
from gradtx.schedules.progress import elapsed
from gradtx.schedules.warmup import after_warmup


@transformation
def warmup_exponential(
    peak_value: Finite,
    warmup_steps: Count,
    transition_steps: PositiveCount,
    decay_rate: Positive,
    transition_begin: Count = 0,
    *,
    init_value: Finite = 0.0,
    staircase: bool = False,
    end_value: Finite | None = None,
) -> Schedule:
    """Rise to a peak in a straight line, then decay exponentially.

    peak * s / Tw for s <= Tw = warmup_steps, then peak * decay_rate^x, x = max(s - Tw - transition_begin, 0) /
    transition_steps, for init_value = 0.

    Args:
      peak_value: the value at warmup_steps.
      warmup_steps: the number of steps the warm-up takes; at 0 the peak is at step 0.
      transition_steps: as for `exponential`.
      decay_rate: as for `exponential`.
      transition_begin: the number of steps after warmup_steps for which the peak holds.
      init_value: the value at step 0.
      staircase: as for `exponential`.
      end_value: as for `exponential`; the warm-up is not bounded.

    Returns:
      A schedule.

    References:
      Senior, Heigold, Ranzato and Yang, 2013, An Empirical Study of Learning Rates in Deep Neural Networks for Speech
      Recognition.

    Example:
      >>> import gradtx
      >>> rate = gradtx.warmup_exponential(1.0, warmup_steps=4, transition_steps=10, decay_rate=0.25)
      >>> [float(rate(step)) for step in (0, 2, 4, 9, 14)]
      [0.0, 0.5, 1.0, 0.5, 0.25]
    """
    rounded, residue = split_rate(decay_rate)
    return after_warmup(
        _decay_exponentially,
        peak_value,
        warmup_steps,
        init_value,
        transition_steps=transition_steps,
        decay_rate=rounded,
        residue=residue,
        transition_begin=transition_begin,
        staircase=staircase,
        end_value=end_value,
    )


def _decay_exponentially(
    step: Array, peak_value: Array, warmup_steps: int, transition_begin: int, **decay: Any
) -> Array:
    return decay_exponentially(elapsed(step, warmup_steps + transition_begin), peak_value, **decay)
