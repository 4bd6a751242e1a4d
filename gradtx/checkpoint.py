"""Save a state under flat names such as "adam/track_moments/first/dense/kernel", and restore it by name.

A state is a pytree, so any checkpointer can save it directly. Use names to restore a state after the chain was edited.
"""

from collections.abc import Mapping
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp

__all__ = ["Restored", "flat_state", "restore_state"]

PyTree = Any


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
    for path, x in jax.tree_util.tree_leaves_with_path(state):
        name = jax.tree_util.keystr(path, simple=True, separator="/")
        if name in flat:
            raise ValueError(f"flat_state: two arrays of the state are called {name!r}; rename one of the keys.")
        flat[name] = x
    return flat


def restore_state(state: PyTree, flat: Mapping[str, Any]) -> Restored:
    """Replace the arrays of a state by name, and report the names that did not match.

    Args:
      state: a state of the current transformation, such as `tx.init(params)`.
      flat: arrays by name, as returned by `flat_state`. They are cast to the dtypes of the state.

    Returns:
      A `Restored`. Its fields `missing` and `unexpected` list all names that did not match.

    Raises:
      ValueError: if an array and the array of the same name in the state have different shapes.

    Example:
      >>> import gradtx, jax.numpy as jnp
      >>> params = {"w": jnp.zeros(2)}
      >>> saved = gradtx.flat_state(gradtx.chain(gradtx.adam(0.1)).init(params))
      >>> edited = gradtx.chain(gradtx.trace(0.9), gradtx.adam(0.1))
      >>> restored = gradtx.restore_state(edited.init(params), saved)
      >>> restored.missing, restored.unexpected
      (('trace/velocity/w',), ())
    """
    leaves = flat_state(state)
    restored = []
    for name, old in leaves.items():
        new = flat.get(name, old)
        if jnp.shape(new) != jnp.shape(old):
            raise ValueError(
                f"restore_state: {name!r} has shape {jnp.shape(new)}, but the state has {jnp.shape(old)} there. "
                "It belongs to other parameters: leave it out, or reshape it."
            )
        restored.append(_placed_like(old, jnp.array(new, old.dtype)) if name in flat else old)
    return Restored(
        jax.tree.unflatten(jax.tree.structure(state), restored),
        tuple(name for name in leaves if name not in flat),
        tuple(name for name in flat if name not in leaves),
    )


def _placed_like(old: Any, x: jax.Array) -> jax.Array:
    return jax.device_put(x, old.sharding) if getattr(old, "committed", False) else x
