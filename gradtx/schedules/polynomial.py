"""A power of the remaining fraction, from one value to another."""

from __future__ import annotations

from jax import Array

from gradtx.core import Count, Finite, NonNegative, Schedule, stepwise, transformation
from gradtx.schedules.curves import between, power_shape
from gradtx.schedules.progress import as_step, ramp


@transformation
def polynomial(
    init_value: Finite, end_value: Finite, power: NonNegative, transition_steps: Count, transition_begin: Count = 0
) -> Schedule:
    """Go from one value to another along a power of the remaining fraction of the transition.

    end_value + (init_value - end_value) * (1 - x)^power, x = (step - transition_begin) / transition_steps clipped to
    [0, 1].

    Args:
      init_value: the value up to transition_begin.
      end_value: the value from transition_begin + transition_steps on.
      power: the exponent; 1 gives a straight line, 0.9 is usual in image segmentation, and at 0 the value stays at
        init_value forever.
      transition_steps: the number of steps the transition takes; at 0 the value jumps to end_value, as in `linear`.
      transition_begin: the step at which the transition begins.

    Returns:
      A schedule. PyTorch's `PolynomialLR(total_iters, power)` with a learning rate of r is
      `polynomial(r, 0.0, power, total_iters)`.

    References:
      Chen, Papandreou, Kokkinos, Murphy and Yuille, 2018, DeepLab: Semantic Image Segmentation with Deep Convolutional
      Nets, Atrous Convolution, and Fully Connected CRFs.

    Example:
      >>> import gradtx
      >>> rate = gradtx.polynomial(1.0, 0.0, power=2.0, transition_steps=4)
      >>> [float(rate(step)) for step in (0, 1, 2, 4, 100)]
      [1.0, 0.5625, 0.25, 0.0, 0.0]
    """
    return stepwise(
        _polynomial,
        init_value=init_value,
        end_value=end_value,
        power=power,
        transition_steps=transition_steps,
        transition_begin=transition_begin,
    )


def _polynomial(
    step: Array, init_value: Array, end_value: Array, power: Array, transition_steps: int, transition_begin: int
) -> Array:
    left, done = ramp(as_step(step), transition_begin, transition_begin + transition_steps)
    return between(init_value, end_value, power_shape(left, done, power))
