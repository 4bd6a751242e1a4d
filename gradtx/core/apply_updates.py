"""The last part of a step, and how updates and parameters are matched."""

from __future__ import annotations

from typing import Any, TypeVar

import jax
import jax.numpy as jnp

from gradtx.core.numerics import cast, is_floating, scalar_dtype, widen
from gradtx.core.trees import array_type, flatten, flatten_like, is_none, leaf_path, map_arrays

PyTree = Any
P = TypeVar("P")
PAIRED = "Give an update for every array in params, None for one that is to stay as it is."


def apply_updates(params: P, updates: PyTree) -> P:
    """The parameters after a step: p + u, rounded once to the dtype of p.

    Args:
      params: pytree of floating arrays.
      updates: pytree of the same structure and shapes, as `update` returns it. Where it is `None`, or where a
        parameter is not floating, the parameter stays as it is.

    Returns:
      A pytree like `params`, of the same dtypes.

    Raises:
      ValueError: if structures or shapes differ; the message names the first place.

    Example:
      >>> import gradtx, jax.numpy as jnp
      >>> gradtx.apply_updates({"w": jnp.ones(2)}, {"w": jnp.array([0.5, -0.5])})
      {'w': Array([1.5, 0.5], dtype=float32)}
    """
    us, treedef = flatten(updates)
    us, active, aligned = align("apply_updates", us, treedef, () if params is None else params)
    ps: list[Any] = aligned or []
    rows = [(ps[i], us[i]) for i in active]
    for i, result in zip(active, map_arrays(_add, rows), strict=True):
        ps[i] = result
    return treedef.unflatten(ps)


def _add(row: tuple[Any, Any], shared: tuple[()]) -> Any:
    p, u = row
    return cast(widen(p) + u, p.dtype)


def align(name: str, values: list[Any], treedef: Any, params: PyTree) -> tuple[list[Any], list[int], list[Any] | None]:
    """The leaves of updates and params side by side, and the positions of those that are to be updated."""
    if params is None:
        active = [i for i, u in enumerate(values) if is_floating(u)]
        return [_as_array(u) if is_floating(u) else u for u in values], active, None
    values, active = list(values), []
    ps = list(flatten_like(treedef, params, name=name, what="params", like="updates", remedy=PAIRED))
    for i, (u, p) in enumerate(zip(values, ps, strict=True)):
        if is_floating(u) and is_floating(p):
            active.append(i)
            values[i], ps[i] = _as_array(u), _as_array(p)
            if values[i].shape != ps[i].shape:
                raise ValueError(
                    f"{name}: {leaf_path(treedef, i, 'updates')} is {array_type(u)}, but "
                    f"{leaf_path(treedef, i, 'params')} is {array_type(p)}. Nothing is broadcast: "
                    "give each array a gradient of its own shape."
                )
        elif is_floating(u) and not jax.tree_util.all_leaves([p], is_leaf=is_none):
            raise ValueError(
                f"{name}: params and updates must have the same structure; {leaf_path(treedef, i, 'updates')} is "
                f"{array_type(u)}, but {leaf_path(treedef, i, 'params')} is a {type(p).__name__}. {PAIRED}"
            )
    return values, active, ps


def _as_array(x: Any) -> Any:
    return x if isinstance(x, jax.Array) else jnp.asarray(x, scalar_dtype() if isinstance(x, float) else None)
