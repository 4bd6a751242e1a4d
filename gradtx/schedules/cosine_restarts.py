"""Cosine decay with warm restarts."""

from __future__ import annotations

from jax import Array

from gradtx.core import Finite, NonNegative, PositiveCount, Schedule, stepwise, transformation
from gradtx.schedules.curves import between, cosine_shape
from gradtx.schedules.numbers import rate_to_power, split_rate
from gradtx.schedules.progress import as_float, as_step, cycles, growing_ramp, ramp


@transformation
def cosine_restarts(
    init_value: Finite,
    decay_steps: PositiveCount,
    multiplier: PositiveCount = 1,
    *,
    scale: NonNegative = 1.0,
    end_value: Finite = 0.0,
) -> Schedule:
    """Decay along half a cosine, restart at the top, and so on forever.

    end_value + (peak - end_value) * (1 + cos(pi * t / T)) / 2, where t counts the steps since the i-th restart,
    T = decay_steps * multiplier^i and peak = init_value * scale^i.

    Args:
      init_value: the value at step 0.
      decay_steps: the number of steps before the first restart.
      multiplier: the length of each cycle divided by that of the cycle before it.
      scale: the peak of each cycle divided by that of the cycle before it.
      end_value: the value that each cycle approaches; the restart comes just before it is reached.

    Returns:
      A schedule. It is PyTorch's `CosineAnnealingWarmRestarts(T_0, T_mult, eta_min)` with a learning rate of
      init_value. `sgdr_schedule`, as in Optax, takes the arguments of each cycle, which may begin with a warm-up.

    References:
      Loshchilov and Hutter, 2017, SGDR: Stochastic Gradient Descent with Warm Restarts.

    Example:
      >>> import gradtx
      >>> rate = gradtx.cosine_restarts(1.0, decay_steps=10, multiplier=2)
      >>> [round(float(rate(step)), 3) for step in (0, 5, 9, 10, 20, 30)]
      [1.0, 0.5, 0.024, 1.0, 0.5, 1.0]
    """
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
    step: Array, init_value: Array, decay_steps: int, multiplier: int, scale: Array, residue: Array, end_value: Array
) -> Array:
    step = as_step(step)
    if multiplier == 1:
        cycle, since = cycles(step, decay_steps)
        left, done = ramp(since, 0, decay_steps)
    else:
        cycle, left, done = growing_ramp(step, decay_steps, multiplier)
    peak = init_value * rate_to_power(scale, residue, as_float(cycle))
    return between(peak, end_value, cosine_shape(left, done))
