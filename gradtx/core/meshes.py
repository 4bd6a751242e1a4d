"""Stacks over the devices of a mesh, whether its axes are automatic or explicit."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp
from jax import lax
from jax.experimental.shard_alike import shard_alike
from jax.sharding import AxisType, NamedSharding, PartitionSpec

Array = jax.Array


def is_explicit() -> bool:
    """Whether where arrays lie on the present mesh is part of their types."""
    return AxisType.Explicit in jax.sharding.get_abstract_mesh().axis_types


def placement(x: Any, view: Callable[[Array], Array]) -> Any:
    """How the view of an array lies on an explicit mesh; of an automatic one nothing is known."""
    return jax.typeof(view(x)).sharding.spec if isinstance(x, jax.Array) and is_explicit() else None


def several(names: tuple[str, ...]) -> int:
    """How many devices lie along these axes of the mesh.

    Raises:
      ValueError: if there is no mesh, or if it has no such axis.
    """
    mesh = jax.sharding.get_abstract_mesh()
    for name in names:
        if name not in mesh.shape:
            raise ValueError(
                f"spread = {name!r}: the mesh has no axis of this name ({', '.join(map(repr, mesh.shape)) or 'none'}). "
                "Call init and update inside jax.set_mesh(mesh)."
            )
    return math.prod(mesh.shape[name] for name in names)


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
    return jax.sharding.reshard(x, spec) if is_explicit() else lax.with_sharding_constraint(x, spec)


def on_each_device(names: tuple[str, ...], function: Callable[..., Any], stack: Any, *shared: Any) -> Any:
    """`function(part, *shared, offset)` on each device, for its part of a stack; `offset` is the part's first row."""

    def local(stack: Any, shared: Any) -> Any:
        lane: Any = 0
        for name in names:
            lane = lane * lax.axis_size(name) + lax.axis_index(name)
        return function(stack, *shared, lane * jax.tree.leaves(stack)[0].shape[0])

    spec = PartitionSpec(names)
    return jax.shard_map(
        local, in_specs=(spec, PartitionSpec()), out_specs=spec, axis_names=set(names), check_vma=False
    )(stack, shared)


def back(given: Any, x: Array) -> Array:
    """An array placed as another one of its shape is."""
    if is_explicit():
        return jax.sharding.reshard(x, jax.typeof(given).sharding.spec)
    return shard_alike(given, x)[1] if isinstance(x, jax.core.Tracer) and x.ndim else x


def gathered(x: Array) -> Array:
    """An array, whole on every device, where parts of it cannot be taken otherwise."""
    sharding = jax.typeof(x).sharding
    if not any(sharding.spec or ()) or AxisType.Explicit not in sharding.mesh.axis_types:
        return x
    everywhere = NamedSharding(sharding.mesh, PartitionSpec())
    if isinstance(x, jax.core.Tracer):
        return jax.sharding.reshard(x, everywhere)
    return jax.device_put(x, NamedSharding(x.sharding.mesh, PartitionSpec()))  # type: ignore[attr-defined]


def whole(x: Array) -> Array:
    """An array of an explicit mesh, whole on every device, so that any part of it can be taken."""
    return jax.sharding.reshard(x, PartitionSpec()) if is_explicit() and isinstance(x, jax.Array) else x


def placed_as(given: Array, x: Array) -> Array:
    """The first rows of what was spread, as many as were given, and placed as they were."""
    count = given.shape[0]
    if is_explicit():
        return lax.slice_in_dim(jax.sharding.reshard(x, jax.typeof(given).sharding.spec), 0, count)
    if x.shape[0] == count:  # a cut along the axis parts the placement of the stack from that of what it becomes
        x = jnp.pad(x, [(0, 1)] + [(0, 0)] * (x.ndim - 1))
    return shard_alike(given, lax.slice_in_dim(x, 0, count))[1]
