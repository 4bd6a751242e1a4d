"""A scale for the loss that keeps small gradients of narrow floats from vanishing."""

from __future__ import annotations

from typing import Annotated, Any, NamedTuple

import jax.numpy as jnp
from jax import Array

from gradtx.core import (
    GradientTransformation,
    Positive,
    PositiveCount,
    Range,
    Run,
    Schedule,
    each,
    transformation,
    wrapping,
)
from gradtx.core.state import open_state
from gradtx.transforms import trees

PyTree = Any


class DynamicLossScaleState(NamedTuple):
    """The scale, how many steps in a row have had finite gradients, and how many were left out."""

    scale: Array
    good: Array
    skipped: Array


@transformation
def dynamic_loss_scale(
    inner: GradientTransformation,
    init_scale: Annotated[float, Range(0, open_low=True)] = 2.0**15,
    *,
    growth: Positive = 2.0,
    backoff: Positive = 0.5,
    period: PositiveCount = 2000,
) -> GradientTransformation:
    """Divide gradients by the scale of the loss, and adapt that scale: for training in float16.

    u = inner(u / scale) if every number in u is finite, else 0. After `period` finite steps in a row the scale is
    multiplied by `growth`, after one that is not finite by `backoff`; it stays at least 1.

    The division is in float32. A step that is left out changes nothing inside, and is not counted there.

    Args:
      inner: the transformation that takes the steps, clipping included: it is given gradients of the loss itself.
      init_scale: the first scale. This default is that of JMP; PyTorch begins at 2^16.
      growth: the factor after `period` good steps. This and the next two defaults are those of PyTorch.
      backoff: the factor after a step that was left out.
      period: how many steps in a row must be good before the scale grows.

    Returns:
      A transformation that keeps what `inner` keeps, under the same names, and a `DynamicLossScaleState`.

    Raises:
      TypeError: if `inner` is not a transformation of arrays into arrays, or `init_scale` is a schedule.

    References:
      Micikevicius et al., 2018, Mixed Precision Training.

    Example:
      >>> import gradtx, jax, jax.numpy as jnp
      >>> tx = gradtx.dynamic_loss_scale(gradtx.sgd(1.0))
      >>> params = jnp.ones(2, jnp.float16)
      >>> state = tx.init(params)
      >>> grads = jax.grad(lambda p: gradtx.loss_scale(tx, state) * jnp.sum(0.25 * p))(params)
      >>> print(grads, tx.update(grads, state, params)[0])
      [8.19e+03 8.19e+03] [-0.25 -0.25]
    """
    if isinstance(init_scale, Schedule):
        raise TypeError(f"init_scale = {init_scale!r} is a schedule; expected the number that the scale begins with.")

    def init(params: PyTree) -> DynamicLossScaleState:
        scale = jnp.asarray(init_scale, trees.scalar(0.0).dtype)
        return DynamicLossScaleState(scale, jnp.zeros((), jnp.int32), jnp.zeros((), jnp.int32))

    numbers: dict[str, Any] = {"growth": growth, "backoff": backoff, "period": period}
    return wrapping(inner, _dynamic_loss_scale, init, keeps=DynamicLossScaleState, skips=True, **numbers)


def _dynamic_loss_scale(
    run: Run, g: PyTree, s: DynamicLossScaleState, params: PyTree, growth: Array, backoff: Array, period: int
) -> tuple[PyTree, DynamicLossScaleState]:
    finite = trees.all_finite(g)
    updates = run.when(finite, each(_divided, g, scale=s.scale))
    grows = finite & (s.good + 1 >= period)
    larger = jnp.where(jnp.isfinite(growth * s.scale), growth * s.scale, s.scale)
    scale = jnp.where(finite, jnp.where(grows, larger, s.scale), jnp.maximum(backoff * s.scale, 1.0))
    return updates, DynamicLossScaleState(scale, jnp.where(finite & ~grows, s.good + 1, 0), s.skipped + ~finite)


def _divided(g: Array, scale: Array) -> Array:
    return g / scale


def loss_scale(tx: GradientTransformation, state: PyTree) -> Array:
    """What to multiply the loss by, before its gradient is taken.

    Args:
      tx: a transformation with `dynamic_loss_scale` somewhere in it.
      state: its state.

    Returns:
      A scalar; 1 if there is no `dynamic_loss_scale`.

    Raises:
      ValueError: if the state belongs to another transformation.
    """
    plan = tx.plan
    held, scale = open_state(plan, state), trees.scalar(1.0)
    for stage in plan.all_stages:
        if stage.mathematics.keeps.form is DynamicLossScaleState:
            scale = scale * held[stage.kept["scale"]]
    return scale
