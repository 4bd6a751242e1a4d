"""Wrappers that use only the public API, as a user would write them. The tests of nesting combine them."""

from __future__ import annotations

from typing import Any, NamedTuple

import jax
import jax.numpy as jnp

import gradtx
from gradtx import each, wrapping

Tx = gradtx.GradientTransformation
Array = jax.Array


def zeros(params):
    return each(jnp.zeros_like, params)


def count():
    return jnp.zeros((), jnp.int32)


class Window(NamedTuple):
    """The mean of the gradients so far, and their number."""

    mean: gradtx.ParamsLike
    count: Array


@gradtx.transformation
def accumulate(inner: Tx, every: gradtx.PositiveCount) -> Tx:
    """Take one step for every `every` gradients, with their mean."""
    return wrapping(inner, _accumulate, lambda p: Window(zeros(p), count()), keeps=Window, skips=True, every=every)


def _accumulate(run, g, s, params, every):
    mean = each(_mean, s.mean, g, count=s.count)
    last = s.count + 1 >= every
    mean = run.when(last, mean, passing=True)
    return each(_if, mean, taken=last), Window(mean, jnp.where(last, 0, s.count + 1))


def _mean(mean, g, count):
    return jnp.where(count == 0, g, mean + (g - mean) / (count + 1))


def _if(u, taken):
    return jnp.where(taken, u, 0)


@gradtx.transformation
def skip_nonfinite(inner: Tx) -> Tx:
    """Skip the step if a gradient is not finite."""
    return wrapping(inner, _skip_nonfinite, skips=True)


def _skip_nonfinite(run, g, s, params):
    finite = jnp.all(jnp.array([jnp.all(jnp.isfinite(x)) for x in jax.tree.leaves(g)]))
    return run.when(finite, g), s


class Calls(NamedTuple):
    """The number of times that a wrapper was called."""

    calls: Array


@gradtx.transformation
def every_other(inner: Tx) -> Tx:
    """Take a step at every other call."""
    return wrapping(inner, _every_other, keeps=Calls, init=lambda p: Calls(count()), skips=True)


def _every_other(run, g, s, params):
    return run.when(s.calls % 2 == 0, g), Calls(s.calls + 1)


@gradtx.transformation
def ema(inner: Tx, decay: gradtx.Fraction = 0.5) -> Tx:
    """Keep an average of the parameters."""
    given = {"keeps": "average", "needs": ("params",), "reads": _average}
    return wrapping(inner, _ema, lambda p: p, **given, decay=decay)


def _average(run, s, params, decay):
    return s


def _ema(run, g, s, params, decay):
    updates = run(g)
    return updates, each(_towards, s, params, updates, weight=1 - decay)


@gradtx.transformation
def held_ema(inner: Tx, decay: gradtx.Fraction = 0.5) -> Tx:
    """Keep the same average, and hold it without help when a step is skipped."""
    return wrapping(inner, _held_ema, lambda p: p, keeps="average", needs=("params",), holds=True, decay=decay)


def _held_ema(run, g, s, params, decay):
    updates = run(g)
    return updates, each(_towards, s, params, updates, weight=jnp.where(run.taken, 1 - decay, 0.0))


def _towards(average, p, u, weight):
    return average + weight * (p + u - average)


class Slow(NamedTuple):
    """The slow parameters, and the number of steps since they last moved."""

    slow: gradtx.ParamsLike
    count: Array


@gradtx.transformation
def lookahead(inner: Tx, every: gradtx.PositiveCount = 2, rate: gradtx.Fraction = 0.5) -> Tx:
    """Every `every` steps, move back to a point between the slow parameters and the current ones."""
    init = lambda p: Slow(p, count())  # noqa: E731
    return wrapping(inner, _lookahead, init, keeps=Slow, needs=("params",), every=every, rate=rate)


def _lookahead(run, g, s, params, every, rate):
    steps = s.count + 1
    updates, slow = each(_synchronize, run(g), s.slow, params, gives=2, now=steps >= every, rate=rate)
    return updates, Slow(slow, jnp.where(steps >= every, 0, steps))


def _synchronize(u, slow, p, now, rate):
    new = slow + rate * (p + u - slow)
    return jnp.where(now, new - p, u), jnp.where(now, new, slow)


@gradtx.transformation
def scaled(inner: Tx, factor: gradtx.Finite = 0.5) -> Tx:
    """Multiply all updates by a number."""
    return wrapping(inner, _scaled, factor=factor)


def _scaled(run, g, s, params, factor):
    return each(_times, run(g), factor=factor), s


def _times(u, factor):
    return factor * u


@gradtx.transformation
def aged(inner: Tx) -> Tx:
    """Multiply updates by a factor that grows with the number of updates seen."""
    return wrapping(inner, _aged, needs=("age",))


def _aged(run, g, s, params, age):
    return each(_times, run(g), factor=1.0 + age), s


def _matrices(params: Any) -> Any:
    return jax.tree.map(lambda p: jnp.ndim(p) > 1, params)


def _labels(params: Any) -> Any:
    return jax.tree.map(lambda p: "matrix" if jnp.ndim(p) > 1 else "other", params)


WRAPPERS = {
    "accumulate": lambda inner: accumulate(inner, 2),
    "skip_nonfinite": skip_nonfinite,
    "every_other": every_other,
    "ema": ema,
    "held_ema": held_ema,
    "lookahead": lookahead,
    "scaled": scaled,
    "aged": aged,
    "masked": lambda inner: gradtx.masked(inner, _matrices),
    "partition": lambda inner: gradtx.partition({"matrix": inner, "other": gradtx.sgd(0.1, 0.9)}, _labels),
    "frozen": lambda inner: gradtx.chain(inner, gradtx.freeze(_matrices)),
    "cautious": gradtx.cautious,
    "mechanize": gradtx.mechanize,
    "with_gradient_sign": gradtx.with_gradient_sign,
    "split_real_and_imaginary": gradtx.split_real_and_imaginary,
}
