"""Warm-up: a rise to a peak in a straight line, by itself or before another schedule."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import jax.numpy as jnp
from jax import Array

from gradtx.core import Count, Finite, Schedule, stepwise, transformation
from gradtx.schedules.curves import between
from gradtx.schedules.progress import as_step, ramp, reached

TOTAL = ", for it counts warmup_steps too"  # why a total number of steps has this lower bound


@transformation
def warmup(peak_value: Finite, warmup_steps: Count, init_value: Finite = 0.0) -> Schedule:
    """Rise to a peak in a straight line, and stay there.

    init_value + (peak_value - init_value) * step / warmup_steps, peak_value from warmup_steps on.

    Args:
      peak_value: the value from warmup_steps on.
      warmup_steps: the number of steps the warm-up takes; at 0 the peak is at step 0. 1% to 10% of all steps
        is usual.
      init_value: the value at step 0.

    Returns:
      A schedule.

    References:
      Goyal et al., 2017, Accurate, Large Minibatch SGD: Training ImageNet in 1 Hour.

    Example:
      >>> import gradtx
      >>> rate = gradtx.warmup(1.0, warmup_steps=4)
      >>> [float(rate(step)) for step in (0, 1, 4, 100)]
      [0.0, 0.25, 1.0, 1.0]
    """
    return stepwise(_warmup, peak_value=peak_value, warmup_steps=warmup_steps, init_value=init_value)


def _warmup(step: Array, peak_value: Array, warmup_steps: int, init_value: Array) -> Array:
    return between(init_value, peak_value, ramp(as_step(step), 0, warmup_steps))


def after_warmup(
    tail: Callable[..., Array], peak_value: Any, warmup_steps: int, init_value: Any, **hyperparameters: Any
) -> Schedule:
    """A warm-up followed by `tail(step, peak_value, warmup_steps, **hyperparameters) -> value`."""
    return stepwise(
        _after_warmup,
        tail=tail,
        peak_value=peak_value,
        warmup_steps=warmup_steps,
        init_value=init_value,
        **hyperparameters,
    )


def _after_warmup(
    step: Array,
    tail: Callable[..., Array],
    peak_value: Array,
    warmup_steps: int,
    init_value: Array,
    **hyperparameters: Any,
) -> Array:
    step = as_step(step)
    rising = between(init_value, peak_value, ramp(step, 0, warmup_steps))
    return jnp.where(reached(step, warmup_steps), tail(step, peak_value, warmup_steps, **hyperparameters), rising)
