"""The moments of gradients: tracked, corrected, and divided by each other."""

from __future__ import annotations

from typing import Any, NamedTuple

import jax.numpy as jnp
from jax import Array

from gradtx.core import Fraction, GradientTransformation, NonNegative, leafwise, transformation
from gradtx.transforms.averages import correction, nesterov_weight, one_minus, warming_nesterov_weights
from gradtx.transforms.numerics import average, bounded_square, real_zeros, root


class Moments(NamedTuple):
    """The first and second moments of a gradient: arrays of its shape. The second is real, even for complex ones."""

    first: Array
    second: Array


class AgedMoments(NamedTuple):
    """Moments, and how many gradients they have seen."""

    first: Array
    second: Array
    age: Array | int = 0


def zero_moments(p: Array) -> Moments:
    """The moments of one array at first."""
    return Moments(first=jnp.zeros_like(p), second=real_zeros(p))


def zero_aged_moments(p: Array) -> AgedMoments:
    """The moments of one array at first."""
    return AgedMoments(*zero_moments(p))


@transformation
def track_moments(b1: Fraction = 0.9, b2: Fraction = 0.999) -> GradientTransformation:
    """Turn each gradient into exponential averages of itself and of its square.

    m = b1 m + (1 - b1) g,  v = b2 v + (1 - b2) |g|^2, both zero at first.

    Args:
      b1: decay of the first moment.
      b2: decay of the second moment.

    Returns:
      A transformation that takes arrays and gives `Moments`; it keeps `Moments`, in float32 or wider.

    References:
      Kingma and Ba, 2014, Adam: A Method for Stochastic Optimization.

    Example:
      >>> import gradtx, jax.numpy as jnp
      >>> tx = gradtx.track_moments(b1=0.5, b2=0.75)
      >>> tx.update(jnp.array(2.0), tx.init(jnp.array(0.0)))[0]
      Moments(first=Array(1., dtype=float32), second=Array(1., dtype=float32))
    """
    return leafwise(
        _track_moments,
        zero_moments,
        keeps=Moments,
        gives=Moments,
        one_minus_b1=one_minus(b1),
        one_minus_b2=one_minus(b2),
    )


def _track_moments(g: Array, s: Moments, p: None, one_minus_b1: Array, one_minus_b2: Array) -> tuple[Moments, Moments]:
    s = Moments(average(s.first, g, one_minus_b1), average(s.second, bounded_square(g), one_minus_b2))
    return s, s


@transformation
def track_nesterov_moments(
    b1: Fraction = 0.9, b2: Fraction = 0.999, momentum_decay: NonNegative | None = None
) -> GradientTransformation:
    """Track moments as `track_moments` does, and give the first moment as it will be one step ahead (Nesterov).

    first = b1 m (1 - b1^t) / (1 - b1^(t+1)) + (1 - b1) g, so that dividing by 1 - b1^t afterwards, as
    `bias_correction` does, leaves b1 m / (1 - b1^(t+1)) + (1 - b1) g / (1 - b1^t).

    Args:
      b1: decay of the first moment; a schedule must be a function of the step alone.
      b2: decay of the second moment.
      momentum_decay: use b_t = b1 (1 - 0.96^(t momentum_decay) / 2) instead of b1 in the weights, and the product of
        all b_t instead of b1^t, while m still decays by b1. PyTorch does this, with 0.004. None for the paper's rule.

    Returns:
      A transformation that takes arrays and gives `Moments`; it keeps `AgedMoments`, in float32 or wider.

    References:
      Dozat, 2016, Incorporating Nesterov Momentum into Adam.
    """
    decays = {"one_minus_b1": one_minus(b1), "one_minus_b2": one_minus(b2)}
    kept: dict[str, Any] = {"init": zero_aged_moments, "keeps": AgedMoments, "gives": Moments}
    if momentum_decay is None:
        return leafwise(_track_nesterov_moments, **kept, **decays, average_weight=nesterov_weight(b1))
    average_weight, gradient_weight = warming_nesterov_weights(b1, momentum_decay)
    return leafwise(
        _track_warming_nesterov_moments,
        **kept,
        **decays,
        average_weight=average_weight,
        gradient_weight=gradient_weight,
        correction1=correction(b1),
    )


def _track_nesterov_moments(
    g: Array, s: AgedMoments, p: None, one_minus_b1: Array, one_minus_b2: Array, average_weight: Array
) -> tuple[Moments, AgedMoments]:
    moments, _ = _track_moments(g, Moments(s.first, s.second), p, one_minus_b1, one_minus_b2)
    ahead = average_weight * moments.first + one_minus_b1 * g
    return moments._replace(first=ahead), AgedMoments(*moments, s.age)


def _track_warming_nesterov_moments(
    g: Array,
    s: AgedMoments,
    p: None,
    one_minus_b1: Array,
    one_minus_b2: Array,
    average_weight: Array,
    gradient_weight: Array,
    correction1: Array,
) -> tuple[Moments, AgedMoments]:
    moments, _ = _track_moments(g, Moments(s.first, s.second), p, one_minus_b1, one_minus_b2)
    # Times the weight that bias correction will divide by.
    ahead = correction1 * (average_weight * moments.first + gradient_weight * g)
    return moments._replace(first=ahead), AgedMoments(*moments, s.age)


@transformation
def bias_correction(b1: Fraction = 0.9, b2: Fraction = 0.999) -> GradientTransformation:
    """Divide moments by the weight that they have gathered, because they began at zero.

    m / (1 - b1^t),  v / (1 - b2^t),  t = 1, 2, ...

    Args:
      b1: the decay with which the first moment is tracked.
      b2: the decay with which the second moment is tracked.

    Returns:
      A transformation that takes and gives `Moments`. It keeps its age, the number of updates that it has seen, and one
      scalar for each decay that follows a schedule.

    References:
      Kingma and Ba, 2014, Adam: A Method for Stochastic Optimization.
    """
    return leafwise(
        _bias_correction, takes=Moments, gives=Moments, correction1=correction(b1), correction2=correction(b2)
    )


def _bias_correction(
    moments: Moments, s: None, p: None, correction1: Array, correction2: Array
) -> tuple[Moments, None]:
    return Moments(moments.first / correction1, moments.second / correction2), s


@transformation
def scale_by_moments(eps: NonNegative = 1e-8, eps_root: NonNegative | None = None) -> GradientTransformation:
    """Divide the first moment by the root of the second.

    u = m / (sqrt(v + eps_root) + eps)

    Args:
      eps: added to the root, so that the quotient stays small where v is. At 0 a zero moment still gives a zero.
      eps_root: added to v inside the root; None for none. It is Optax's, for derivatives through the root at 0, which
        are finite here without it.

    Returns:
      A transformation that takes `Moments` and gives arrays.

    References:
      Kingma and Ba, 2014, Adam: A Method for Stochastic Optimization.
    """
    return leafwise(_scale_by_moments, takes=Moments, eps=eps, eps_root=eps_root)


def _scale_by_moments(moments: Moments, s: None, p: None, eps: Array, eps_root: Array | None) -> tuple[Array, None]:
    return quotient(moments, eps, eps_root), s


def quotient(moments: Moments, eps: Array, eps_root: Array | None) -> Array:
    """M / (sqrt(v + eps_root) + eps)."""
    second = moments.second if eps_root is None else moments.second + eps_root
    return moments.first / (root(second) + eps)
