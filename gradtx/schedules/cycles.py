"""Schedules that go round: warm restarts, and cyclical rates. They have no end."""

from typing import Any

import jax
import jax.numpy as jnp

from gradtx.core import ScalarOrSchedule, Schedule, stepwise, transformation
from gradtx.core.checks import at_least, finite, in_range
from gradtx.core.progress import as_float, as_step, cycles, growing_ramp, ramp, reached
from gradtx.schedules.curves import between, cosine_shape
from gradtx.schedules.numbers import one_of, power, split_rate

Array = jax.Array
MODES = ("triangular", "triangular2", "exp_range")


@transformation
def cosine_restarts(
    init_value: ScalarOrSchedule,
    decay_steps: int,
    multiplier: int = 1,
    *,
    scale: ScalarOrSchedule = 1.0,
    end_value: ScalarOrSchedule = 0.0,
) -> Schedule:
    """Fall along half a cosine, start again from the top, and so on for ever.

    end_value + (peak - end_value) * (1 + cos(pi * t / T)) / 2, where t counts the steps since the i-th restart,
    T = decay_steps * multiplier^i and peak = init_value * scale^i.

    Args:
      init_value: the value at step 0; any finite number.
      decay_steps: the number of steps from the start to the first restart, at least 1.
      multiplier: how many times longer each fall is than the last, a whole number of at least 1.
      scale: what each restart's peak is multiplied by, at least 0.
      end_value: the value that each fall ends at, just not reached before the restart; any finite number.

    Returns:
      A schedule: PyTorch's `CosineAnnealingWarmRestarts(T_0, T_mult, eta_min)` on a rate of init_value. Optax's
      `sgdr_schedule` spells out each cycle, and each may begin with a warm-up.

    Raises:
      ValueError: if an argument is out of range.

    References:
      Loshchilov and Hutter, 2017, SGDR: Stochastic Gradient Descent with Warm Restarts.

    Example:
      >>> import gradtx
      >>> rate = gradtx.cosine_restarts(1.0, decay_steps=10, multiplier=2)
      >>> [round(float(rate(step)), 3) for step in (0, 5, 9, 10, 20, 30)]
      [1.0, 0.5, 0.024, 1.0, 0.5, 1.0]
    """
    finite(init_value=init_value, end_value=end_value)
    at_least("decay_steps", decay_steps, 1)
    at_least("multiplier", multiplier, 1)
    in_range("scale", scale)
    rounded, residue = split_rate(scale)
    return stepwise(
        _cosine_restarts,
        init_value=init_value,
        decay_steps=decay_steps,
        multiplier=multiplier,
        scale=rounded,
        residue=residue,
        end_value=end_value,
    )


def _cosine_restarts(
    step: Any,
    init_value: Array,
    decay_steps: int,
    multiplier: int,
    scale: Array,
    residue: Array,
    end_value: Array,
) -> Array:
    step = as_step(step)
    if multiplier == 1:
        cycle, since = cycles(step, decay_steps)
        left, done = ramp(since, 0, decay_steps)
    else:
        cycle, left, done = growing_ramp(step, decay_steps, multiplier)
    peak = init_value * power(scale, residue, as_float(cycle))
    return between(peak, end_value, cosine_shape(left, done))


@transformation
def cyclical(
    init_value: ScalarOrSchedule,
    peak_value: ScalarOrSchedule,
    step_size_up: int = 2000,
    step_size_down: int | None = None,
    *,
    mode: str = "triangular",
    gamma: ScalarOrSchedule = 1.0,
) -> Schedule:
    """Rise in a line and fall in a line, over and over.

    init_value + (peak_value - init_value) * x * height, where x goes from 0 to 1 in step_size_up steps and back to 0 in
    step_size_down, and the height is 1, or 2^-cycle, or gamma^step.

    Args:
      init_value: the value at which each cycle begins and ends; any finite number.
      peak_value: the value at the top of the first cycle; any finite number, below init_value too.
      step_size_up: the number of steps of a rise, at least 1; 2 to 10 epochs is the paper's advice.
      step_size_down: the number of steps of a fall, at least 1; step_size_up if not said.
      mode: "triangular", all cycles alike; "triangular2", each half as high as the last; "exp_range", the height falls
        by gamma at each step.
      gamma: the factor for "exp_range", at least 0; it has no part in the other modes.

    Returns:
      A schedule: PyTorch's `CyclicLR(base_lr, max_lr, step_size_up, step_size_down, mode, gamma)`. Its counterpart for
      the momentum is a schedule of its own, with peak_value below init_value.

    Raises:
      ValueError: if an argument is out of range.

    References:
      Smith, 2017, Cyclical Learning Rates for Training Neural Networks.

    Example:
      >>> import gradtx
      >>> rate = gradtx.cyclical(0.0, 1.0, step_size_up=2, step_size_down=4, mode="triangular2")
      >>> [float(rate(step)) for step in (0, 1, 2, 3, 6, 8)]
      [0.0, 0.5, 1.0, 0.75, 0.0, 0.5]
    """
    finite(init_value=init_value, peak_value=peak_value)
    at_least("step_size_up", step_size_up, 1)
    if step_size_down is not None:
        at_least("step_size_down", step_size_down, 1)
    one_of("mode", mode, MODES)
    in_range("gamma", gamma)
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
    step: Any,
    init_value: Array,
    peak_value: Array,
    step_size_up: int,
    step_size_down: int,
    mode: str,
    gamma: Array,
    residue: Array,
) -> Array:
    step = as_step(step)
    total = step_size_up + step_size_down
    cycle, since = cycles(step, total)
    to_rise, risen = ramp(since, 0, step_size_up)
    to_fall, fallen = ramp(since, step_size_up, total)
    falls = reached(since, step_size_up)
    low, high = jnp.where(falls, fallen, to_rise), jnp.where(falls, to_fall, risen)
    if mode == "triangular":
        return between(init_value, peak_value, (low, high))
    height = power(gamma, residue, as_float(step)) if mode == "exp_range" else 0.5 ** as_float(cycle)
    return between(init_value, peak_value, (low + high * (1.0 - height), high * height))
