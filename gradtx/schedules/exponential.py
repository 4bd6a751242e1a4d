"""Exponential decay."""

from __future__ import annotations

from typing import Any

import jax.numpy as jnp
from jax import Array

from gradtx.core import Count, Finite, Positive, PositiveCount, Schedule, stepwise, transformation
from gradtx.schedules.numbers import rate_to_power, split_rate
from gradtx.schedules.progress import as_float, as_step, cycles, elapsed


@transformation
def exponential(
    init_value: Finite,
    transition_steps: PositiveCount,
    decay_rate: Positive,
    transition_begin: Count = 0,
    *,
    staircase: bool = False,
    end_value: Finite | None = None,
) -> Schedule:
    """Decay exponentially, by a factor over a given number of steps.

    init_value * decay_rate^x, x = max(step - transition_begin, 0) / transition_steps.

    Args:
      init_value: the value up to transition_begin.
      transition_steps: the number of steps over which the value is multiplied by decay_rate once.
      decay_rate: the factor; below 1 the value decays, and above 1 it grows (by 1e34 at most in float32).
      transition_begin: the step at which the decay begins.
      staircase: whether x is rounded down, so that the value changes only once in transition_steps steps.
      end_value: a lower bound on the value if decay_rate is below 1, and otherwise an upper bound; None for no bound.

    Returns:
      A schedule. PyTorch's `ExponentialLR(gamma)` with a learning rate of r is `exponential(r, 1, gamma)`.

    References:
      Senior, Heigold, Ranzato and Yang, 2013, An Empirical Study of Learning Rates in Deep Neural Networks for Speech
      Recognition.

    Example:
      >>> import gradtx
      >>> rate = gradtx.exponential(1.0, transition_steps=10, decay_rate=0.25, end_value=0.1)
      >>> [float(rate(step)) for step in (0, 5, 10, 15, 20)]
      [1.0, 0.5, 0.25, 0.125, 0.10000000149011612]
    """
    rounded, residue = split_rate(decay_rate)
    return stepwise(
        _exponential,
        init_value=init_value,
        transition_steps=transition_steps,
        decay_rate=rounded,
        residue=residue,
        transition_begin=transition_begin,
        staircase=staircase,
        end_value=end_value,
    )


def _exponential(step: Array, init_value: Array, transition_begin: int, **decay: Any) -> Array:
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
    fraction = 0.0 if staircase else as_float(rest) / float(transition_steps)
    value = init_value * rate_to_power(decay_rate, residue, as_float(whole), fraction)
    if end_value is None:
        return value
    falls = jnp.log(decay_rate) + residue < 0
    beyond = jnp.where(falls, value < end_value, value > end_value)
    return jnp.where(beyond, end_value, value)
