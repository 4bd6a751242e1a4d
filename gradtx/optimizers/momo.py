"""MoMo: momentum whose steps go as far as a model of the loss says."""

from __future__ import annotations

from typing import Any, NamedTuple

import jax.numpy as jnp
from jax import Array

from gradtx.core import (
    Finite,
    Fraction,
    GradientTransformation,
    LearningRate,
    Mask,
    NonNegative,
    ParamsLike,
    transformation,
    treewise,
)
from gradtx.optimizers.common import descend_by
from gradtx.transforms import trees
from gradtx.transforms.averages import one_minus

PyTree = Any


class MomoState(NamedTuple):
    """Averages of gradients, of the loss, and of the inner product of gradient and parameters."""

    first: ParamsLike
    loss: Array
    product: Array
    age: Array | int = 0


@transformation
def scale_by_momo(
    learning_rate: LearningRate = 1.0, beta: Fraction = 0.9, lower_bound: Finite = 0.0, *, maximize: bool = False
) -> GradientTransformation:
    """The whole step of `momo`, uphill; arguments as there.

    Averages d of g, f of the loss and c of <g, p>, with `beta`, the first values at first;
    u = d min(learning_rate, max(f - lower_bound - c + <d, p>, 0) / ||d||^2)

    Args:
      maximize: set when `value` is maximized: gradients arrive negated, and `lower_bound` bounds -value from below.

    Returns:
      A transformation that keeps a `MomoState`; its update needs `params` and the extra argument `value`, the loss.
    """
    return treewise(
        _momo,
        keeps=MomoState,
        needs=("params", "value"),
        one_minus_beta=one_minus(beta),
        learning_rate=learning_rate,
        lower_bound=lower_bound,
        maximize=maximize,
    )


def _momo(
    g: PyTree,
    s: MomoState,
    params: PyTree,
    value: Array,
    learning_rate: Array,
    lower_bound: Array,
    one_minus_beta: Array,
    maximize: bool,
) -> tuple[PyTree, MomoState]:
    params, weight = trees.wide(params), jnp.where(s.age > 0, one_minus_beta, 1)
    s = s._replace(
        first=trees.average_of(s.first, g, weight),
        loss=s.loss + weight * (trees.loss(value, maximize) - s.loss),
        product=s.product + weight * (trees.inner_product(g, params) - s.product),
    )
    gap = s.loss - lower_bound - s.product + trees.inner_product(s.first, params)
    return trees.scaled(s.first, step_within(gap, trees.inner_product(s.first, s.first), learning_rate)), s


def step_within(gap: Array, square: Array, longest: Array) -> Array:
    """The step size gap / square, from 0 to the longest; 0 where the square vanishes."""
    positive = square > jnp.finfo(square.dtype).tiny
    step = jnp.minimum(longest, jnp.maximum(gap, 0) / jnp.where(positive, square, 1))
    return jnp.where(positive, step, 0)


@transformation
def momo(
    learning_rate: LearningRate = 1.0,
    beta: Fraction = 0.9,
    lower_bound: Finite = 0.0,
    *,
    weight_decay: NonNegative | None = None,
    where: Mask | None = None,
    maximize: bool = False,
) -> GradientTransformation:
    """Momentum whose step goes as far as a model of the loss says.

    p - d min(learning_rate, max(f - lower_bound - c + <d, p>, 0) / ||d||^2), with averages d of g, f of the loss and c
    of <g, p>, as in `scale_by_momo`.

    Optax does the same, except for weight decay, which enters the model of the loss in the paper and in Optax.

    Args:
      learning_rate: the largest step size.
      beta: decay of the averages. The paper's default.
      lower_bound: the least value that the loss can have.
      weight_decay, where: as for `adam`.
      maximize: ascend instead of descending; `lower_bound` then bounds -value from below.

    Returns:
      A transformation that keeps a `MomoState`; its update needs `params` and the extra argument `value`, the loss.

    References:
      Schaipp, Ohana, Eickenberg, Defazio and Gower, 2023, MoMo: Momentum Models for Adaptive Learning Rates.
    """
    step = scale_by_momo(learning_rate, beta, lower_bound, maximize=maximize)
    return descend_by(step, learning_rate, weight_decay, where, maximize)
