"""Schedule-free learning: an average of the parameters in the place of a schedule of the rate."""

from __future__ import annotations

from typing import Any, NamedTuple

import jax.numpy as jnp
from jax import Array

from gradtx.core import (
    Fraction,
    GradientTransformation,
    LearningRate,
    NonNegative,
    ParamsLike,
    Run,
    each,
    transformation,
    wrapping,
)
from gradtx.transforms import trees

PyTree = Any


class ScheduleFreeState(NamedTuple):
    """The parameters z that the inner optimizer moves, the largest rate so far, the sum of weights, and the age."""

    z: ParamsLike
    largest: Array
    weight: Array
    age: Array


@transformation
def schedule_free(
    inner: GradientTransformation,
    learning_rate: LearningRate | None = None,
    *,
    b1: Fraction = 0.9,
    weight_lr_power: NonNegative = 2.0,
    r: NonNegative = 0.0,
) -> GradientTransformation:
    """Train between the parameters that an optimizer moves and their average, and evaluate with the average.

    z = z + inner(g),  x = x + c (z - x),  y = b1 x + (1 - b1) z, with c = w_t / (w_1 + ... + w_t) and
    w_t = t^r * max(learning_rate so far)^weight_lr_power; the gradient g is taken at y, the parameters that are trained

    `eval_params(tx, state, params)` gives x. Weight decay inside pulls y, as in the authors' code.

    Args:
      inner: the optimizer that moves z, whole, without a momentum of its own, such as `adamw(rate, b1=0.0)`.
      learning_rate: the rate of `inner` if that is a schedule, such as a warm-up, by which steps are weighted. None
        weights all steps alike but for `r`.
      b1: how much of y is x: it stands for the momentum. This and the next two defaults are the authors'.
      weight_lr_power: the power of the largest rate in the weights.
      r: the power of the step in the weights.

    Returns:
      A transformation that keeps what `inner` keeps, under the same names, and a `ScheduleFreeState`; its update needs
      `params`.

    Raises:
      TypeError: if `inner` is not a transformation of arrays into arrays.

    References:
      Defazio et al., 2024, The Road Less Scheduled.

    Example:
      >>> import gradtx, jax.numpy as jnp
      >>> rate = gradtx.warmup(0.1, 10)
      >>> tx = gradtx.schedule_free(gradtx.sgd(rate), rate)
    """

    def init(params: PyTree) -> ScheduleFreeState:
        return ScheduleFreeState(params, trees.scalar(0.0), trees.scalar(0.0), jnp.zeros((), jnp.int32))

    given: dict[str, Any] = {"keeps": ScheduleFreeState, "needs": ("params",), "reads": _x, "holds": True}
    numbers: dict[str, Any] = {"learning_rate": learning_rate, "b1": b1, "power": weight_lr_power, "r": r}
    return wrapping(inner, _schedule_free, init, **given, **numbers)


def _schedule_free(
    run: Run,
    g: PyTree,
    s: ScheduleFreeState,
    params: PyTree,
    learning_rate: Array | None,
    b1: Array,
    power: Array,
    r: Array,
) -> tuple[PyTree, ScheduleFreeState]:
    updates = run(g)
    largest = s.largest if learning_rate is None else jnp.maximum(s.largest, learning_rate)
    weight = (s.age + 1).astype(s.weight.dtype) ** r
    if learning_rate is not None:  # 0 at first, in a warm-up
        weight = jnp.where(largest > 0, weight * jnp.where(largest > 0, largest, 1) ** power, 0)
    total = s.weight + weight
    c = jnp.where(total > 0, weight / jnp.where(total > 0, total, 1), 0)
    updates, z = each(_moved, updates, s.z, params, gives=2, b1=b1, c=c, taken=run.taken)
    largest, total = (jnp.where(run.taken, new, old) for new, old in ((largest, s.largest), (total, s.weight)))
    return updates, ScheduleFreeState(z, largest, total, s.age)


def _moved(u: Array, z: Array, y: Array, b1: Array, c: Array, taken: Any) -> tuple[Array, Array]:
    step = c * (z - y) + (1 - b1 * (1 - c)) * u
    return jnp.where(taken, step, 0), jnp.where(taken, z + u, z)


def _x(run: Any, s: ScheduleFreeState, params: PyTree, b1: Array, **numbers: Any) -> PyTree:
    return each(_outwards, params, s.z, b1=b1)


def _outwards(y: Array, z: Array, b1: Array) -> Array:
    # At b1 = 0, y is z, and x is not known from them: z is the best there is.
    return jnp.where(b1 > 0, y + (1 - 1 / jnp.where(b1 > 0, b1, 1)) * (z - y), y)
