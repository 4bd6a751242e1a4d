"""Stages that gather updates over time: velocities, averages, and what the last gradient tells of the next."""

import jax
import jax.numpy as jnp

from gradtx.core import GradientTransformation, ScalarOrSchedule, leafwise, stepwise, transformation
from gradtx.core.checks import finite, in_range
from gradtx.core.numerics import average
from gradtx.transforms.averages import after_first, complement, correction

Array = jax.Array


@transformation
def trace(
    decay: ScalarOrSchedule, nesterov: bool = False, *, dampening: ScalarOrSchedule | None = None
) -> GradientTransformation:
    """Momentum: gather updates in a velocity.

    v = decay * v + (1 - dampening) u, zero at first; the new update is v, with Nesterov's momentum u + decay * v.

    Args:
      decay: what is left of the velocity after a step, in [0, 1); a number or a schedule.
      nesterov: look one step ahead.
      dampening: the part of each update that is kept out of the velocity, in [0, 1); None for none. Not of the first
        one, as in PyTorch; Optax has none.

    Returns:
      A transformation that keeps one velocity per array, float32 or wider.

    Raises:
      ValueError: if an argument is out of range.

    References:
      Polyak, 1964, Some methods of speeding up the convergence of iteration methods.
      Sutskever et al., 2013, On the importance of initialization and momentum in deep learning.
    """
    in_range("decay", decay, 0.0, 1.0)
    if dampening is None:
        return leafwise(_trace, keeps="velocity", decay=decay, nesterov=nesterov)
    in_range("dampening", dampening, 0.0, 1.0)
    part = stepwise(_undamped, dampening=dampening)
    return leafwise(_damped_trace, keeps="velocity", decay=decay, nesterov=nesterov, part=part)


def _undamped(step: Array, dampening: Array) -> Array:
    return jnp.where(step == 0, 1.0, 1.0 - dampening)


def _trace(u: Array, velocity: Array, p: None, decay: Array, nesterov: bool) -> tuple[Array, Array]:
    velocity = decay * velocity + u
    return (u + decay * velocity if nesterov else velocity), velocity


def _damped_trace(u: Array, velocity: Array, p: None, decay: Array, nesterov: bool, part: Array) -> tuple[Array, Array]:
    velocity = decay * velocity + part * u
    return (u + decay * velocity if nesterov else velocity), velocity


@transformation
def ema(decay: ScalarOrSchedule, debias: bool = True) -> GradientTransformation:
    """Average updates, with weights that fall from one step to the one before.

    m = decay * m + (1 - decay) u, zero at first; the new update is m / (1 - decay^t), or m if not debiased.

    Args:
      decay: in [0, 1); a number or a schedule.
      debias: divide by the weight gathered so far, so that the first average is the first update.

    Returns:
      A transformation that keeps one average per array, float32 or wider.

    Raises:
      ValueError: if `decay` is out of range.

    Example:
      >>> import gradtx, jax.numpy as jnp
      >>> tx = gradtx.ema(0.5)
      >>> first, state = tx.update(jnp.array(1.0), tx.init(jnp.array(0.0)))
      >>> second, state = tx.update(jnp.array(4.0), state)
      >>> float(first), float(second)
      (1.0, 3.0)
    """
    in_range("decay", decay, 0.0, 1.0)
    weight = correction(decay) if debias else 1.0
    return leafwise(_ema, keeps="average", rate=complement(decay), weight=weight)


def _ema(u: Array, m: Array, p: None, rate: Array, weight: Array) -> tuple[Array, Array]:
    m = average(m, u, rate)
    return m / weight, m


@transformation
def scale_by_optimistic_gradient(alpha: ScalarOrSchedule = 1.0, beta: ScalarOrSchedule = 1.0) -> GradientTransformation:
    """Go by what the gradient would be next, were it to change as it last did.

    (alpha + beta) g_t - beta g_(t-1); before the first gradient there was the same one.

    Args:
      alpha: weight of the gradient; any finite number or a schedule.
      beta: weight of its change; any finite number or a schedule. At 0 this is plain descent.

    Returns:
      A transformation that keeps the last gradient.

    Raises:
      ValueError: if an argument is not finite.

    References:
      Mokhtari, Ozdaglar and Pattathil, 2020, A Unified Analysis of Extra-gradient and Optimistic Gradient Methods for
      Saddle Point Problems.
    """
    finite(alpha=alpha)
    finite(beta=beta)
    return leafwise(_optimistic, keeps="last", alpha=alpha, beta=beta, later=after_first())


def _optimistic(g: Array, last: Array, p: None, alpha: Array, beta: Array, later: Array) -> tuple[Array, Array]:
    return alpha * g + beta * jnp.where(later > 0, g - last, 0), g
