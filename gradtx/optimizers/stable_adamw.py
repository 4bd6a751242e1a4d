"""StableAdamW: AdamW that shrinks the steps its second moment did not foresee."""

from __future__ import annotations

from typing import Any

import jax.numpy as jnp
from jax import Array

from gradtx.core import (
    Axes,
    Fraction,
    GradientTransformation,
    LearningRate,
    Mask,
    NonNegative,
    chain,
    leafwise,
    transformation,
)
from gradtx.optimizers.common import negated
from gradtx.transforms.averages import correction, one_minus
from gradtx.transforms.decay import decay_of
from gradtx.transforms.moments import AgedMoments, Moments, quotient, zero_aged_moments
from gradtx.transforms.numerics import average, bounded_square, rms, root
from gradtx.transforms.scaling import scale_by_learning_rate


@transformation
def track_stable_moments(
    b1: Fraction = 0.9, b2: Fraction = 0.999, eps: NonNegative = 1e-8, *, axes: Axes | None = None
) -> GradientTransformation:
    """Track moments, and shrink the first where the gradient has outgrown what the second foresees.

    m and v as in `track_moments`;  m is given divided by max(1, rms(g / sqrt(v / (1 - b2^t)))), over one array.

    Args:
      b1: decay of the first moment.
      b2: decay of the second moment.
      eps: the least root to divide by.
      axes: as for `scale_by_trust_ratio`.

    Returns:
      A transformation that takes arrays and gives `Moments`; it keeps `AgedMoments`, in float32 or wider.

    References:
      Wortsman et al., 2023, Stable and low-precision training for large-scale vision-language models.
    """
    return leafwise(
        _track_stable,
        zero_aged_moments,
        keeps=AgedMoments,
        gives=Moments,
        axes=axes,
        eps=eps,
        one_minus_b1=one_minus(b1),
        one_minus_b2=one_minus(b2),
        correction2=correction(b2),
    )


def _track_stable(
    g: Array, s: AgedMoments, p: None, eps: Array, one_minus_b1: Array, one_minus_b2: Array, correction2: Array
) -> tuple[Moments, AgedMoments]:
    s, outgrown = _tracked(g, s, eps, one_minus_b1, one_minus_b2, correction2)
    return Moments(s.first / outgrown, s.second), s


def _tracked(
    g: Array, s: AgedMoments, eps: Array, one_minus_b1: Array, one_minus_b2: Array, correction2: Array
) -> tuple[AgedMoments, Array]:
    """The moments, and by how much the gradient has outgrown the second, at least 1."""
    first, second = average(s.first, g, one_minus_b1), average(s.second, bounded_square(g), one_minus_b2)
    outgrown = rms(g / jnp.maximum(root(second / correction2), eps))
    return AgedMoments(first, second, s.age), jnp.maximum(outgrown, 1)


@transformation
def stable_adamw(
    learning_rate: LearningRate,
    b1: Fraction = 0.9,
    b2: Fraction = 0.99,
    eps: NonNegative = 1e-8,
    weight_decay: NonNegative | None = 0.01,
    *,
    axes: Axes | None = None,
    where: Mask | None = None,
    maximize: bool = False,
) -> GradientTransformation:
    """AdamW whose step shrinks where the gradient has outgrown its second moment.

    AdamW with learning_rate / max(1, rms(g / sqrt(v / (1 - b2^t)))) for each array.

    The weight decay shrinks with the step, as in the paper; in the authors' code it does not.

    Args:
      axes: as for `scale_by_trust_ratio`.
      learning_rate, b1, b2, eps, weight_decay, where, maximize: as for `adam`.

    Returns:
      A transformation that keeps `AgedMoments`: two arrays per array, in float32 or wider.

    References:
      Wortsman et al., 2023, Stable and low-precision training for large-scale vision-language models.
    """
    step = leafwise(
        _step,
        zero_aged_moments,
        keeps=AgedMoments,
        needs=() if weight_decay is None else ("params",),
        axes=axes,
        eps=eps,
        one_minus_b1=one_minus(b1),
        one_minus_b2=one_minus(b2),
        correction1=correction(b1),
        correction2=correction(b2),
        **decay_of(weight_decay, where),
    )
    downhill = scale_by_learning_rate(learning_rate)
    return chain(*negated(maximize), track_stable_moments=step, scale_by_learning_rate=downhill)


def _step(
    g: Array,
    s: AgedMoments,
    p: Array,
    eps: Array,
    one_minus_b1: Array,
    one_minus_b2: Array,
    correction1: Array,
    correction2: Array,
    weight_decay: Array | None,
    chosen: Any = 1.0,
) -> tuple[Array, AgedMoments]:
    s, outgrown = _tracked(g, s, eps, one_minus_b1, one_minus_b2, correction2)
    u = quotient(Moments(s.first / correction1, s.second / correction2), eps, None)
    return (u if weight_decay is None else u + chosen * weight_decay * p) / outgrown, s
