"""Polyak's step size: the step that would reach the least loss."""

from __future__ import annotations

from typing import Any, Literal

import jax.numpy as jnp
from jax import Array

from gradtx.core import Finite, GradientTransformation, LearningRate, Mask, NonNegative, transformation, treewise
from gradtx.optimizers.common import descend
from gradtx.transforms import trees
from gradtx.transforms.decay import decay_of, plus_decay
from gradtx.transforms.global_norm import global_norm
from gradtx.transforms.numerics import bounded_square

PyTree = Any
Variant = Literal["sps", "sps+"]


@transformation
def scale_by_polyak(
    f_min: Finite = 0.0,
    max_learning_rate: NonNegative = 1.0,
    eps: NonNegative = 0.0,
    variant: Variant = "sps",
    *,
    weight_decay: NonNegative | None = None,
    where: Mask | None = None,
    maximize: bool = False,
) -> GradientTransformation:
    """The step of `polyak_sgd` before the learning rate; arguments as there.

    u min((value - f_min) / (||g||^2 + eps), max_learning_rate)

    Args:
      maximize: set when `value` is maximized: gradients arrive negated, and `f_min` bounds -value from below.

    Returns:
      A transformation without state, which needs the extra argument `value`, the loss.
    """
    decay = decay_of(weight_decay, where)
    numbers = {"f_min": f_min, "largest": max_learning_rate, "eps": eps, **decay}
    needs = ("value",) if decay["weight_decay"] is None else ("value", "params")
    return treewise(_polyak, needs=needs, positive=variant == "sps+", maximize=maximize, **numbers)


def _polyak(
    g: PyTree,
    s: None,
    params: PyTree,
    value: Array,
    f_min: Array,
    largest: Array,
    eps: Array,
    positive: bool,
    maximize: bool,
    **decay: Any,
) -> tuple[PyTree, None]:
    gap = trees.loss(value, maximize) - f_min
    gap = jnp.maximum(gap, 0) if positive else gap
    square = bounded_square(global_norm(g)) + eps
    defined = square > jnp.finfo(square.dtype).tiny
    step = jnp.where(defined, jnp.minimum(gap / jnp.where(defined, square, 1), largest), 0)
    return trees.scaled(plus_decay(g, params, **decay), step), s


@transformation
def polyak_sgd(
    learning_rate: LearningRate = 1.0,
    f_min: Finite = 0.0,
    max_learning_rate: NonNegative = 1.0,
    eps: NonNegative = 0.0,
    variant: Variant = "sps",
    *,
    weight_decay: NonNegative | None = None,
    where: Mask | None = None,
    maximize: bool = False,
) -> GradientTransformation:
    """Descend by the step that would reach the least loss, if the loss were as steep all the way.

    p - learning_rate g min((value - f_min) / (||g||^2 + eps), max_learning_rate)

    Optax's first argument is `max_learning_rate`.

    Args:
      learning_rate: factor of the step size that is found; 1, or a schedule from 1.
      f_min: the least value that the loss can have.
      max_learning_rate: the largest step size.
      eps: added to the squared norm.
      variant: "sps", or "sps+" to take no step uphill where the loss is below `f_min`.
      weight_decay, where: as for `adam`; the decay is multiplied by the step size that is found.
      maximize: ascend instead of descending; `f_min` then bounds -value from below.

    Returns:
      A transformation without state, which needs the extra argument `value`, the loss.

    References:
      Loizou et al., 2021, Stochastic Polyak Step-size for SGD: An Adaptive Learning Rate for Fast Convergence.
    """
    decay: dict[str, Any] = {"weight_decay": weight_decay, "where": where}
    stage = scale_by_polyak(f_min, max_learning_rate, eps, variant, maximize=maximize, **decay)
    return descend([stage], learning_rate, maximize=maximize)
