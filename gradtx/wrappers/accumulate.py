"""One step for several gradients."""

from __future__ import annotations

from typing import Any, Literal, NamedTuple

import jax.numpy as jnp
from jax import Array

from gradtx.core import CountOrSchedule, GradientTransformation, ParamsLike, Run, each, transformation, wrapping
from gradtx.core.run import only_if
from gradtx.core.scalars import as_scalar
from gradtx.transforms import trees

PyTree = Any


class AccumulateState(NamedTuple):
    """What has been gathered since the last step, in how many gradients, and of what weight.

    Right after a step `gathered` holds its updates, in the buffers that the next gradient overwrites.
    """

    gathered: ParamsLike
    gradients: Array
    weight: Array


@transformation
def accumulate(
    inner: GradientTransformation,
    every: CountOrSchedule,
    *,
    how: Literal["mean", "sum"] = "mean",
    weight: str | None = None,
) -> GradientTransformation:
    """Take one step for every `every` gradients, with their mean; until then updates are zero.

    u = inner(sum(w g) / sum(w)) at every `every`-th gradient, else 0

    Gradients are gathered in float32 or wider. Steps, schedules and ages inside count the steps taken. To take a step
    with what has been gathered, such as at the end of an epoch, call `update(..., flush=True)` with the last gradient.

    Args:
      inner: the transformation that takes the steps.
      every: how many gradients make a step: a whole number, or a schedule of the steps taken. 1 is `inner` itself.
      how: "mean", or "sum" for gradients of a summed loss.
      weight: the name of the extra argument of `update` that says how much a gradient counts, such as the number of
        tokens in its batch: `update(g, state, params, tokens=n)`. The mean is then that of the whole batch, if each g
        is the mean of its part. All gradients count alike by default.

    Returns:
      A transformation that keeps what `inner` keeps, under the same names, and an `AccumulateState`.

    Raises:
      TypeError: if `inner` is not a transformation of arrays into arrays.

    Example:
      >>> import gradtx, jax.numpy as jnp
      >>> tx = gradtx.accumulate(gradtx.sgd(1.0), every=2)
      >>> params = jnp.zeros(1)
      >>> state = tx.init(params)
      >>> for g in (1.0, 3.0):
      ...     updates, state = tx.update(jnp.array([g]), state, params)
      ...     print(updates, state["step"])
      [0.] 0
      [-2.] 1
    """
    if every == 1:
        return inner

    def init(params: PyTree) -> AccumulateState:
        return AccumulateState(trees.zeros(params), jnp.zeros((), jnp.int32), trees.scalar(0.0))

    options: dict[str, Any] = {"every": every, "how": how, "weigh": weight}
    needs = () if weight is None else (weight,)
    return wrapping(inner, _accumulate, init, keeps=AccumulateState, needs=needs, skips=True, **options)


def _accumulate(
    run: Run, g: PyTree, s: AccumulateState, params: PyTree, every: Any, how: str, weigh: str | None, **given: Any
) -> tuple[PyTree, AccumulateState]:
    first = s.gradients == 0
    new = 1.0 if weigh is None else as_scalar(given[weigh], weigh, "expected one number, such as a count of tokens.")
    weight = jnp.where(first, 0.0, s.weight) + new
    if how == "sum":
        gathered = each(_added, s.gathered, g, first=first, weight=new)
    else:
        share = jnp.where(weight > 0, new / jnp.where(weight > 0, weight, 1), 0)
        gathered = each(_averaged, s.gathered, g, first=first, share=share)
    flush = run.extra.get("flush")
    last = (s.gradients + 1 >= every) | (False if flush is None else flush)
    gathered = run.when(last, gathered, passing=True)
    count = jnp.where(last, 0, s.gradients + 1)
    return each(only_if, gathered, taken=last), AccumulateState(gathered, count, weight)


# What stands in the buffers at the first gradient is left from the step before, and may be infinite.
def _added(gathered: Array, g: Array, first: Array, weight: Array) -> Array:
    return jnp.where(first, 0, gathered) + jnp.where(weight == 0, 0, weight * g)


def _averaged(gathered: Array, g: Array, first: Array, share: Array) -> Array:
    mean = jnp.where(first, 0, gathered)
    return jnp.where(share == 1, g, jnp.where(share == 0, mean, mean + (g - mean) * share))
