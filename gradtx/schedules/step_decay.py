"""A decay in steps."""

from __future__ import annotations

from jax import Array

from gradtx.core import Finite, NonNegative, PositiveCount, Schedule, stepwise, transformation
from gradtx.schedules.numbers import rate_to_power, split_rate
from gradtx.schedules.progress import as_float, as_step, cycles


@transformation
def step_decay(init_value: Finite, transition_steps: PositiveCount, decay_rate: NonNegative = 0.1) -> Schedule:
    """Multiply the value by a factor once every transition_steps steps.

    init_value * decay_rate^floor(step / transition_steps)

    Args:
      init_value: the value before the first cut.
      transition_steps: the number of steps from one cut to the next.
      decay_rate: the factor; 0.1 is usual for image classifiers.

    Returns:
      A schedule. It is PyTorch's `StepLR(step_size, gamma)`; `exponential` has more options.

    References:
      He, Zhang, Ren and Sun, 2016, Deep Residual Learning for Image Recognition.

    Example:
      >>> import gradtx
      >>> rate = gradtx.step_decay(1.0, transition_steps=10, decay_rate=0.5)
      >>> [float(rate(step)) for step in (0, 9, 10, 25)]
      [1.0, 1.0, 0.5, 0.25]
    """
    rounded, residue = split_rate(decay_rate)
    return stepwise(
        _step_decay, init_value=init_value, transition_steps=transition_steps, decay_rate=rounded, residue=residue
    )


def _step_decay(step: Array, init_value: Array, transition_steps: int, decay_rate: Array, residue: Array) -> Array:
    cuts, _ = cycles(as_step(step), transition_steps)
    return init_value * rate_to_power(decay_rate, residue, as_float(cuts))
