"""The mean of the parameters over the end of a run, to evaluate with."""

from __future__ import annotations

from typing import Any, NamedTuple

import jax.numpy as jnp
from jax import Array

from gradtx.core import (
    Count,
    GradientTransformation,
    ParamsLike,
    PositiveCount,
    Run,
    each,
    transformation,
    wrapping,
)

PyTree = Any


class SwaState(NamedTuple):
    """The mean of the parameters, of how many, and how many steps there were."""

    average: ParamsLike
    averaged: Array
    steps: Array


@transformation
def swa(inner: GradientTransformation, start: Count, every: PositiveCount = 1) -> GradientTransformation:
    """Keep the mean of the parameters from some step on, and evaluate with it: stochastic weight averaging.

    average = mean of p + u over the steps start, start + every, start + 2 every, ...;  u = inner(u)

    `eval_params(tx, state, params)` gives the mean, and before the first one the parameters themselves.

    Args:
      inner: the optimizer, whole, usually with a high constant or cyclical learning rate from `start` on.
      start: the first step whose result is averaged, counted from 0.
      every: how many steps lie between two that are averaged, such as those of an epoch.

    Returns:
      A transformation that keeps what `inner` keeps, under the same names, and an `SwaState`; its update needs
      `params`.

    Raises:
      TypeError: if `inner` is not a transformation of arrays into arrays.

    References:
      Izmailov et al., 2018, Averaging Weights Leads to Wider Optima and Better Generalization.
    """

    def init(params: PyTree) -> SwaState:
        return SwaState(params, jnp.zeros((), jnp.int32), jnp.zeros((), jnp.int32))

    given: dict[str, Any] = {"keeps": SwaState, "needs": ("params",), "reads": _mean, "holds": True}
    return wrapping(inner, _swa, init, **given, start=start, every=every)


def _swa(run: Run, g: PyTree, s: SwaState, params: PyTree, start: int, every: int) -> tuple[PyTree, SwaState]:
    updates = run(g)
    now = (s.steps >= start) & ((s.steps - start) % every == 0) & run.taken
    count = s.averaged + now
    average = each(_joined, s.average, params, updates, now=now, count=count)
    return updates, SwaState(average, count, s.steps + jnp.asarray(run.taken))


def _joined(average: Array, p: Array, u: Array, now: Array, count: Array) -> Array:
    return jnp.where(now, average + (p + u - average) / jnp.maximum(count, 1), average)


def _mean(run: Any, s: SwaState, params: PyTree, start: int, every: int) -> PyTree:
    return each(_if_any, s.average, run(params), some=s.averaged > 0)


def _if_any(average: Array, p: Array, some: Array) -> Array:
    return jnp.where(some, average, p)
