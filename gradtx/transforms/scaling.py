"""Stages that scale updates by a number."""

import jax

from gradtx.core import GradientTransformation, ScalarOrSchedule, leafwise, transformation
from gradtx.core.checks import finite, in_range

Array = jax.Array


@transformation
def scale(step_size: ScalarOrSchedule) -> GradientTransformation:
    """Multiply updates by a number.

    u = step_size * u

    Args:
      step_size: any finite number, also negative; a number or a schedule.

    Returns:
      A transformation without state.

    Raises:
      ValueError: if `step_size` is not finite.

    Example:
      >>> import gradtx, jax.numpy as jnp
      >>> tx = gradtx.scale(-2.0)
      >>> tx.update(jnp.array([1.0, 3.0]), tx.init(jnp.zeros(2)))[0]
      Array([-2., -6.], dtype=float32)
    """
    finite(step_size=step_size)
    return leafwise(_scale, factor=step_size)


def _scale(u: Array, s: None, p: None, factor: Array) -> tuple[Array, None]:
    return factor * u, s


@transformation
def scale_by_learning_rate(learning_rate: ScalarOrSchedule) -> GradientTransformation:
    """Take the step downhill: multiply updates by the negative learning rate.

    u = -learning_rate * u

    Args:
      learning_rate: the length of a step, at least 0; a number or a schedule, also one with a state.

    Returns:
      A transformation without state but for that of a stateful schedule.

    Raises:
      ValueError: if the learning rate is negative or not finite.
    """
    in_range("learning_rate", learning_rate)
    return leafwise(_descend, learning_rate=learning_rate)


def _descend(u: Array, s: None, p: None, learning_rate: Array) -> tuple[Array, None]:
    return -learning_rate * u, s


@transformation
def scale_by_schedule(step_size_fn: ScalarOrSchedule) -> GradientTransformation:
    """Multiply updates by a schedule: `scale` under Optax's name. A schedule also is a stage by itself.

    u = step_size_fn(step) * u

    Args:
      step_size_fn: a schedule, a function of the step, or a number.

    Returns:
      A transformation without state but for that of a stateful schedule.

    Raises:
      ValueError: if a number is not finite.
    """
    return scale(step_size_fn)
