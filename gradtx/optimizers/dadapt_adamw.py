"""D-Adaptation: AdamW with a learning rate that it finds itself, from a bound on the distance to the solution."""

from __future__ import annotations

from typing import Any

from jax import Array

from gradtx.core import Fraction, GradientTransformation, LearningRate, Mask, NonNegative, transformation, treewise
from gradtx.optimizers.common import descend_by
from gradtx.optimizers.prodigy import FirstEstimate, ProdigyState, from_estimate, larger_estimate, quotient
from gradtx.transforms import trees
from gradtx.transforms.averages import one_minus
from gradtx.transforms.decay import decay_of, plus_decay
from gradtx.transforms.numerics import sqrt

PyTree = Any


@transformation
def scale_by_dadapt(
    learning_rate: LearningRate = 1.0,
    b1: Fraction = 0.9,
    b2: Fraction = 0.999,
    eps: NonNegative = 1e-8,
    estim_lr0: FirstEstimate = 1e-6,
    *,
    weight_decay: NonNegative | None = None,
    where: Mask | None = None,
) -> GradientTransformation:
    """Adam's step with a bound d on the distance to the solution instead of the rate. The whole step, uphill.

    With k = d learning_rate and c = sqrt(b2):  r = c r + (1 - c) k <g, s / (sqrt(v) + eps)>,
    m = b1 m + (1 - b1) k g,  v = b2 v + (1 - b2) |g|^2,  s = c s + (1 - c) k g;
    u = m / (sqrt(v) + eps) + k weight_decay p,  then d = max(d, r / ((1 - c) ||s||_1)).

    Args:
      learning_rate, b1, b2, eps, estim_lr0, weight_decay, where: as for `dadapt_adamw`.

    Returns:
      A transformation that keeps a `ProdigyState`, four arrays per array; its update needs `params`.
    """
    return treewise(
        _dadapt,
        from_estimate(estim_lr0),
        keeps=ProdigyState,
        needs=("params",),
        learning_rate=learning_rate,
        eps=eps,
        one_minus_b1=one_minus(b1),
        b2=b2,
        one_minus_b2=one_minus(b2),
        **decay_of(weight_decay, where),
    )


def _dadapt(
    g: PyTree,
    s: ProdigyState,
    params: PyTree,
    learning_rate: Array,
    eps: Array,
    one_minus_b1: Array,
    b2: Array,
    one_minus_b2: Array,
    weight_decay: Array | None,
    **chosen: Any,
) -> tuple[PyTree, ProdigyState]:
    c = sqrt(b2)
    one_minus_c = one_minus_b2 / (1 + c)  # in this form it loses no digits
    k = s.distance * learning_rate
    numerator = c * s.numerator + one_minus_c * k * trees.inner_product(g, quotient(s.gathered, s.second, eps))
    grown = trees.scaled_within(g, k)
    first = trees.average_of(s.first, grown, one_minus_b1)
    second = trees.average_of(s.second, trees.squares(g), one_minus_b2)
    gathered = trees.average_of(s.gathered, grown, one_minus_c)
    decay = None if weight_decay is None else k * weight_decay
    u = plus_decay(quotient(first, second, eps), params, decay, **chosen)
    d = larger_estimate(s.distance, numerator, one_minus_c * trees.size(gathered))
    return u, ProdigyState(first, second, gathered, s.origin, d, numerator)


@transformation
def dadapt_adamw(
    learning_rate: LearningRate = 1.0,
    b1: Fraction = 0.9,
    b2: Fraction = 0.999,
    eps: NonNegative = 1e-8,
    estim_lr0: FirstEstimate = 1e-6,
    *,
    weight_decay: NonNegative | None = None,
    where: Mask | None = None,
    maximize: bool = False,
) -> GradientTransformation:
    """AdamW with a learning rate that it finds itself.

    p - m / (sqrt(v) + eps) - d learning_rate weight_decay p, with d, m and v as in `scale_by_dadapt`.

    Optax corrects the bias of the moments; the authors' code does so only on request.

    Args:
      learning_rate, b1, b2, eps, estim_lr0, weight_decay, where, maximize: as for `prodigy`.

    Returns:
      A transformation that keeps a `ProdigyState`, four arrays per array; its update needs `params`.

    References:
      Defazio and Mishchenko, 2023, Learning-Rate-Free Learning by D-Adaptation.
    """
    step = scale_by_dadapt(learning_rate, b1, b2, eps, estim_lr0, weight_decay=weight_decay, where=where)
    return descend_by(step, learning_rate, maximize=maximize)
