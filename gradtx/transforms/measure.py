"""Numbers about what flows, kept for a log."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from typing import Any, NamedTuple

from jax import Array

from gradtx.core import GradientTransformation, transformation, treewise
from gradtx.core.numerics import cast
from gradtx.core.scalars import as_scalar
from gradtx.transforms import trees

PyTree = Any


class MeasureState(NamedTuple):
    """The numbers of the last step by name."""

    values: dict[str, Array]


@transformation
def measure(**functions: Callable[..., Any]) -> GradientTransformation:
    """Keep numbers about the updates that flow through this place, and let them pass.

    u

    `metrics(tx, state)` gives the numbers of the last step. What is computed elsewhere too, such as the norm that
    `clip_by_global_norm` needs, costs nothing more in a compiled step.

    Args:
      **functions: for each name, a function of the updates, or of the updates and params, that gives one number, such
        as `global_norm`.

    Returns:
      A transformation that keeps the numbers; its update needs `params` if one of the functions does.

    Raises:
      TypeError: if one of them is no function.

    Example:
      >>> import gradtx, jax.numpy as jnp
      >>> tx = gradtx.chain(gradtx.measure(norm=gradtx.global_norm), gradtx.sgd(0.1))
      >>> updates, state = tx.update(jnp.array([3.0, 4.0]), tx.init(jnp.zeros(2)))
      >>> print(gradtx.metrics(tx, state)["measure/norm"])
      5.0
    """
    for name, function in functions.items():
        if not callable(function):
            raise TypeError(f"{name} = {function!r} is no function; expected one of the updates, such as global_norm.")
    with_params = tuple(name for name, function in functions.items() if _takes_params(function))

    def init(params: PyTree) -> MeasureState:
        return MeasureState({name: trees.scalar(0.0) for name in functions})

    options: dict[str, Any] = {"functions": tuple(functions.items()), "with_params": with_params}
    return treewise(_measure, init, keeps=MeasureState, needs=("params",) if with_params else (), **options)


def _takes_params(function: Callable[..., Any]) -> bool:
    try:
        inspect.signature(function).bind("updates", "params")
    except (TypeError, ValueError):
        return False
    return True


def _measure(
    updates: PyTree,
    s: MeasureState,
    params: PyTree,
    functions: tuple[tuple[str, Callable[..., Any]], ...],
    with_params: tuple[str, ...],
) -> tuple[PyTree, MeasureState]:
    values = {}
    for name, function in functions:
        value = function(updates, params) if name in with_params else function(updates)
        values[name] = cast(as_scalar(value, name, "expected one number."), s.values[name].dtype)
    return updates, MeasureState(values)
