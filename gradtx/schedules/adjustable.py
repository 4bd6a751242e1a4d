"""A hyperparameter that is kept in the state, where it can be set."""

from __future__ import annotations

from typing import Annotated, Any

import jax
from jax import Array

from gradtx.core import Range, Schedule, stepwise, transformation

PLACE = "adjustable"  # what stands in a state between the stage and the name of the hyperparameter


@transformation
def adjustable(value: Annotated[float, Range()], name: str | None = None) -> Schedule:
    """A number that is kept in the state, for loops that hold the transformation fixed: set it with `set_hyperparams`.

    The value is `value` until it is set. Setting it compiles nothing, and gives what a transformation with that number
    gives.

    Args:
      value: the first value.
      name: what it is called, with a "/" between the factory and its argument. Filled in by the factory that it is
        given to: "adamw/learning_rate".

    Returns:
      A schedule that keeps its value.

    Raises:
      TypeError: if `value` is a schedule.

    Example:
      >>> import gradtx, jax.numpy as jnp
      >>> tx = gradtx.sgd(gradtx.adjustable(0.1))
      >>> state = gradtx.set_hyperparams(tx.init(jnp.zeros(1)), {"sgd/learning_rate": 0.5})
      >>> print(tx.update(jnp.ones(1), state)[0])
      [-0.5]
    """
    if isinstance(value, Schedule):
        raise TypeError(
            f"{value!r} is a schedule and no number; make its height adjustable: adjustable(1.0) * {value.name}(...)."
        )
    names = (name or "value").split("/")

    def init() -> dict[str, Any]:
        kept: Any = value
        for part in reversed(names):
            kept = {part: kept}
        return {PLACE: kept}

    return stepwise(_kept, init)


def _kept(step: Array, s: dict[str, Any]) -> tuple[Array, dict[str, Any]]:
    (value,) = jax.tree.leaves(s)
    return value, s
