"""Steps left out where the gradient or the loss is far above what it has been."""

from __future__ import annotations

from typing import Any, Literal, NamedTuple

import jax
import jax.numpy as jnp
from jax import Array

from gradtx.core import GradientTransformation, NonNegative, PositiveCount, Run, transformation, wrapping
from gradtx.transforms import trees
from gradtx.transforms.global_norm import global_norm

PyTree = Any


class SkipSpikesState(NamedTuple):
    """The last finite numbers of each kind that is watched, how many there are, and how many steps were left out."""

    recent: Array
    known: Array
    skipped: Array


@transformation
def skip_spikes(
    inner: GradientTransformation,
    watch: Literal["norm", "value", "both"] = "norm",
    *,
    window: PositiveCount = 128,
    sigmas: NonNegative = 6.0,
) -> GradientTransformation:
    """Leave a step out where the norm of the gradient, or the loss, is an outlier among the last ones.

    u = inner(u) if x - mean(recent) <= sigmas * std(recent), else 0, where x is the norm, or the loss

    Steps are judged once half the window is known. A number that is not finite is a spike always. Each finite number
    joins the window, spikes included, so that a lasting change becomes the rule.

    Args:
      inner: the transformation that takes the other steps.
      watch: what is watched: "norm", the norm of all gradients together; "value", the loss, which `update` is then
        given as the extra argument `value`; or "both", where either is enough.
      window: how many numbers are remembered. This and the next default are the recipe's.
      sigmas: how many standard deviations above the mean is too far.

    Returns:
      A transformation that keeps what `inner` keeps, under the same names, and a `SkipSpikesState`.

    Raises:
      TypeError: if `inner` is not a transformation of arrays into arrays.

    References:
      OLMo team, 2024, 2 OLMo 2 Furious (the skip-step optimizer of their code).

    Example:
      >>> import gradtx, jax.numpy as jnp
      >>> tx = gradtx.skip_spikes(gradtx.sgd(1.0), window=4)
      >>> state = tx.init(jnp.zeros(1))
      >>> for g in (1.0, 1.5, 0.5, 1000.0):
      ...     updates, state = tx.update(jnp.array([g]), state)
      >>> print(updates, state["skip_spikes"].skipped)
      [0.] 1
    """
    kinds = 2 if watch == "both" else 1

    def init(params: PyTree) -> SkipSpikesState:
        recent = jnp.zeros((kinds, window), trees.scalar(0.0).dtype)
        return SkipSpikesState(recent, jnp.zeros(kinds, jnp.int32), jnp.zeros((), jnp.int32))

    options: dict[str, Any] = {"watch": watch, "sigmas": sigmas}
    needs = () if watch == "norm" else ("value",)
    return wrapping(inner, _skip_spikes, init, keeps=SkipSpikesState, needs=needs, skips=True, **options)


def _skip_spikes(
    run: Run, g: PyTree, s: SkipSpikesState, params: PyTree, watch: str, sigmas: Array, value: Any = None
) -> tuple[PyTree, SkipSpikesState]:
    seen = [] if watch == "value" else [global_norm(g)]
    seen += [] if watch == "norm" else [trees.loss(value, False)]
    new = jnp.stack([x.astype(s.recent.dtype) for x in seen])
    usual, recent, count = jax.vmap(_judge, in_axes=(0, 0, 0, None))(new, s.recent, s.known, sigmas)
    take = jnp.all(usual)
    updates = run.when(take, g)
    return updates, SkipSpikesState(recent, count, s.skipped + ~take)


def _judge(x: Array, recent: Array, count: Array, sigmas: Array) -> tuple[Array, Array, Array]:
    """Whether a number is a usual one, and the last numbers with it."""
    window = recent.shape[0]
    known = jnp.minimum(count, window)
    there = jnp.arange(window) < known
    # Shrunk by the largest, so that no square overflows.
    unit = jnp.maximum(jnp.max(jnp.where(there, jnp.abs(recent), 0)), jnp.finfo(recent.dtype).tiny)
    shrunk = jnp.where(there, recent / unit, 0)
    mean = jnp.sum(shrunk) / jnp.maximum(known, 1)
    variance = jnp.sum(jnp.where(there, (shrunk - mean) ** 2, 0)) / jnp.maximum(known - 1, 1)
    enough = count + 1 >= max(3, window // 2)  # of fewer than two numbers there is no deviation
    usual = jnp.isfinite(x) & (~enough | (x / unit - mean <= sigmas * jnp.sqrt(variance)))
    joined = recent.at[count % window].set(jnp.where(jnp.isfinite(x), x, recent[count % window]))
    # Beyond two windows the count goes round, so that it stays small.
    after = jnp.where(count + 1 >= 2 * window, window, count + 1)
    return usual, joined, jnp.where(jnp.isfinite(x), after, count)
