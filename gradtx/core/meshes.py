"""Stacks over the devices of a mesh, whether its axes are automatic or explicit."""

from __future__ import annotations

import math
from typing import Any

import jax
import jax.numpy as jnp
from jax import lax
from jax.experimental.shard_alike import shard_alike
from jax.sharding import PartitionSpec

Array = jax.Array


def placement(x: Any) -> Any:
    """How an array of an explicit mesh is placed; of an automatic one nothing is known."""
    if not isinstance(x, jax.Array):
        return None
    spec = getattr(getattr(jax.typeof(x), "sharding", None), "spec", None)
    return None if spec is None or not any(spec) else spec


def several(names: tuple[str, ...] | None) -> int:
    """How many devices lie along these axes of the mesh.

    Raises:
      ValueError: if there is no mesh, or if it has no such axis.
    """
    mesh = jax.sharding.get_abstract_mesh()
    for name in names or ():
        if name not in mesh.shape:
            raise ValueError(
                f"spread = {name!r}: the mesh has no axis of this name ({', '.join(map(repr, mesh.shape)) or 'none'}). "
                "Call update inside jax.set_mesh(mesh)."
            )
    return math.prod(mesh.shape[name] for name in names or ())


def spread_over(names: tuple[str, ...], x: Array) -> Array:
    """A stack over the devices along these axes, each matrix whole on one; filled up to a multiple with zeros."""
    missing = -x.shape[0] % several(names)
    if missing:
        x = jnp.pad(x, [(0, missing)] + [(0, 0)] * (x.ndim - 1))
    return on_devices(names, x)


def on_devices(names: tuple[str, ...] | None, x: Array) -> Array:
    """An array whose first axis is over the devices along these axes."""
    if names is None:
        return x
    spec = PartitionSpec(names, *[None] * (x.ndim - 1))
    return jax.sharding.reshard(x, spec) if _is_explicit() else lax.with_sharding_constraint(x, spec)


def placed_as(given: Array, x: Array) -> Array:
    """The first rows of what was spread, as many as were given, and placed as they were."""
    count = given.shape[0]
    if _is_explicit():
        return lax.slice_in_dim(jax.sharding.reshard(x, jax.typeof(given).sharding.spec), 0, count)
    return shard_alike(given, lax.slice_in_dim(x, 0, count))[1]


def _is_explicit() -> bool:
    return any(kind == jax.sharding.AxisType.Explicit for kind in jax.sharding.get_abstract_mesh().axis_types)
