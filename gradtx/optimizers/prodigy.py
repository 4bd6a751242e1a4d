"""Prodigy: Adam with a learning rate that it finds itself, from how far the gradients agree that the way leads."""

from __future__ import annotations

from typing import Annotated, Any, NamedTuple

import jax
import jax.numpy as jnp
from jax import Array

from gradtx.core import (
    Fraction,
    GradientTransformation,
    LearningRate,
    Mask,
    NonNegative,
    ParamsLike,
    Range,
    transformation,
    treewise,
)
from gradtx.core.numerics import cast
from gradtx.optimizers.common import descend_by
from gradtx.transforms import trees
from gradtx.transforms.averages import one_minus
from gradtx.transforms.decay import decay_of, plus_decay
from gradtx.transforms.numerics import root, sqrt

PyTree = Any
FirstEstimate = Annotated[float, Range(0, open_low=True)]


class ProdigyState(NamedTuple):
    """Moments, the weighted sum of gradients, the first parameters, and the estimate with its numerator."""

    first: ParamsLike
    second: ParamsLike
    gathered: ParamsLike
    origin: ParamsLike
    distance: Array
    numerator: Array


@transformation
def scale_by_prodigy(
    learning_rate: LearningRate = 1.0,
    b1: Fraction = 0.9,
    b2: Fraction = 0.999,
    eps: NonNegative = 1e-8,
    estim_lr0: FirstEstimate = 1e-6,
    estim_lr_coef: NonNegative = 1.0,
    *,
    weight_decay: NonNegative | None = None,
    where: Mask | None = None,
) -> GradientTransformation:
    """Adam's step with an estimate d of the distance to the solution instead of the rate. The whole step, uphill.

    With k = d learning_rate and c = sqrt(b2):  m = b1 m + (1 - b1) d g,  v = b2 v + (1 - b2) d^2 |g|^2,
    r = c r + d k <g, p0 - p>,  s = c s + d k g;  u = k (m / (sqrt(v) + d eps) + weight_decay p),
    then d = max(d, estim_lr_coef r / ||s||_1).

    Args:
      learning_rate, b1, b2, eps, estim_lr0, estim_lr_coef, weight_decay, where: as for `prodigy`.

    Returns:
      A transformation that keeps a `ProdigyState`, four arrays per array; its update needs `params`.
    """
    return treewise(
        _prodigy,
        from_estimate(estim_lr0),
        keeps=ProdigyState,
        needs=("params",),
        learning_rate=learning_rate,
        eps=eps,
        one_minus_b1=one_minus(b1),
        b2=b2,
        one_minus_b2=one_minus(b2),
        coefficient=estim_lr_coef,
        **decay_of(weight_decay, where),
    )


def from_estimate(estim_lr0: float) -> Any:
    """The function that makes the first state, with this estimate."""

    def init(params: PyTree) -> ProdigyState:
        zeros, second = trees.zeros(params), trees.real_zeros(params)
        return ProdigyState(zeros, second, trees.zeros(params), params, trees.scalar(estim_lr0), trees.scalar(0.0))

    return init


def _prodigy(
    g: PyTree,
    s: ProdigyState,
    params: PyTree,
    learning_rate: Array,
    eps: Array,
    one_minus_b1: Array,
    b2: Array,
    one_minus_b2: Array,
    coefficient: Array,
    **decay: Any,
) -> tuple[PyTree, ProdigyState]:
    params, d, c = trees.wide(params), s.distance, sqrt(b2)
    k = d * learning_rate
    grown = trees.scaled_within(g, d)
    first = trees.average_of(s.first, grown, one_minus_b1)
    second = trees.average_of(s.second, trees.squares(grown), one_minus_b2)
    numerator = c * s.numerator + d * k * trees.inner_product(g, trees.difference(s.origin, params))
    gathered = jax.tree.map(jnp.add, trees.scaled(s.gathered, c), trees.scaled(grown, k))
    u = trees.scaled(plus_decay(quotient(first, second, d * eps), params, **decay), k)
    d = larger_estimate(d, coefficient * numerator, trees.size(gathered))
    return u, ProdigyState(first, second, gathered, s.origin, d, numerator)


def quotient(first: PyTree, second: PyTree, eps: Array) -> PyTree:
    """M / (sqrt(v) + eps), array by array."""
    return jax.tree.map(lambda m, v: m / (root(v) + cast(eps, v.dtype)), first, second)


def larger_estimate(d: Array, numerator: Array, below: Array) -> Array:
    """The quotient as the new estimate, if it is larger than the present one."""
    estimate = numerator / jnp.where(below > 0, below, 1)
    return jnp.where((below > 0) & (estimate > d) & jnp.isfinite(estimate), estimate, d)


@transformation
def prodigy(
    learning_rate: LearningRate = 1.0,
    b1: Fraction = 0.9,
    b2: Fraction = 0.999,
    eps: NonNegative = 1e-8,
    estim_lr0: FirstEstimate = 1e-6,
    estim_lr_coef: NonNegative = 1.0,
    *,
    weight_decay: NonNegative | None = None,
    where: Mask | None = None,
    maximize: bool = False,
) -> GradientTransformation:
    """Adam with a learning rate that it finds itself.

    k = d learning_rate;  p - k (m / (sqrt(v) + d eps) + weight_decay p), with d, m and v as in `scale_by_prodigy`.

    Optax corrects the bias of the moments; the paper does not.

    Args:
      learning_rate: factor of the step size that is found; 1, or a schedule from 1.
      b1: decay of the first moment. The authors' default, as are those below.
      b2: decay of the second moment.
      estim_lr0: the first estimate.
      estim_lr_coef: factor of later estimates.
      eps, weight_decay, where, maximize: as for `adam`; the decay is multiplied by the step size that is found.

    Returns:
      A transformation that keeps a `ProdigyState`, four arrays per array; its update needs `params`.

    References:
      Mishchenko and Defazio, 2023, Prodigy: An Expeditiously Adaptive Parameter-Free Learner.
    """
    decay: dict[str, Any] = {"weight_decay": weight_decay, "where": where}
    step = scale_by_prodigy(learning_rate, b1, b2, eps, estim_lr0, estim_lr_coef, **decay)
    return descend_by(step, learning_rate, maximize=maximize)
