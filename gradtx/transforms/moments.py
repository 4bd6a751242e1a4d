"""Stages of Adam and its kin: track the moments of gradients, correct them, scale by them."""

from typing import NamedTuple

import jax
import jax.numpy as jnp

from gradtx.core import GradientTransformation, ScalarOrSchedule, leafwise, transformation
from gradtx.core.checks import in_range
from gradtx.core.numerics import average, bounded_square, real_zeros, root
from gradtx.transforms.averages import complement, correction, nesterov_weight, warming_nesterov_weights

Array = jax.Array


class Moments(NamedTuple):
    """What is known of a gradient's distribution: its first and second moment, arrays of its shape.

    The second moment is real, also for complex gradients.
    """

    first: Array
    second: Array


def zero_moments(p: Array) -> Moments:
    """What moments are at first, for one array."""
    return Moments(first=jnp.zeros_like(p), second=real_zeros(p))


@transformation
def track_moments(b1: ScalarOrSchedule = 0.9, b2: ScalarOrSchedule = 0.999) -> GradientTransformation:
    """Turn each gradient into the exponential averages of itself and of its square.

    m = b1 m + (1 - b1) g,  v = b2 v + (1 - b2) |g|^2, both zero at first.

    Args:
      b1: decay of the first moment, in [0, 1); a number or a schedule.
      b2: decay of the second moment, in [0, 1); a number or a schedule.

    Returns:
      A transformation that takes arrays and gives `Moments`; it keeps `Moments`, float32 or wider.

    Raises:
      ValueError: if a decay is out of range.

    References:
      Kingma and Ba, 2014, Adam: A Method for Stochastic Optimization.

    Example:
      >>> import gradtx, jax.numpy as jnp
      >>> tx = gradtx.track_moments(b1=0.5, b2=0.75)
      >>> tx.update(jnp.array(2.0), tx.init(jnp.array(0.0)))[0]
      Moments(first=Array(1., dtype=float32), second=Array(1., dtype=float32))
    """
    _check_decays(b1, b2)
    return leafwise(
        _track_moments, zero_moments, keeps=Moments, gives=Moments, rate1=complement(b1), rate2=complement(b2)
    )


def _track_moments(g: Array, moments: Moments, p: None, rate1: Array, rate2: Array) -> tuple[Moments, Moments]:
    moments = Moments(average(moments.first, g, rate1), average(moments.second, bounded_square(g), rate2))
    return moments, moments


@transformation
def track_nesterov_moments(
    b1: ScalarOrSchedule = 0.9, b2: ScalarOrSchedule = 0.999, momentum_decay: ScalarOrSchedule | None = None
) -> GradientTransformation:
    """Track moments as `track_moments` does, and give the first moment as it will be one step ahead (Nesterov).

    first = b1 m (1 - b1^t) / (1 - b1^(t+1)) + (1 - b1) g, so that dividing by 1 - b1^t afterwards, as
    `bias_correction` does, leaves b1 m / (1 - b1^(t+1)) + (1 - b1) g / (1 - b1^t).

    Args:
      b1: decay of the first moment, in [0, 1); a number or a schedule that is a function of the step alone.
      b2: decay of the second moment, in [0, 1); a number or a schedule.
      momentum_decay: let b_t = b1 (1 - 0.96^(t momentum_decay) / 2) take the place of b1 in the weights, and the
        product of all b_t that of b1^t, while m still decays by b1: what PyTorch does, with 0.004. None for the
        paper's rule.

    Returns:
      A transformation that takes arrays and gives `Moments`; it keeps `Moments`, float32 or wider.

    Raises:
      ValueError: if a decay is out of range.

    References:
      Dozat, 2016, Incorporating Nesterov Momentum into Adam.
    """
    _check_decays(b1, b2)
    rates = {"rate1": complement(b1), "rate2": complement(b2)}
    if momentum_decay is None:
        rates["ahead"] = nesterov_weight(b1)
        return leafwise(_track_nesterov_moments, zero_moments, keeps=Moments, gives=Moments, **rates)
    in_range("momentum_decay", momentum_decay)
    rates["ahead"], rates["now"] = warming_nesterov_weights(b1, momentum_decay)
    rates["weight1"] = correction(b1)
    return leafwise(_track_warming_nesterov_moments, zero_moments, keeps=Moments, gives=Moments, **rates)


def _track_warming_nesterov_moments(
    g: Array, moments: Moments, p: None, rate1: Array, rate2: Array, ahead: Array, now: Array, weight1: Array
) -> tuple[Moments, Moments]:
    moments, _ = _track_moments(g, moments, p, rate1, rate2)
    # Times the weight by which bias correction will divide.
    return moments._replace(first=weight1 * (ahead * moments.first + now * g)), moments


def _track_nesterov_moments(
    g: Array, moments: Moments, p: None, rate1: Array, rate2: Array, ahead: Array
) -> tuple[Moments, Moments]:
    moments, _ = _track_moments(g, moments, p, rate1, rate2)
    return moments._replace(first=ahead * moments.first + rate1 * g), moments


@transformation
def track_belief(
    b1: ScalarOrSchedule = 0.9, b2: ScalarOrSchedule = 0.999, eps: ScalarOrSchedule = 1e-16
) -> GradientTransformation:
    """Track the first moment of gradients, and the average square of their distance from it.

    m = b1 m + (1 - b1) g,  s = b2 s + (1 - b2) |g - m|^2 + eps, both zero at first.

    Args:
      b1: decay of the first moment, in [0, 1); a number or a schedule.
      b2: decay of the second moment, in [0, 1); a number or a schedule.
      eps: added to the second moment at every step, as in the paper; at least 0.

    Returns:
      A transformation that takes arrays and gives `Moments`; it keeps `Moments`, float32 or wider.

    Raises:
      ValueError: if an argument is out of range.

    References:
      Zhuang et al., 2020, AdaBelief Optimizer: Adapting Stepsizes by the Belief in Observed Gradients.
    """
    _check_decays(b1, b2)
    in_range("eps", eps)
    return leafwise(
        _track_belief,
        zero_moments,
        keeps=Moments,
        gives=Moments,
        rate1=complement(b1),
        rate2=complement(b2),
        eps=eps,
    )


def _track_belief(
    g: Array, moments: Moments, p: None, rate1: Array, rate2: Array, eps: Array
) -> tuple[Moments, Moments]:
    first = average(moments.first, g, rate1)
    # eps stands within the average, where it comes to the same: outside, XLA would copy the state first.
    moments = Moments(first, average(moments.second, bounded_square(g - first) + eps / rate2, rate2))
    return moments, moments


@transformation
def track_maximum() -> GradientTransformation:
    """Replace each second moment by the largest that it has been.

    largest = max(largest, v), zero at first.

    Returns:
      A transformation that takes and gives `Moments`; it keeps one array per array, float32 or wider.

    References:
      Reddi, Kale and Kumar, 2018, On the Convergence of Adam and Beyond.
    """
    return leafwise(_track_maximum, real_zeros, keeps="largest", takes=Moments, gives=Moments)


def _track_maximum(moments: Moments, largest: Array, p: None) -> tuple[Moments, Array]:
    largest = jnp.maximum(largest, moments.second)
    return moments._replace(second=largest), largest


@transformation
def bias_correction(b1: ScalarOrSchedule = 0.9, b2: ScalarOrSchedule = 0.999) -> GradientTransformation:
    """Divide moments by the weight they have gathered, for they began at zero.

    m / (1 - b1^t),  v / (1 - b2^t),  t = 1, 2, ...

    Args:
      b1: decay with which the first moment is tracked, in [0, 1); a number or a schedule.
      b2: decay with which the second moment is tracked, in [0, 1); a number or a schedule.

    Returns:
      A transformation that takes and gives `Moments`. It keeps nothing, or one scalar for each decay that follows a
      schedule.

    Raises:
      ValueError: if a decay is out of range.

    References:
      Kingma and Ba, 2014, Adam: A Method for Stochastic Optimization.
    """
    _check_decays(b1, b2)
    return leafwise(_bias_correction, takes=Moments, gives=Moments, weight1=correction(b1), weight2=correction(b2))


def _bias_correction(moments: Moments, s: None, p: None, weight1: Array, weight2: Array) -> tuple[Moments, None]:
    return Moments(moments.first / weight1, moments.second / weight2), s


@transformation
def scale_by_moments(eps: ScalarOrSchedule = 1e-8, eps_root: ScalarOrSchedule | None = None) -> GradientTransformation:
    """Divide the first moment by the root of the second.

    u = m / (sqrt(v + eps_root) + eps)

    Args:
      eps: keeps the quotient small where v is; at least 0. At 0 a zero moment still gives a zero.
      eps_root: added to v within the root, at least 0; None for none. Optax's, for derivatives through the root at 0;
        here these are finite without it.

    Returns:
      A transformation that takes `Moments` and gives arrays.

    Raises:
      ValueError: if `eps` is out of range.

    References:
      Kingma and Ba, 2014, Adam: A Method for Stochastic Optimization.
    """
    in_range("eps", eps)
    in_range("eps_root", 0.0 if eps_root is None else eps_root)
    return leafwise(_scale_by_moments, takes=Moments, eps=eps, eps_root=eps_root)


def _scale_by_moments(moments: Moments, s: None, p: None, eps: Array, eps_root: Array | None) -> tuple[Array, None]:
    return quotient(moments, eps, eps_root), s


def quotient(moments: Moments, eps: Array, eps_root: Array | None) -> Array:
    """M / (sqrt(v + eps_root) + eps)."""
    second = moments.second if eps_root is None else moments.second + eps_root
    return moments.first / (root(second) + eps)


def _check_decays(b1: ScalarOrSchedule, b2: ScalarOrSchedule) -> None:
    in_range("b1", b1, 0.0, 1.0)
    in_range("b2", b2, 0.0, 1.0)
