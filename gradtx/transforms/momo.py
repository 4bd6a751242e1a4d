"""Momentum with a model of the loss: steps as long as the model says that the loss still falls."""

from typing import Any, NamedTuple

import jax
import jax.numpy as jnp

from gradtx.core import GradientTransformation, ScalarOrSchedule, transformation, treewise
from gradtx.core.checks import finite, in_range
from gradtx.core.numerics import cast, root
from gradtx.transforms import trees
from gradtx.transforms.averages import after_first, complement, correction

Array = jax.Array
PyTree = Any


class Momo(NamedTuple):
    """Averages of gradients, of the loss, and of the inner product of gradient and parameters."""

    first: PyTree
    loss: Array
    product: Array


class MomoAdam(NamedTuple):
    """`Momo`, and the average of squared gradients."""

    first: PyTree
    second: PyTree
    loss: Array
    product: Array


@transformation
def scale_by_momo(
    learning_rate: ScalarOrSchedule = 1.0,
    beta: ScalarOrSchedule = 0.9,
    lower_bound: ScalarOrSchedule = 0.0,
    *,
    maximize: bool = False,
) -> GradientTransformation:
    """Momentum whose step goes as far as a line through past losses reaches the lower bound. The whole step, uphill.

    Averages d of g, f of the loss and c of <g, p>, with `beta`, the first values at first;
    u = d min(learning_rate, max(f - lower_bound - c + <d, p>, 0) / ||d||^2)

    Args:
      learning_rate: the longest step, at least 0; a number or a schedule.
      beta: decay of the averages, in [0, 1); a number or a schedule. The paper's default.
      lower_bound: the least value that the loss can have; any finite number.
      maximize: gradients come turned, for `value` is to grow: take its opposite, of which `lower_bound` is the least.

    Returns:
      A transformation that keeps a `Momo`; its update needs `params` and the extra argument `value`, the loss.

    Raises:
      ValueError: if an argument is out of range.

    References:
      Schaipp, Ohana, Eickenberg, Defazio and Gower, 2023, MoMo: Momentum Models for Adaptive Learning Rates.
    """
    in_range("learning_rate", learning_rate)
    in_range("beta", beta, 0.0, 1.0)
    finite(lower_bound=lower_bound)

    def init(params: PyTree) -> Momo:
        return Momo(trees.zeros(params), trees.scalar(0.0), trees.scalar(0.0))

    numbers: dict[str, Any] = {"rate": complement(beta), "later": after_first()}
    numbers |= {"learning_rate": learning_rate, "lower_bound": lower_bound}
    return treewise(_momo, init, needs=("params", "value"), maximize=maximize, **numbers)


def _momo(
    g: PyTree,
    s: Momo,
    params: PyTree,
    learning_rate: Array,
    lower_bound: Array,
    rate: Array,
    later: Array,
    maximize: bool,
    value: Array,
) -> tuple[PyTree, Momo]:
    params, part = trees.wide(params), jnp.where(later > 0, rate, 1)
    s = Momo(
        trees.average_of(s.first, g, part),
        s.loss + part * (trees.loss(value, maximize) - s.loss),
        s.product + part * (trees.inner_product(g, params) - s.product),
    )
    gap = s.loss - lower_bound - s.product + trees.inner_product(s.first, params)
    step = _within(gap, trees.inner_product(s.first, s.first), learning_rate)
    return trees.scaled(s.first, step), s


@transformation
def scale_by_momo_adam(
    learning_rate: ScalarOrSchedule = 0.01,
    b1: ScalarOrSchedule = 0.9,
    b2: ScalarOrSchedule = 0.999,
    eps: ScalarOrSchedule = 1e-8,
    lower_bound: ScalarOrSchedule = 0.0,
    *,
    maximize: bool = False,
) -> GradientTransformation:
    """`scale_by_momo` measured by Adam's root of second moments. The whole step, uphill.

    Averages d of g, f of the loss and c of <g, p> with b1, v of |g|^2 with b2, zero at first; with
    D = sqrt(v / (1 - b2^t)) + eps and w = 1 - b1^t:
    u = d / D min(learning_rate / w, max(f - w lower_bound - c + <d, p>, 0) / <d, d / D>)

    Args:
      learning_rate: the longest step, at least 0; a number or a schedule.
      b1: decay of the averages, in [0, 1); a number or a schedule. The paper's default, as are those below.
      b2: decay of the squares, in [0, 1); a number or a schedule.
      eps: keeps the quotient small where v is; at least 0.
      lower_bound: the least value that the loss can have; any finite number.
      maximize: gradients come turned, for `value` is to grow: take its opposite, of which `lower_bound` is the least.

    Returns:
      A transformation that keeps a `MomoAdam`; its update needs `params` and the extra argument `value`, the loss.

    Raises:
      ValueError: if an argument is out of range.

    References:
      Schaipp, Ohana, Eickenberg, Defazio and Gower, 2023, MoMo: Momentum Models for Adaptive Learning Rates.
    """
    in_range("learning_rate", learning_rate)
    in_range("b1", b1, 0.0, 1.0)
    in_range("b2", b2, 0.0, 1.0)
    in_range("eps", eps)
    finite(lower_bound=lower_bound)

    def init(params: PyTree) -> MomoAdam:
        return MomoAdam(trees.zeros(params), trees.real_zeros(params), trees.scalar(0.0), trees.scalar(0.0))

    numbers: dict[str, Any] = {"learning_rate": learning_rate, "eps": eps, "lower_bound": lower_bound}
    numbers |= {"rate1": complement(b1), "rate2": complement(b2), "weight1": correction(b1), "weight2": correction(b2)}
    return treewise(_momo_adam, init, needs=("params", "value"), maximize=maximize, **numbers)


def _momo_adam(
    g: PyTree,
    s: MomoAdam,
    params: PyTree,
    learning_rate: Array,
    eps: Array,
    lower_bound: Array,
    rate1: Array,
    rate2: Array,
    weight1: Array,
    weight2: Array,
    maximize: bool,
    value: Array,
) -> tuple[PyTree, MomoAdam]:
    params = trees.wide(params)
    s = MomoAdam(
        trees.average_of(s.first, g, rate1),
        trees.average_of(s.second, trees.squares(g), rate2),
        s.loss + rate1 * (trees.loss(value, maximize) - s.loss),
        s.product + rate1 * (trees.inner_product(g, params) - s.product),
    )
    quotient = jax.tree.map(lambda m, v: m / (root(v / cast(weight2, v.dtype)) + cast(eps, v.dtype)), s.first, s.second)
    gap = s.loss - weight1 * lower_bound - s.product + trees.inner_product(s.first, params)
    step = _within(gap, trees.inner_product(s.first, quotient), learning_rate / weight1)
    return trees.scaled(quotient, step), s


def _within(gap: Array, square: Array, longest: Array) -> Array:
    positive = square > jnp.finfo(square.dtype).tiny
    step = jnp.minimum(longest, jnp.maximum(gap, 0) / jnp.where(positive, square, 1))
    return jnp.where(positive, step, 0)
