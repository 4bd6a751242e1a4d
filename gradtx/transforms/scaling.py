"""Updates multiplied by a number."""

from __future__ import annotations

from jax import Array

from gradtx.core import Finite, GradientTransformation, LearningRate, leafwise, transformation


@transformation
def scale(step_size: Finite) -> GradientTransformation:
    """Multiply updates by a number.

    u = step_size * u

    Args:
      step_size: the factor, of either sign.

    Returns:
      A transformation without state.

    Example:
      >>> import gradtx, jax.numpy as jnp
      >>> tx = gradtx.scale(-2.0)
      >>> tx.update(jnp.array([1.0, 3.0]), tx.init(jnp.zeros(2)))[0]
      Array([-2., -6.], dtype=float32)
    """
    return leafwise(_scale, factor=step_size)


def _scale(u: Array, s: None, p: None, factor: Array) -> tuple[Array, None]:
    return factor * u, s


@transformation
def scale_by_learning_rate(learning_rate: LearningRate) -> GradientTransformation:
    """Step downhill: multiply updates by the negative learning rate.

    u = -learning_rate * u

    Args:
      learning_rate: the length of a step; a schedule may keep a state.

    Returns:
      A transformation that keeps nothing but the state of such a schedule.
    """
    return leafwise(_descend, learning_rate=learning_rate)


def _descend(u: Array, s: None, p: None, learning_rate: Array) -> tuple[Array, None]:
    return -learning_rate * u, s


@transformation
def scale_by_schedule(step_size_fn: Finite) -> GradientTransformation:
    """Multiply updates by a schedule: `scale` under Optax's name. A schedule is also a stage by itself.

    u = step_size_fn(step) * u

    Args:
      step_size_fn: a schedule, a function of the step, or a number.

    Returns:
      A transformation that keeps nothing but the state of a schedule that has one.
    """
    return scale(step_size_fn)
