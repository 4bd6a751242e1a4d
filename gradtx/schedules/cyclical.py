"""Cyclical learning rates."""

from __future__ import annotations

from typing import Literal

import jax.numpy as jnp
from jax import Array

from gradtx.core import Finite, NonNegative, PositiveCount, Schedule, stepwise, transformation
from gradtx.schedules.curves import between
from gradtx.schedules.numbers import rate_to_power, split_rate
from gradtx.schedules.progress import as_float, as_step, cycles, ramp, reached


@transformation
def cyclical(
    init_value: Finite,
    peak_value: Finite,
    step_size_up: PositiveCount = 2000,
    step_size_down: PositiveCount | None = None,
    *,
    mode: Literal["triangular", "triangular2", "exp_range"] = "triangular",
    gamma: NonNegative = 1.0,
) -> Schedule:
    """Rise and fall in straight lines, over and over.

    init_value + (peak_value - init_value) * x * height, where x goes from 0 to 1 in step_size_up steps and back to 0 in
    step_size_down, and the height is 1, or 2^-cycle, or gamma^step.

    Args:
      init_value: the value at which each cycle begins and ends.
      peak_value: the value at the top of the first cycle, which may be below init_value.
      step_size_up: the number of steps in each rise. The paper advises 2 to 10 epochs; 2000 is PyTorch's default.
      step_size_down: the number of steps in each fall, by default step_size_up.
      mode: how the height changes. In "triangular" it does not, in "triangular2" it halves with each cycle, and in
        "exp_range" it is multiplied by gamma at each step.
      gamma: the factor in "exp_range"; the other modes ignore it.

    Returns:
      A schedule. It is PyTorch's `CyclicLR(base_lr, max_lr, step_size_up, step_size_down, mode, gamma)`. To cycle the
      momentum as well, give it a schedule of its own, with peak_value below init_value.

    References:
      Smith, 2017, Cyclical Learning Rates for Training Neural Networks.

    Example:
      >>> import gradtx
      >>> rate = gradtx.cyclical(0.0, 1.0, step_size_up=2, step_size_down=4, mode="triangular2")
      >>> [float(rate(step)) for step in (0, 1, 2, 3, 6, 8)]
      [0.0, 0.5, 1.0, 0.75, 0.0, 0.5]
    """
    rounded, residue = split_rate(gamma)
    return stepwise(
        _cyclical,
        init_value=init_value,
        peak_value=peak_value,
        step_size_up=step_size_up,
        step_size_down=step_size_up if step_size_down is None else step_size_down,
        mode=mode,
        gamma=rounded,
        residue=residue,
    )


def _cyclical(
    step: Array,
    init_value: Array,
    peak_value: Array,
    step_size_up: int,
    step_size_down: int,
    mode: str,
    gamma: Array,
    residue: Array,
) -> Array:
    step = as_step(step)
    length = step_size_up + step_size_down
    cycle, since = cycles(step, length)
    left_to_rise, risen = ramp(since, 0, step_size_up)
    left_to_fall, fallen = ramp(since, step_size_up, length)
    falls = reached(since, step_size_up)
    low, high = jnp.where(falls, fallen, left_to_rise), jnp.where(falls, left_to_fall, risen)
    if mode == "triangular":
        return between(init_value, peak_value, (low, high))
    height = rate_to_power(gamma, residue, as_float(step)) if mode == "exp_range" else 0.5 ** as_float(cycle)
    return between(init_value, peak_value, (low + high * (1.0 - height), high * height))
