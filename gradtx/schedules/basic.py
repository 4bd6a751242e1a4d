"""The plainest schedules that change: a line, a power. Step 0 is the first, and beyond its end each holds its value."""

from typing import Any

import jax

from gradtx.core import ScalarOrSchedule, Schedule, stepwise, transformation
from gradtx.core.checks import at_least, finite, in_range
from gradtx.core.progress import as_step, ramp
from gradtx.schedules.curves import between, power_shape

Array = jax.Array


@transformation
def linear(
    init_value: ScalarOrSchedule, end_value: ScalarOrSchedule, transition_steps: int, transition_begin: int = 0
) -> Schedule:
    """Go from one value to another in a line.

    init_value + (end_value - init_value) * x, x = (step - transition_begin) / transition_steps held within [0, 1].

    Args:
      init_value: the value up to transition_begin; any finite number.
      end_value: the value from transition_begin + transition_steps on; any finite number.
      transition_steps: the number of steps that the way takes, at least 0; at 0 the end is reached at once (Optax
        never leaves init_value then).
      transition_begin: the step at which it begins, at least 0.

    Returns:
      A schedule. PyTorch's `LinearLR(start_factor, end_factor, total_iters)` on a rate of r is
      `linear(r * start_factor, r * end_factor, total_iters)`.

    Raises:
      ValueError: if an argument is out of range.

    Example:
      >>> import gradtx
      >>> rate = gradtx.linear(1.0, 0.5, transition_steps=4, transition_begin=10)
      >>> [float(rate(step)) for step in (0, 10, 12, 14, 100)]
      [1.0, 1.0, 0.75, 0.5, 0.5]
    """
    finite(init_value=init_value, end_value=end_value)
    at_least("transition_steps", transition_steps, 0)
    at_least("transition_begin", transition_begin, 0)
    return stepwise(
        _linear,
        init_value=init_value,
        end_value=end_value,
        transition_steps=transition_steps,
        transition_begin=transition_begin,
    )


def _linear(step: Any, init_value: Array, end_value: Array, transition_steps: int, transition_begin: int) -> Array:
    way = ramp(as_step(step), transition_begin, transition_begin + transition_steps)
    return between(init_value, end_value, way)


@transformation
def polynomial(
    init_value: ScalarOrSchedule,
    end_value: ScalarOrSchedule,
    power: ScalarOrSchedule,
    transition_steps: int,
    transition_begin: int = 0,
) -> Schedule:
    """Go from one value to another along a power of what is left of the way.

    end_value + (init_value - end_value) * (1 - x)^power, x = (step - transition_begin) / transition_steps held within
    [0, 1].

    Args:
      init_value: the value up to transition_begin; any finite number.
      end_value: the value from transition_begin + transition_steps on; any finite number.
      power: the power, at least 0: 1 is a line, 0.9 the custom in segmentation; at 0 init_value stays for ever.
      transition_steps: the number of steps that the way takes, at least 0; at 0 the end is reached at once (Optax
        never leaves init_value then).
      transition_begin: the step at which it begins, at least 0.

    Returns:
      A schedule. PyTorch's `PolynomialLR(total_iters, power)` on a rate of r is
      `polynomial(r, 0.0, power, total_iters)`.

    Raises:
      ValueError: if an argument is out of range.

    References:
      Chen, Papandreou, Kokkinos, Murphy and Yuille, 2018, DeepLab: Semantic Image Segmentation with Deep Convolutional
      Nets, Atrous Convolution, and Fully Connected CRFs.

    Example:
      >>> import gradtx
      >>> rate = gradtx.polynomial(1.0, 0.0, power=2.0, transition_steps=4)
      >>> [float(rate(step)) for step in (0, 1, 2, 4, 100)]
      [1.0, 0.5625, 0.25, 0.0, 0.0]
    """
    finite(init_value=init_value, end_value=end_value)
    in_range("power", power)
    at_least("transition_steps", transition_steps, 0)
    at_least("transition_begin", transition_begin, 0)
    return stepwise(
        _polynomial,
        init_value=init_value,
        end_value=end_value,
        power=power,
        transition_steps=transition_steps,
        transition_begin=transition_begin,
    )


def _polynomial(
    step: Any, init_value: Array, end_value: Array, power: Array, transition_steps: int, transition_begin: int
) -> Array:
    way = ramp(as_step(step), transition_begin, transition_begin + transition_steps)
    return between(init_value, end_value, power_shape(*way, power))
