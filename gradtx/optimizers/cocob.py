"""COCOB: bets on the sign of each gradient."""

from __future__ import annotations

from typing import NamedTuple

import jax.numpy as jnp
from jax import Array

from gradtx.core import GradientTransformation, LearningRate, Mask, NonNegative, Positive, leafwise, transformation
from gradtx.optimizers.common import descend
from gradtx.transforms.numerics import bounded, real_zeros


class CocobState(NamedTuple):
    """What a coin bettor keeps for each number: the largest gradient, sums of moduli and of gradients, and the gain."""

    largest: Array
    total: Array
    reward: Array
    against: Array
    origin: Array


@transformation
def scale_by_cocob(alpha: Positive = 100.0, eps: Positive = 1e-8) -> GradientTransformation:
    """Bet on the sign of each gradient; what was won is the step. The update is the whole step, uphill.

    L = max(L, |g|), eps at first;  G = G + |g|,  R = max(R - g (p - p0), 0),  S = S - g, zero at first;
    the parameters go to p0 + S (L + R) / (L max(G + L, alpha L)).

    Args:
      alpha, eps: as for `cocob`.

    Returns:
      A transformation that keeps a `CocobState`, five arrays per array; its update needs `params`. Complex arrays are
      refused.

    Raises:
      TypeError: when used, if an array is complex, because there is no side to bet on.
    """
    return leafwise(_cocob, _no_bets, keeps=CocobState, needs=("params",), alpha=alpha, eps=eps)


def _no_bets(p: Array) -> CocobState:
    return CocobState(real_zeros(p), real_zeros(p), real_zeros(p), jnp.zeros_like(p), p)


def _cocob(g: Array, s: CocobState, p: Array, alpha: Array, eps: Array) -> tuple[Array, CocobState]:
    if jnp.iscomplexobj(g):
        raise TypeError(
            "cocob bets on the sign of real numbers; split the complex array into real and imaginary part "
            "with gradtx.split_real_and_imaginary(...)."
        )
    quarter = jnp.finfo(g.dtype).max / 4
    size = jnp.minimum(jnp.abs(g), quarter / alpha)
    g = jnp.where(jnp.isfinite(g), jnp.sign(g) * size, g)
    largest = jnp.maximum(jnp.maximum(s.largest, jnp.maximum(eps, jnp.finfo(size.dtype).tiny)), size)
    total = bounded(s.total) + size
    reward = jnp.clip(s.reward - g * (p - s.origin), 0, quarter)
    against = jnp.clip(s.against, -quarter, quarter) - g
    below = jnp.maximum(bounded(total) + bounded(largest), alpha * largest)
    target = s.origin + (against / below) * (1 + reward / largest)
    return p - target, CocobState(largest, total, reward, against, s.origin)


@transformation
def cocob(
    learning_rate: LearningRate = 1.0,
    alpha: Positive = 100.0,
    eps: Positive = 1e-8,
    *,
    weight_decay: NonNegative | None = None,
    where: Mask | None = None,
    maximize: bool = False,
) -> GradientTransformation:
    """Descend by betting on the sign of each gradient.

    the parameters go learning_rate of the way to p0 + S (L + R) / (L max(G + L, alpha L)), as in `scale_by_cocob`.

    Optax does the same, except that its weight decay joins the gradient, as learning_rate does.

    Args:
      learning_rate: factor of the step that is found; 1, or a schedule from 1.
      alpha: the larger it is, the smaller the first steps are. The paper's default.
      eps: the least that the largest gradient can be. The default of the authors' code, and of Optax.
      weight_decay, where, maximize: as for `adam`.

    Returns:
      A transformation that keeps a `CocobState`, five arrays per array; its update needs `params`.

    References:
      Orabona and Tommasi, 2017, Training Deep Networks without Learning Rates Through Coin Betting.
    """
    return descend([scale_by_cocob(alpha, eps)], learning_rate, weight_decay, where, maximize)
