"""Lookahead: slow parameters that follow the fast ones every few steps."""

from __future__ import annotations

from typing import Any, NamedTuple

import jax.numpy as jnp
from jax import Array

from gradtx.core import (
    Fraction,
    GradientTransformation,
    ParamsLike,
    PositiveCount,
    Run,
    each,
    transformation,
    wrapping,
)

PyTree = Any


class LookaheadState(NamedTuple):
    """The slow parameters, and how many steps there were since they last moved."""

    slow: ParamsLike
    steps: Array


@transformation
def lookahead(inner: GradientTransformation, every: PositiveCount = 5, rate: Fraction = 0.5) -> GradientTransformation:
    """Every few steps, move the slow parameters a fraction of the way to the fast ones, and go on from there.

    u = inner(u); at every `every`-th step slow = slow + rate (p + u - slow), and u = slow - p

    The parameters that are trained are the fast ones, and those to evaluate with, `eval_params(tx, state, params)`, the
    slow ones. Optax keeps both in a pair of params; the numbers are the same.

    Args:
      inner: the optimizer of the fast parameters, whole.
      every: how many fast steps one slow step takes; k in the paper.
      rate: how far a slow step goes; alpha in the paper, and its default.

    Returns:
      A transformation that keeps what `inner` keeps, under the same names, and a `LookaheadState`; its update needs
      `params`.

    Raises:
      TypeError: if `inner` is not a transformation of arrays into arrays.

    References:
      Zhang, Lucas, Hinton and Ba, 2019, Lookahead Optimizer: k Steps Forward, 1 Step Back.
    """

    def init(params: PyTree) -> LookaheadState:
        return LookaheadState(params, jnp.zeros((), jnp.int32))

    given: dict[str, Any] = {"keeps": LookaheadState, "needs": ("params",), "reads": _slow, "holds": True}
    return wrapping(inner, _lookahead, init, **given, every=every, rate=rate)


def _lookahead(
    run: Run, g: PyTree, s: LookaheadState, params: PyTree, every: int, rate: Array
) -> tuple[PyTree, LookaheadState]:
    updates = run(g)
    count = s.steps + jnp.asarray(run.taken)
    now = (count >= every) & run.taken
    updates, slow = each(_synchronized, updates, s.slow, params, gives=2, now=now, rate=rate)
    return updates, LookaheadState(slow, jnp.where(now, 0, count))


def _synchronized(u: Array, slow: Array, p: Array, now: Array, rate: Array) -> tuple[Array, Array]:
    new = slow + rate * (p + u - slow)
    return jnp.where(now, new - p, u), jnp.where(now, new, slow)


def _slow(run: Any, s: LookaheadState, params: PyTree, every: int, rate: Array) -> PyTree:
    return s.slow
