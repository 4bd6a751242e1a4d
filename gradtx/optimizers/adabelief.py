"""AdaBelief: Adam that measures how far gradients lie from their mean."""

from __future__ import annotations

from jax import Array

from gradtx.core import (
    Fraction,
    GradientTransformation,
    LearningRate,
    Mask,
    NonNegative,
    chain,
    leafwise,
    transformation,
)
from gradtx.optimizers.common import descend
from gradtx.transforms.averages import one_minus
from gradtx.transforms.moments import Moments, bias_correction, scale_by_moments, zero_moments
from gradtx.transforms.numerics import average, bounded_square


@transformation
def track_belief(b1: Fraction = 0.9, b2: Fraction = 0.999, eps: NonNegative = 1e-16) -> GradientTransformation:
    """Track the first moment of gradients, and the average square of their distance from it.

    m = b1 m + (1 - b1) g,  s = b2 s + (1 - b2) |g - m|^2 + eps, both zero at first.

    Args:
      b1: decay of the first moment.
      b2: decay of the second moment.
      eps: added to the second moment at every step, as in the paper.

    Returns:
      A transformation that takes arrays and gives `Moments`; it keeps `Moments`, in float32 or wider.

    References:
      Zhuang et al., 2020, AdaBelief Optimizer: Adapting Stepsizes by the Belief in Observed Gradients.
    """
    return leafwise(
        _track_belief,
        zero_moments,
        keeps=Moments,
        gives=Moments,
        one_minus_b1=one_minus(b1),
        one_minus_b2=one_minus(b2),
        eps=eps,
    )


def _track_belief(
    g: Array, s: Moments, p: None, one_minus_b1: Array, one_minus_b2: Array, eps: Array
) -> tuple[Moments, Moments]:
    first = average(s.first, g, one_minus_b1)
    # eps stands inside the average, which comes to the same: outside, XLA would copy the state first.
    s = Moments(first, average(s.second, bounded_square(g - first) + eps / one_minus_b2, one_minus_b2))
    return s, s


@transformation
def scale_by_belief(
    b1: Fraction = 0.9, b2: Fraction = 0.999, eps: NonNegative = 1e-16, eps_root: NonNegative = 1e-16
) -> GradientTransformation:
    """The step of `adabelief` before the learning rate, as one stage; arguments as there.

    As `scale_by_adam`, with s = b2 s + (1 - b2) |g - m|^2 + eps_root for v.

    Args:
      eps_root: added to s at every step.

    Returns:
      A transformation that keeps `Moments`, under the names of its stages.
    """
    return chain(track_belief(b1, b2, eps_root), bias_correction(b1, b2), scale_by_moments(eps))


@transformation
def adabelief(
    learning_rate: LearningRate,
    b1: Fraction = 0.9,
    b2: Fraction = 0.999,
    eps: NonNegative = 1e-16,
    *,
    weight_decay: NonNegative | None = None,
    where: Mask | None = None,
    maximize: bool = False,
) -> GradientTransformation:
    """Adam that measures how far gradients lie from their mean, instead of from zero.

    s = b2 s + (1 - b2) (g - m)^2 + eps takes the place of v, and eps is also added to its root.

    This is the paper's rule. Optax does the same; there the first eps is called `eps_root`.

    Args:
      eps: added to s at every step, and to its root. The default is that of the authors' code and of Optax.
      learning_rate, b1, b2, weight_decay, where, maximize: as for `adam`.

    Returns:
      A transformation that keeps `Moments`.

    References:
      Zhuang et al., 2020, AdaBelief Optimizer: Adapting Stepsizes by the Belief in Observed Gradients.
    """
    stages = track_belief(b1, b2, eps), bias_correction(b1, b2), scale_by_moments(eps)
    return descend(stages, learning_rate, weight_decay, where, maximize)
