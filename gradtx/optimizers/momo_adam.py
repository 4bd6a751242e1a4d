"""MoMo-Adam: MoMo measured by Adam's root of second moments."""

from __future__ import annotations

from typing import Any, NamedTuple

import jax
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
from gradtx.core.numerics import cast
from gradtx.optimizers.common import descend_by
from gradtx.optimizers.momo import step_within
from gradtx.transforms import trees
from gradtx.transforms.averages import correction, one_minus
from gradtx.transforms.numerics import root

PyTree = Any


class MomoAdamState(NamedTuple):
    """Averages of gradients, of their squares, of the loss, and of the inner product of gradient and parameters."""

    first: ParamsLike
    second: ParamsLike
    loss: Array
    product: Array
    age: Array | int = 0


@transformation
def scale_by_momo_adam(
    learning_rate: LearningRate = 0.01,
    b1: Fraction = 0.9,
    b2: Fraction = 0.999,
    eps: NonNegative = 1e-8,
    lower_bound: Finite = 0.0,
    *,
    maximize: bool = False,
) -> GradientTransformation:
    """The whole step of `momo_adam`, uphill; arguments as there.

    Averages d of g, f of the loss and c of <g, p> with b1, v of |g|^2 with b2, zero at first; with
    D = sqrt(v / (1 - b2^t)) + eps and w = 1 - b1^t:
    u = d / D min(learning_rate / w, max(f - w lower_bound - c + <d, p>, 0) / <d, d / D>)

    Args:
      maximize: set when `value` is maximized: gradients arrive negated, and `lower_bound` bounds -value from below.

    Returns:
      A transformation that keeps a `MomoAdamState`; its update needs `params` and the extra argument `value`, the loss.
    """
    return treewise(
        _momo_adam,
        _zeros,
        keeps=MomoAdamState,
        needs=("params", "value"),
        learning_rate=learning_rate,
        eps=eps,
        lower_bound=lower_bound,
        one_minus_b1=one_minus(b1),
        one_minus_b2=one_minus(b2),
        correction1=correction(b1),
        correction2=correction(b2),
        maximize=maximize,
    )


def _zeros(params: PyTree) -> MomoAdamState:
    return MomoAdamState(trees.zeros(params), trees.real_zeros(params), trees.scalar(0.0), trees.scalar(0.0))


def _momo_adam(
    g: PyTree,
    s: MomoAdamState,
    params: PyTree,
    value: Array,
    learning_rate: Array,
    eps: Array,
    lower_bound: Array,
    one_minus_b1: Array,
    one_minus_b2: Array,
    correction1: Array,
    correction2: Array,
    maximize: bool,
) -> tuple[PyTree, MomoAdamState]:
    params = trees.wide(params)
    s = s._replace(
        first=trees.average_of(s.first, g, one_minus_b1),
        second=trees.average_of(s.second, trees.squares(g), one_minus_b2),
        loss=s.loss + one_minus_b1 * (trees.loss(value, maximize) - s.loss),
        product=s.product + one_minus_b1 * (trees.inner_product(g, params) - s.product),
    )

    def over_root(m: Array, v: Array) -> Array:
        return m / (root(v / cast(correction2, v.dtype)) + cast(eps, v.dtype))

    quotient = jax.tree.map(over_root, s.first, s.second)
    gap = s.loss - correction1 * lower_bound - s.product + trees.inner_product(s.first, params)
    step = step_within(gap, trees.inner_product(s.first, quotient), learning_rate / correction1)
    return trees.scaled(quotient, step), s


@transformation
def momo_adam(
    learning_rate: LearningRate = 0.01,
    b1: Fraction = 0.9,
    b2: Fraction = 0.999,
    eps: NonNegative = 1e-8,
    lower_bound: Finite = 0.0,
    *,
    weight_decay: NonNegative | None = None,
    where: Mask | None = None,
    maximize: bool = False,
) -> GradientTransformation:
    """Adam whose step goes as far as a model of the loss says.

    p - d / D min(learning_rate / w, max(f - w lower_bound - c + <d, p>, 0) / <d, d / D>), with D = sqrt(v / (1 - b2^t))
    + eps, w = 1 - b1^t, and d, f, c and v as in `scale_by_momo_adam`.

    Optax does the same, except for weight decay, which enters the model of the loss in the paper and in Optax.

    Args:
      learning_rate: the largest step size. The default is Optax's.
      b1: decay of the averages. The paper's default, as are `b2` and `eps`.
      b2: decay of the squares.
      eps, weight_decay, where: as for `adam`.
      lower_bound: the least value that the loss can have.
      maximize: ascend instead of descending; `lower_bound` then bounds -value from below.

    Returns:
      A transformation that keeps a `MomoAdamState`; its update needs `params` and the extra argument `value`, the loss.

    References:
      Schaipp, Ohana, Eickenberg, Defazio and Gower, 2023, MoMo: Momentum Models for Adaptive Learning Rates.
    """
    step = scale_by_momo_adam(learning_rate, b1, b2, eps, lower_bound, maximize=maximize)
    return descend_by(step, learning_rate, weight_decay, where, maximize)
