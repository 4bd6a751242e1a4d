"""Stages that scale updates: by a number, by accumulated momentum, by the root of gathered squares."""

import jax
import jax.numpy as jnp

from gradtx.core import GradientTransformation, ScalarOrSchedule, leafwise, transformation
from gradtx.core.checks import in_range
from gradtx.core.numerics import bounded, bounded_square, real_zeros, root
from gradtx.transforms.averages import complement

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
    in_range("step_size", step_size, -jnp.inf, open_low=True)
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
def trace(decay: ScalarOrSchedule) -> GradientTransformation:
    """Momentum: gather updates in a velocity.

    v = decay * v + u, zero at first; v is the new update.

    Args:
      decay: what is left of the velocity after a step, in [0, 1); a number or a schedule.

    Returns:
      A transformation that keeps one velocity per array, float32 or wider.

    Raises:
      ValueError: if `decay` is out of range.

    References:
      Polyak, 1964, Some methods of speeding up the convergence of iteration methods.
    """
    in_range("decay", decay, 0.0, 1.0)
    return leafwise(_trace, keeps="velocity", decay=decay)


def _trace(u: Array, velocity: Array, p: None, decay: Array) -> tuple[Array, Array]:
    velocity = decay * velocity + u
    return velocity, velocity


@transformation
def scale_by_rms(
    decay: ScalarOrSchedule = 0.9, eps: ScalarOrSchedule = 1e-8, *, eps_in_sqrt: bool = False
) -> GradientTransformation:
    """Divide by the root of an average of squares, as RMSProp does.

    s = decay * s + (1 - decay) |u|^2, zero at first;  u / (sqrt(s) + eps)

    Args:
      decay: decay of the average, in [0, 1); 0.9 is the lecture's, PyTorch's is 0.99. A number or a schedule.
      eps: keeps the quotient small where s is; at least 0.
      eps_in_sqrt: divide by sqrt(s + eps) instead, as Optax does unless told otherwise.

    Returns:
      A transformation that keeps one real array per array, float32 or wider.

    Raises:
      ValueError: if an argument is out of range.

    References:
      Tieleman and Hinton, 2012, Lecture 6.5: RMSProp.
    """
    in_range("decay", decay, 0.0, 1.0)
    in_range("eps", eps)
    return leafwise(_scale_by_rms, real_zeros, keeps="square", rate=complement(decay), eps=eps, eps_in_sqrt=eps_in_sqrt)


def _scale_by_rms(u: Array, square: Array, p: None, rate: Array, eps: Array, eps_in_sqrt: bool) -> tuple[Array, Array]:
    square = square + rate * (bounded_square(u) - square)
    return _by_root(u, square, eps, eps_in_sqrt), square


def _by_root(u: Array, square: Array, eps: Array, eps_in_sqrt: bool) -> Array:
    if eps_in_sqrt:
        return u / root(square + eps)
    return u / (root(square) + eps)


@transformation
def scale_by_rss(
    initial_accumulator_value: ScalarOrSchedule = 0.0, eps: ScalarOrSchedule = 1e-8, *, eps_in_sqrt: bool = False
) -> GradientTransformation:
    """Divide by the root of the sum of all squares so far, as AdaGrad does.

    s = s + |u|^2;  u / (sqrt(s) + eps)

    Args:
      initial_accumulator_value: s at first, at least 0. The paper's and PyTorch's is 0, Optax's 0.1.
      eps: keeps the quotient small where s is; at least 0. Optax's is 1e-7.
      eps_in_sqrt: divide by sqrt(s + eps) instead, as Optax does.

    Returns:
      A transformation that keeps one real array per array, float32 or wider.

    Raises:
      ValueError: if an argument is out of range.

    References:
      Duchi, Hazan and Singer, 2011, Adaptive Subgradient Methods for Online Learning and Stochastic Optimization.
    """
    in_range("initial_accumulator_value", initial_accumulator_value)
    in_range("eps", eps)
    return leafwise(
        _scale_by_rss, real_zeros, keeps="square", first=initial_accumulator_value, eps=eps, eps_in_sqrt=eps_in_sqrt
    )


def _scale_by_rss(u: Array, square: Array, p: None, first: Array, eps: Array, eps_in_sqrt: bool) -> tuple[Array, Array]:
    # The first value is a hyperparameter like any other, so it is added here and the state begins at zero.
    square = bounded(square) + bounded_square(u)
    return _by_root(u, square + first, eps, eps_in_sqrt), square
