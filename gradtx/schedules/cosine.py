"""Cosine decay."""

from __future__ import annotations

from jax import Array

from gradtx.core import Count, Finite, NonNegative, Schedule, stepwise, transformation
from gradtx.schedules.curves import between, cosine_shape, power_shape
from gradtx.schedules.numbers import unless_one
from gradtx.schedules.progress import as_step, ramp


@transformation
def cosine(init_value: Finite, decay_steps: Count, end_value: Finite = 0.0, *, exponent: NonNegative = 1.0) -> Schedule:
    """Decay from one value to another along half a cosine.

    end_value + (init_value - end_value) * ((1 + cos(pi * step / decay_steps)) / 2)^exponent, end_value from decay_steps
    on.

    Args:
      init_value: the value at step 0.
      decay_steps: the number of steps the decay takes; at 0 the end value holds from the start.
      end_value: the value from decay_steps on. Optax's `alpha` is end_value / init_value.
      exponent: the power to which the curve is raised; above 1 the value falls earlier, below 1 later.

    Returns:
      A schedule. PyTorch's `CosineAnnealingLR(T_max, eta_min)` rises again after decay_steps; this one holds its value.

    References:
      Loshchilov and Hutter, 2017, SGDR: Stochastic Gradient Descent with Warm Restarts.

    Example:
      >>> import gradtx
      >>> rate = gradtx.cosine(1.0, decay_steps=100)
      >>> [round(float(rate(step)), 3) for step in (0, 50, 100, 200)]
      [1.0, 0.5, 0.0, 0.0]
    """
    return stepwise(
        _cosine, init_value=init_value, decay_steps=decay_steps, end_value=end_value, exponent=unless_one(exponent)
    )


def _cosine(step: Array, init_value: Array, decay_steps: int, end_value: Array, exponent: Array | None) -> Array:
    weights = power_shape(*cosine_shape(*ramp(as_step(step), 0, decay_steps)), exponent)
    return between(init_value, end_value, weights)
