"""A straight line from one value to another."""

from __future__ import annotations

from jax import Array

from gradtx.core import Count, Finite, Schedule, stepwise, transformation
from gradtx.schedules.curves import between
from gradtx.schedules.progress import as_step, ramp


@transformation
def linear(init_value: Finite, end_value: Finite, transition_steps: Count, transition_begin: Count = 0) -> Schedule:
    """Go from one value to another in a straight line.

    init_value + (end_value - init_value) * x, x = (step - transition_begin) / transition_steps clipped to [0, 1].

    Args:
      init_value: the value up to transition_begin.
      end_value: the value from transition_begin + transition_steps on.
      transition_steps: the number of steps the transition takes; at 0 the value jumps to end_value at transition_begin,
        whereas Optax never leaves init_value.
      transition_begin: the step at which the transition begins.

    Returns:
      A schedule. PyTorch's `LinearLR(start_factor, end_factor, total_iters)` with a learning rate of r is
      `linear(r * start_factor, r * end_factor, total_iters)`.

    Example:
      >>> import gradtx
      >>> rate = gradtx.linear(1.0, 0.5, transition_steps=4, transition_begin=10)
      >>> [float(rate(step)) for step in (0, 10, 12, 14, 100)]
      [1.0, 1.0, 0.75, 0.5, 0.5]
    """
    return stepwise(
        _linear,
        init_value=init_value,
        end_value=end_value,
        transition_steps=transition_steps,
        transition_begin=transition_begin,
    )


def _linear(step: Array, init_value: Array, end_value: Array, transition_steps: int, transition_begin: int) -> Array:
    weights = ramp(as_step(step), transition_begin, transition_begin + transition_steps)
    return between(init_value, end_value, weights)
