"""A state by flat names, "adam/track_moments/first/dense/kernel": to be saved as one likes, and restored after an edit.

Any checkpointer takes a state as it is, a pytree. Names are for what a pytree cannot do: a state of yesterday's chain
in today's.
"""

from collections.abc import Mapping
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp

PyTree = Any


class Restored(NamedTuple):
    """What `restore_state` made, and what it had to leave.

    Attributes:
      state: the state, with every array that was found by its name.
      missing: names that the state has, and that were not found; there the state is as it was.
      unexpected: names that were found, and that the state has no place for.
    """

    state: PyTree
    missing: tuple[str, ...]
    unexpected: tuple[str, ...]


def flat_state(state: PyTree) -> dict[str, jax.Array]:
    """The arrays of a state by name: stages, field and the array's own path in params, joined by "/".

    Args:
      state: what `init` or `update` returned; any pytree will do.

    Returns:
      A dict in the order of the state's leaves. A name does not change where other stages come or go.

    Raises:
      ValueError: if two arrays have one name, for a key of params has a "/" in it.

    Example:
      >>> import gradtx, jax.numpy as jnp
      >>> tx = gradtx.chain(gradtx.clip(1.0), gradtx.adam(0.1))
      >>> list(gradtx.flat_state(tx.init({"dense": {"kernel": jnp.zeros(2)}})))
      ['adam/track_moments/first/dense/kernel', 'adam/track_moments/second/dense/kernel', 'step']
    """
    flat: dict[str, jax.Array] = {}
    for path, x in jax.tree_util.tree_leaves_with_path(state):
        name = jax.tree_util.keystr(path, simple=True, separator="/")
        if name in flat:
            raise ValueError(f"flat_state: two arrays of the state are called {name!r}; rename one of the keys.")
        flat[name] = x
    return flat


def restore_state(state: PyTree, flat: Mapping[str, Any]) -> Restored:
    """A state with arrays of the same names put in, and a report of what did not fit.

    Args:
      state: a state of the transformation as it is now, such as `tx.init(params)`.
      flat: arrays by name, as `flat_state` gives them. They are cast to the dtype that the state has.

    Returns:
      A `Restored`. Nothing is lost silently: look at `missing` and `unexpected`.

    Raises:
      ValueError: if an array has another shape than the state has under its name.

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
