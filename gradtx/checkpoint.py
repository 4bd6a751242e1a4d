"""Save a state under flat names such as "adam/track_moments/first/dense/kernel", and restore it by name.

A state is a pytree, so any checkpointer can save it directly. Use names to restore a state after the chain was edited.
"""

import re
from collections.abc import Mapping
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np

from gradtx.core.numerics import is_key
from gradtx.core.stacked_field import StackedField

__all__ = ["Restored", "flat_state", "restore_state"]

PyTree = Any
COUNTER = re.compile(r"(step|age)(_\d+)?")


class Restored(NamedTuple):
    """The result of `restore_state`.

    Attributes:
      state: the state, with the arrays that were found by name.
      missing: names in the state that were not found; their arrays are unchanged.
      unexpected: names that were given but are not in the state.
    """

    state: PyTree
    missing: tuple[str, ...]
    unexpected: tuple[str, ...]


def flat_state(state: PyTree) -> dict[str, jax.Array]:
    """Name the arrays of a state by their stages, their field and their path in params, joined by "/".

    Args:
      state: a state from `init` or `update`; any pytree works.

    Returns:
      A dict in the order of the state's leaves. Adding or removing other stages does not change a name.

    Raises:
      ValueError: if two arrays have the same name, because a key of params contains "/".

    Example:
      >>> import gradtx, jax.numpy as jnp
      >>> tx = gradtx.chain(gradtx.clip(1.0), gradtx.trace(0.9))
      >>> list(gradtx.flat_state(tx.init({"dense": {"kernel": jnp.zeros(2)}})))
      ['step', 'trace/velocity/dense/kernel']
    """
    flat: dict[str, jax.Array] = {}
    for name, x in _leaves(state)[0]:
        for path, part in x.by_path().items() if isinstance(x, StackedField) else [("", x)]:
            full = _full(name, path)
            if full in flat:
                raise ValueError(f"flat_state: two arrays of the state are called {full!r}; rename one of the keys.")
            flat[full] = part
    return flat


def _leaves(state: PyTree) -> tuple[list[tuple[str, Any]], Any]:
    """The leaves of a state by name, and its structure; what is kept in stacks is one leaf."""
    found, treedef = jax.tree_util.tree_flatten_with_path(state, is_leaf=lambda x: isinstance(x, StackedField))
    return [(jax.tree_util.keystr(path, simple=True, separator="/"), x) for path, x in found], treedef


def _full(name: str, path: str) -> str:
    """The name of the part of a leaf that is kept for the array at a path."""
    return f"{name}/{path}" if path else name


def restore_state(state: PyTree, flat: Mapping[str, Any]) -> Restored:
    """Replace the arrays of a state by name, and report the names that did not match.

    Args:
      state: a state of the current transformation, such as `tx.init(params)`.
      flat: arrays by name, as returned by `flat_state`. They are cast to the dtypes of the state; a floating number may
        be rounded.

    Returns:
      A `Restored`. Its fields `missing` and `unexpected` list all names that did not match.

    Raises:
      ValueError: if an array and the array of the same name in the state have different shapes; if a cast would change
        more than the last digits of a number, or a counter is negative; if of two stages of one name, such as `trace`
        and `trace_2`, only one is left, for that may be either.

    Example:
      >>> import gradtx, jax.numpy as jnp
      >>> params = {"w": jnp.zeros(2)}
      >>> saved = gradtx.flat_state(gradtx.chain(gradtx.adam(0.1)).init(params))
      >>> edited = gradtx.chain(gradtx.trace(0.9), gradtx.adam(0.1))
      >>> restored = gradtx.restore_state(edited.init(params), saved)
      >>> restored.missing, restored.unexpected
      (('trace/velocity/w',), ())
    """
    leaves, new = flat_state(state), {}
    for name, old in leaves.items():
        x = flat.get(name, old)
        if np.shape(x) != np.shape(old):
            raise ValueError(
                f"restore_state: {name!r} has shape {np.shape(x)}, but the state has {np.shape(old)} there. "
                "It belongs to other parameters: leave it out, or reshape it."
            )
        if name in flat:
            new[name] = _cast(name, x, old.dtype)
    named, treedef = _leaves(state)
    restored = [
        _restacked(name, x, new) if isinstance(x, StackedField) else _placed_like(x, new[name]) if name in new else x
        for name, x in named
    ]
    unexpected = tuple(name for name in flat if name not in leaves)
    for name in unexpected:
        if name not in leaves and (sibling := _sibling(name, leaves)) in flat:
            raise ValueError(
                f"restore_state: {name!r} has no place in the state, but {sibling!r} has: of two stages of one name, "
                "one was removed, and the names do not tell which. Leave out the arrays of the removed stage, and "
                "rename those of the other if need be."
            )
    return Restored(
        treedef.unflatten(restored),
        tuple(name for name in leaves if name not in flat),
        unexpected,
    )


def _restacked(name: str, field: StackedField, new: Mapping[str, Any]) -> StackedField:
    """What is kept in stacks, with the arrays that are new put at their rows."""
    paths = {path: _full(name, path) for path in field.paths}
    found = field.replaced({path: new[full] for path, full in paths.items() if full in new})
    return jax.tree.map(_placed_like, field, found)


def _sibling(name: str, leaves: Mapping[str, Any]) -> str | None:
    """The name of the same array of another stage of the same name: of `trace/velocity` for `trace_2/velocity`."""
    parts = name.split("/")
    for depth, part in enumerate(parts[:2]):  # a stage, alone or in a group or chain; further down are parameters
        plain, _, number = part.rpartition("_")
        if number.isdigit():
            others = (plain, *(f"{plain}_{i}" for i in range(2, int(number))))
            found = ("/".join([*parts[:depth], other, *parts[depth + 1 :]]) for other in others)
            return next((other for other in found if other in leaves), None)
    return None


def _cast(name: str, x: Any, dtype: Any) -> jax.Array:
    """`x` as an array of `dtype`.

    Raises:
      ValueError: if that is another number, rounding aside, or a negative counter.
    """
    if isinstance(x, jax.core.Tracer) or is_key(x) or not getattr(x, "is_fully_addressable", True):
        return jnp.array(x, dtype)
    x = x if getattr(x, "dtype", None) == dtype else np.asarray(x)
    if not np.can_cast(x.dtype, dtype):
        with np.errstate(over="ignore", invalid="ignore"):
            new = x.astype(dtype) if jnp.issubdtype(dtype, jnp.complexfloating) else x.real.astype(dtype)
            if jnp.issubdtype(dtype, jnp.inexact) and jnp.issubdtype(x.dtype, jnp.inexact):
                same = (np.isfinite(new) | ~np.isfinite(x)) & (np.iscomplexobj(new) | (x.imag == 0))
            else:
                same = new == x
        if not np.all(same):
            raise ValueError(
                f"restore_state: {name!r} is {x if x.ndim == 0 else 'an array'} of {x.dtype.name}, which "
                f"{np.dtype(dtype).name}, the dtype in the state, cannot hold. Leave it out, or convert it yourself."
            )
        x = new
    if COUNTER.fullmatch(name.rpartition("/")[2]) and jnp.issubdtype(dtype, jnp.integer) and np.any(x < 0):
        raise ValueError(f"restore_state: {name!r} is {x}, but it counts steps: it is at least 0.")
    return jnp.array(x, dtype)


def _placed_like(old: Any, x: jax.Array) -> jax.Array:
    return jax.device_put(x, old.sharding) if getattr(old, "committed", False) else x
