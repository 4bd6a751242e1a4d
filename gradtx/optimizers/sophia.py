"""Sophia: gradients over the diagonal of the Hessian, within bounds."""

from __future__ import annotations

from typing import Any, NamedTuple

import jax.numpy as jnp
from jax import Array

from gradtx.core import (
    Fraction,
    GradientTransformation,
    LearningRate,
    Mask,
    NonNegative,
    ParamsLike,
    Positive,
    PositiveCount,
    each,
    stepwise,
    transformation,
    treewise,
)
from gradtx.core.trees import flatten, flatten_like
from gradtx.optimizers.common import descend
from gradtx.transforms.averages import one_minus
from gradtx.transforms.numerics import average

PyTree = Any


class SophiaState(NamedTuple):
    """Averages of gradients and of the diagonal of the Hessian."""

    first: ParamsLike
    hessian: ParamsLike
    age: Array | int = 0


@transformation
def scale_by_sophia(
    b1: Fraction = 0.965,
    b2: Fraction = 0.99,
    eps: Positive = 1e-12,
    gamma: NonNegative = 0.01,
    clip_threshold: NonNegative = 1.0,
    update_interval: PositiveCount = 10,
) -> GradientTransformation:
    """The step of `sophia` before the learning rate; arguments as there.

    Returns:
      A transformation that keeps a `SophiaState`, two arrays per array. It needs the extra argument `hessian`, a pytree
      like the gradients, such as `hutchinson` makes; between the steps that use it, zeros will do.

    Raises:
      TypeError: when used, if an array is complex, because its numbers have no order to be bounded in.
    """
    return treewise(
        _sophia,
        keeps=SophiaState,
        needs=("hessian",),
        one_minus_b1=one_minus(b1),
        one_minus_b2=one_minus(b2),
        eps=eps,
        gamma=gamma,
        bound=clip_threshold,
        renew=stepwise(_is_due, needs=("age",), interval=update_interval),
    )


def _is_due(step: Array, age: Array, interval: int) -> Array:
    return jnp.where(age % interval == 0, 1.0, 0.0)


def _sophia(g: PyTree, s: SophiaState, params: PyTree, hessian: PyTree, **scalars: Array) -> tuple[PyTree, SophiaState]:
    leaves, treedef = flatten(g)
    hessians = flatten_like(treedef, hessian, name="scale_by_sophia", what="hessian", like="updates")
    given = treedef.unflatten([None if x is None else h for x, h in zip(leaves, hessians, strict=True)])
    u, first, new_hessian = each(_sophia_array, g, given, s.first, s.hessian, gives=3, **scalars)
    return u, s._replace(first=first, hessian=new_hessian)


def _sophia_array(
    g: Array,
    given: Array,
    first: Array,
    hessian: Array,
    one_minus_b1: Array,
    one_minus_b2: Array,
    eps: Array,
    gamma: Array,
    bound: Array,
    renew: Array,
) -> tuple[Array, Array, Array]:
    if jnp.iscomplexobj(g):
        raise TypeError(
            "sophia bounds real numbers; split the complex array into real and imaginary part "
            "with gradtx.split_real_and_imaginary(...)."
        )
    first = average(first, g, one_minus_b1)
    hessian = jnp.where(renew > 0, average(hessian, given.astype(hessian.dtype), one_minus_b2), hessian)
    below = jnp.maximum(jnp.maximum(gamma * hessian, eps), jnp.finfo(g.dtype).tiny)
    return jnp.clip(first / below, -bound, bound), first, hessian


@transformation
def sophia(
    learning_rate: LearningRate,
    b1: Fraction = 0.965,
    b2: Fraction = 0.99,
    eps: Positive = 1e-12,
    gamma: NonNegative = 0.01,
    clip_threshold: NonNegative = 1.0,
    update_interval: PositiveCount = 10,
    *,
    weight_decay: NonNegative | None = None,
    where: Mask | None = None,
    maximize: bool = False,
) -> GradientTransformation:
    """Descend by gradients over the Hessian's diagonal, within bounds.

    m = b1 m + (1 - b1) g,  h = b2 h + (1 - b2) hessian, every update_interval steps;
    p - learning_rate clip(m / max(gamma h, eps), clip_threshold)

    Both averages are zero at first, and h is renewed at the first step. Optax renews h after it is used, and corrects
    the bias of m.

    Args:
      b1: decay of the gradients. The paper's default, as are the others.
      b2: decay of the Hessian.
      eps: the least number to divide by.
      gamma: how much of the Hessian counts.
      clip_threshold: the bound of each number of a step.
      update_interval: the number of steps from one use of `hessian` to the next.
      learning_rate, weight_decay, where, maximize: as for `adam`.

    Returns:
      A transformation that keeps a `SophiaState`; its update needs the extra argument `hessian`, which `hutchinson`
      estimates.

    References:
      Liu et al., 2023, Sophia: A Scalable Stochastic Second-order Optimizer for Language Model Pre-training.
    """
    stages = [scale_by_sophia(b1, b2, eps, gamma, clip_threshold, update_interval)]
    return descend(stages, learning_rate, weight_decay, where, maximize)
