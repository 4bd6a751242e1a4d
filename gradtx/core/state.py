"""The state of a transformation: made, taken apart per array, put together again.

Nested dicts keyed by stage names; below them what a stage keeps, one tree per field; one step counter at the top.
"""

from collections.abc import Mapping
from typing import Any

import jax
import jax.numpy as jnp

from gradtx.core import scalars
from gradtx.core.numerics import arithmetic_dtype, cast, is_floating, widen
from gradtx.core.plan import Plan
from gradtx.core.primitives import Leafwise, Treewise, keeps_state
from gradtx.core.trees import flatten, flatten_like, leaf_path, spell_array

PyTree = Any
STEP = "step"


def init_state(plan: Plan, params: PyTree) -> dict[str, Any]:
    """The first state: the step, and what each stage keeps, under its path of names."""
    leaves, treedef = flatten(params)
    trainable = [is_floating(p) for p in leaves]
    if any(hasattr(p, "dtype") for p in leaves) and not any(trainable):
        first = next(i for i, p in enumerate(leaves) if hasattr(p, "dtype"))
        raise TypeError(
            f"{plan.name}: no array in params is floating ({leaf_path(treedef, first, 'params')} is "
            f"{spell_array(leaves[first])}). Gradients need floating arrays: convert it with "
            "params.astype(jnp.float32), or leave it out of params."
        )
    leaves = [jnp.asarray(p) if yes else None for p, yes in zip(leaves, trainable, strict=True)]
    state: dict[str, Any] = {STEP: jnp.zeros((), jnp.int32)}
    for stage in plan.stages:
        primitive = stage.primitive
        if not keeps_state(primitive):
            continue
        kept = None
        if isinstance(primitive, Leafwise):
            kept = as_trees(primitive, [None if p is None else _init_slot(primitive, p) for p in leaves], treedef)
        elif isinstance(primitive, Treewise) and primitive.init is not None:
            # A stage from elsewhere is born of what it will be given: updates in at least float32.
            kept = primitive.init(treedef.unflatten(list(map(widen, leaves)) if primitive.foreign else leaves))
            if not primitive.foreign:
                kept = _fresh(jax.tree.map(cast, kept), leaves)
        put(state, stage.path, scalars.pack(kept, scalars.init_schedules(primitive)))
    return state


def _init_slot(primitive: Leafwise, p: Any) -> Any:
    """What a stage keeps for one array at first: zeros of its shape in float32, unless the stage says otherwise."""
    if primitive.keeps is None:
        return None
    if primitive.init is None:
        zeros = [jnp.zeros_like(p, arithmetic_dtype(p.dtype)) for _ in primitive.fields]
        return zeros[0] if isinstance(primitive.keeps, str) else primitive.keeps(*zeros)
    slot = jax.tree.map(lambda x: cast(jnp.asarray(x)), primitive.init(widen(p)))
    return _fresh(slot, [p])


def _fresh(tree: PyTree, taken: list[Any]) -> PyTree:
    """`tree` with every array in a buffer of its own, or donating it would hand one buffer over twice."""
    seen = {id(x) for x in taken}

    def own(x: Any) -> Any:
        if id(x) in seen:
            return jnp.array(x, copy=True)
        seen.add(id(x))
        return x

    return jax.tree.map(own, tree)


def as_trees(primitive: Leafwise, slots: list[Any], treedef: Any) -> Any:
    """From one slot per array to one tree per field."""
    if primitive.keeps is None:
        return None
    if isinstance(primitive.keeps, str):
        return {primitive.keeps: treedef.unflatten(slots)}
    columns = ([None if slot is None else slot[i] for slot in slots] for i in range(len(primitive.fields)))
    return primitive.keeps(*map(treedef.unflatten, columns))


def as_slots(primitive: Leafwise, kept: Any, treedef: Any, where: str) -> list[Any]:
    """From one tree per field to one slot per array."""
    # A checkpoint that was restored by names alone has a dict where the NamedTuple was.
    trees = [kept[field] if isinstance(kept, Mapping) else getattr(kept, field) for field in primitive.fields]
    columns = [
        flatten_like(treedef, tree, what=f"{where}.{field}", like="updates")
        for field, tree in zip(primitive.fields, trees, strict=True)
    ]
    if isinstance(primitive.keeps, str):
        return columns[0]
    return [None if slot[0] is None else primitive.keeps(*slot) for slot in zip(*columns, strict=True)]


def put(state: dict[str, Any], path: tuple[str, ...], kept: Any) -> None:
    """Write what a stage keeps into a state, under its path of names."""
    for name in path[:-1]:
        state = state.setdefault(name, {})
    state[path[-1]] = kept


def open_state(plan: Plan, state: Any) -> dict[tuple[str, ...], Any]:
    """What a state holds, by path: the step, and for each stage that keeps anything what it keeps.

    Raises:
      ValueError: if something is missing, or left over; the message names it.
    """
    held: dict[tuple[str, ...], Any] = {}
    known: dict[tuple[str, ...], tuple[Any, set[str]]] = {}
    for path in [(STEP,), *(stage.path for stage in plan.stages if keeps_state(stage.primitive))]:
        held[path] = state
        for depth, name in enumerate(path):
            known.setdefault(path[:depth], (held[path], set()))[1].add(name)
            if not isinstance(held[path], Mapping) or name not in held[path]:
                raise _foreign(plan, f"has no {'/'.join(path)!r}", held[path])
            held[path] = held[path][name]
    for prefix, (names, expected) in known.items():
        for name in names:
            if name not in expected:
                raise _foreign(plan, f"has {'/'.join([*prefix, str(name)])!r}, which no stage here keeps", names)
    return held


def _foreign(plan: Plan, what: str, found: Any) -> ValueError:
    kind = sorted(map(str, found)) if isinstance(found, Mapping) else type(found).__name__
    return ValueError(
        f"{plan.name}: the state {what} (found {kind}). It was made by another transformation, or by an earlier form "
        "of this one: make it anew with init(params)."
    )
