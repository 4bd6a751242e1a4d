"""Schedules of one curve under the names that Optax has for them, with its arguments in its order.

Each is one of gradtx's schedules, told where both differ: where Optax takes an empty way for none, and never leaves its
beginning, the end is reached at once here.
"""

from collections.abc import Mapping

from gradtx.core import ScalarOrSchedule, Schedule, transformation
from gradtx.core.algebra import constant
from gradtx.core.checks import finite
from gradtx.schedules.basic import linear, polynomial
from gradtx.schedules.decay import cosine, exponential
from gradtx.schedules.numbers import times
from gradtx.schedules.piecewise import piecewise_constant, piecewise_interpolate


@transformation
def constant_schedule(value: ScalarOrSchedule) -> Schedule:
    """The same value at every step: Optax's name for `constant`.

    Args:
      value: any finite number.

    Returns:
      A schedule.

    Raises:
      ValueError: if `value` is not finite.

    Example:
      >>> import gradtx
      >>> float(gradtx.constant_schedule(0.5)(1000))
      0.5
    """
    return constant(value)


@transformation
def linear_schedule(
    init_value: ScalarOrSchedule, end_value: ScalarOrSchedule, transition_steps: int, transition_begin: int = 0
) -> Schedule:
    """Go from one value to another in a line: Optax's name for `linear`.

    Args:
      init_value: the value up to transition_begin; any finite number.
      end_value: the value from transition_begin + transition_steps on; any finite number.
      transition_steps: the number of steps that the way takes, at least 0; at 0 the end is reached at once (Optax
        never leaves init_value then).
      transition_begin: the step at which it begins, at least 0.

    Returns:
      A schedule.

    Raises:
      ValueError: if an argument is out of range.

    Example:
      >>> import gradtx
      >>> [float(gradtx.linear_schedule(1.0, 0.5, 4)(step)) for step in (0, 2, 4, 100)]
      [1.0, 0.75, 0.5, 0.5]
    """
    return linear(init_value, end_value, transition_steps, transition_begin)


@transformation
def polynomial_schedule(
    init_value: ScalarOrSchedule,
    end_value: ScalarOrSchedule,
    power: ScalarOrSchedule,
    transition_steps: int,
    transition_begin: int = 0,
) -> Schedule:
    """Go from one value to another along a power of what is left: Optax's name for `polynomial`.

    Args:
      init_value: the value up to transition_begin; any finite number.
      end_value: the value from transition_begin + transition_steps on; any finite number.
      power: the power, at least 0.
      transition_steps: the number of steps that the way takes, at least 0; at 0 the end is reached at once (Optax
        never leaves init_value then).
      transition_begin: the step at which it begins, at least 0.

    Returns:
      A schedule.

    Raises:
      ValueError: if an argument is out of range.

    Example:
      >>> import gradtx
      >>> [float(gradtx.polynomial_schedule(1.0, 0.0, 2.0, 4)(step)) for step in (0, 2, 4)]
      [1.0, 0.25, 0.0]
    """
    return polynomial(init_value, end_value, power, transition_steps, transition_begin)


@transformation
def exponential_decay(
    init_value: ScalarOrSchedule,
    transition_steps: int,
    decay_rate: ScalarOrSchedule,
    transition_begin: int = 0,
    staircase: bool = False,
    end_value: ScalarOrSchedule | None = None,
) -> Schedule:
    """Multiply by a factor in so many steps: Optax's name for `exponential`.

    Args:
      init_value: the value up to transition_begin; any finite number.
      transition_steps: the number of steps in which the value is multiplied by decay_rate once, at least 1 (Optax takes
        0 for no decay).
      decay_rate: the factor, above 0 (Optax takes 0 for no decay).
      transition_begin: the step at which it begins, at least 0.
      staircase: whether the value falls once in transition_steps, and stays between.
      end_value: the value goes no further than this; None for no end.

    Returns:
      A schedule.

    Raises:
      ValueError: if an argument is out of range.

    Example:
      >>> import gradtx
      >>> [float(gradtx.exponential_decay(1.0, 10, 0.25)(step)) for step in (0, 5, 10)]
      [1.0, 0.5, 0.25]
    """
    return exponential(
        init_value, transition_steps, decay_rate, transition_begin, staircase=staircase, end_value=end_value
    )


@transformation
def cosine_decay_schedule(
    init_value: ScalarOrSchedule,
    decay_steps: int,
    alpha: ScalarOrSchedule = 0.0,
    exponent: ScalarOrSchedule = 1.0,
) -> Schedule:
    """Fall along half a cosine: `cosine` with Optax's name and arguments.

    Args:
      init_value: the value at step 0; any finite number.
      decay_steps: the number of steps that the fall takes, at least 0; at 0 the end is reached at once (Optax refuses
        it).
      alpha: the value at the end, as a part of init_value; any finite number.
      exponent: the power of the cosine, at least 0.

    Returns:
      A schedule.

    Raises:
      ValueError: if an argument is out of range.

    References:
      Loshchilov and Hutter, 2017, SGDR: Stochastic Gradient Descent with Warm Restarts.

    Example:
      >>> import gradtx
      >>> rate = gradtx.cosine_decay_schedule(2.0, 100, alpha=0.5)
      >>> [round(float(rate(step)), 3) for step in (0, 50, 100, 200)]
      [2.0, 1.5, 1.0, 1.0]
    """
    finite(init_value=init_value, alpha=alpha)
    return cosine(init_value, decay_steps, times(alpha, init_value), exponent=exponent)


@transformation
def piecewise_constant_schedule(
    init_value: ScalarOrSchedule, boundaries_and_scales: Mapping[int, float] | None = None
) -> Schedule:
    """Multiply by a factor at each boundary: Optax's name for `piecewise_constant`.

    Args:
      init_value: the value before the first boundary; any finite number.
      boundaries_and_scales: the factor for each boundary, a step of at least 0.

    Returns:
      A schedule.

    Raises:
      ValueError: if an argument is out of range.

    Example:
      >>> import gradtx
      >>> rate = gradtx.piecewise_constant_schedule(1.0, {10: 0.5, 20: 0.5})
      >>> [float(rate(step)) for step in (0, 9, 10, 20)]
      [1.0, 1.0, 0.5, 0.25]
    """
    return piecewise_constant(init_value, boundaries_and_scales)


@transformation
def piecewise_interpolate_schedule(
    interpolate_type: str,
    init_value: ScalarOrSchedule,
    boundaries_and_scales: Mapping[int, float] | None = None,
) -> Schedule:
    """Go from value to value, each boundary's a factor times the last: `piecewise_interpolate` with Optax's arguments.

    Args:
      interpolate_type: "linear" or "cosine".
      init_value: the value at step 0; any finite number.
      boundaries_and_scales: the factor for each boundary, a step of at least 0.

    Returns:
      A schedule.

    Raises:
      ValueError: if an argument is out of range.

    Example:
      >>> import gradtx
      >>> rate = gradtx.piecewise_interpolate_schedule("linear", 1.0, {4: 0.5, 8: 0.5})
      >>> [float(rate(step)) for step in (0, 2, 4, 6, 8)]
      [1.0, 0.75, 0.5, 0.375, 0.25]
    """
    return piecewise_interpolate(init_value, boundaries_and_scales, shape=interpolate_type)
