"""ACProp: gradients over the spread that gradients had before them."""

from __future__ import annotations

import jax.numpy as jnp
from jax import Array

from gradtx.core import Fraction, GradientTransformation, LearningRate, Mask, NonNegative, leafwise, transformation
from gradtx.optimizers.common import descend
from gradtx.transforms.averages import correction, one_minus
from gradtx.transforms.moments import AgedMoments, zero_aged_moments
from gradtx.transforms.numerics import average, bounded_square, root


@transformation
def scale_by_acprop(b1: Fraction = 0.9, b2: Fraction = 0.999, eps: NonNegative = 1e-16) -> GradientTransformation:
    """The step of `acprop` before the learning rate; arguments as there.

    Returns:
      A transformation that keeps `AgedMoments`, in float32 or wider.
    """
    return leafwise(
        _acprop,
        zero_aged_moments,
        keeps=AgedMoments,
        eps=eps,
        one_minus_b1=one_minus(b1),
        one_minus_b2=one_minus(b2),
        correction2=correction(b2, previous=True),
    )


def _acprop(
    g: Array, s: AgedMoments, p: None, eps: Array, one_minus_b1: Array, one_minus_b2: Array, correction2: Array
) -> tuple[Array, AgedMoments]:
    # An array whose first gradient comes late has no spread yet either: its gradient passes, as the first one does.
    known = (s.age > 0) & (s.second > 0)
    u = jnp.where(known, g / (root(s.second / jnp.where(s.age > 0, correction2, 1)) + eps), g)
    first = average(s.first, g, one_minus_b1)
    second = average(s.second, bounded_square(g - first) + eps / one_minus_b2, one_minus_b2)
    return u, AgedMoments(first, second, s.age)


@transformation
def acprop(
    learning_rate: LearningRate,
    b1: Fraction = 0.9,
    b2: Fraction = 0.999,
    eps: NonNegative = 1e-16,
    *,
    weight_decay: NonNegative | None = None,
    where: Mask | None = None,
    maximize: bool = False,
) -> GradientTransformation:
    """Descend by each gradient over the spread that gradients had before it.

    p - learning_rate * g / (sqrt(s / (1 - b2^(t-1))) + eps), s = b2 s + (1 - b2) |g - m|^2 + eps afterwards.

    The first gradient passes as it is. Optax uses m of the previous step in the spread.

    Args:
      b1: decay of the mean.
      b2: decay of the spread.
      eps: added to the root, and to s at every step, as in Optax.
      learning_rate, weight_decay, where, maximize: as for `adam`.

    Returns:
      A transformation that keeps `AgedMoments`: two arrays per array, in float32 or wider.

    References:
      Zhuang et al., 2021, Momentum Centering and Asynchronous Update for Adaptive Gradient Methods.
    """
    return descend([scale_by_acprop(b1, b2, eps)], learning_rate, weight_decay, where, maximize)
