"""The state of a transformation: made, taken apart per array, put together again.

Nested dicts keyed by stage names; below them what a stage keeps, one tree per field; one step counter at the top.
"""

from collections.abc import Callable, Mapping
from functools import partial
from typing import Any

import jax
import jax.numpy as jnp
from jax.experimental.shard_alike import shard_alike

from gradtx.core import scalars
from gradtx.core.numerics import arithmetic_dtype, cast, is_floating, widen
from gradtx.core.plan import Plan
from gradtx.core.primitives import Leafwise, Treewise, keeps_state
from gradtx.core.selection import Selector
from gradtx.core.trees import flatten, flatten_like, leaf_path, spell_array

PyTree = Any
STEP = "step"
STALE = "The state was made for other params: make it anew with init(params)."


def init_state(plan: Plan, params: PyTree) -> dict[str, Any]:
    """The first state: the step, and what each stage keeps, under its path of names."""
    leaves, treedef = flatten(params)
    trainable = [is_floating(p) for p in leaves]
    if any(hasattr(p, "dtype") for p in leaves) and not any(trainable):
        first = next(i for i, p in enumerate(leaves) if hasattr(p, "dtype"))
        raise TypeError(
            f"{plan.name}: no array in params is floating ({leaf_path(treedef, first, 'params')} is "
            f"{spell_array(leaves[first])}). Gradients need floating arrays: convert it with "
            "astype(jnp.float32), or leave it out of params, with None in its place if need be."
        )
    leaves = [jnp.asarray(p) if yes else None for p, yes in zip(leaves, trainable, strict=True)]
    selector = Selector(plan.name, params, treedef, [i for i, yes in enumerate(trainable) if yes])
    state: dict[str, Any] = {STEP: jnp.zeros((), jnp.int32)}
    for stage in plan.stages:
        primitive = stage.primitive
        if not keeps_state(primitive):
            continue
        kept, chosen = None, selector.only(stage.selections, leaves)
        if isinstance(primitive, Leafwise):
            kept = as_trees(primitive, [None if p is None else _init_slot(primitive, p) for p in chosen], treedef)
        elif isinstance(primitive, Treewise) and primitive.init is not None:
            # A stage from elsewhere is born of what it will be given: updates in at least float32.
            kept = primitive.init(treedef.unflatten(list(map(widen, chosen)) if primitive.foreign else chosen))
            if not primitive.foreign:
                kept = _fresh(jax.tree.map(cast, kept), leaves)
                kept = map_parts(partial(_place_all, leaves), treedef, kept)
        put(state, stage.path, scalars.pack(kept, scalars.init_schedules(primitive)))
    return state


def _init_slot(primitive: Leafwise, p: Any) -> Any:
    """What a stage keeps for one array at first: zeros of its shape in float32, unless the stage says otherwise."""
    if primitive.keeps is None:
        return None
    if primitive.init is None:
        zeros = [jnp.zeros_like(p, arithmetic_dtype(p.dtype)) for _ in primitive.fields]
        slot = zeros[0] if isinstance(primitive.keeps, str) else primitive.keeps(*zeros)
    else:
        slot = _fresh(jax.tree.map(lambda x: cast(jnp.asarray(x)), primitive.init(widen(p))), [p])
    return jax.tree.map(partial(_placed_like, p), slot) if isinstance(p, jax.core.Tracer) else slot


def map_parts(change: Callable[..., list[Any]], treedef: Any, kept: Any, *others: Any) -> Any:
    """What a treewise stage keeps, with every part of it that is a tree like the parameters changed leaf by leaf.

    `change` is given the leaves of that part, and those of the same part of the `others`, which are built alike.
    """
    leaves, found = flatten(kept)
    if found == treedef:
        return treedef.unflatten(change(leaves, *(flatten(other)[0] for other in others)))
    if isinstance(kept, tuple):
        parts = [map_parts(change, treedef, *part) for part in zip(kept, *others, strict=True)]
        return type(kept)(*parts) if hasattr(kept, "_fields") else tuple(parts)
    if isinstance(kept, dict):
        return {name: map_parts(change, treedef, kept[name], *(other[name] for other in others)) for name in kept}
    return kept


def _place_all(ps: list[Any], xs: list[Any]) -> list[Any]:
    traced = [isinstance(p, jax.core.Tracer) and hasattr(x, "shape") for p, x in zip(ps, xs, strict=True)]
    return [_placed_like(p, x) if yes else x for p, x, yes in zip(ps, xs, traced, strict=True)]


def _placed_like(p: Any, x: Any) -> Any:
    """`x` sharded as `p` is. Compiled, zeros know nothing of the array they are for: all would lie on every device."""
    return shard_alike(p, x)[1] if x.shape == p.shape and x.ndim else x


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


def as_slots(name: str, primitive: Leafwise, kept: Any, treedef: Any, where: str) -> list[Any]:
    """From one tree per field to one slot per array."""
    # A checkpoint that was restored by names alone has a dict where the NamedTuple was.
    trees = [kept[field] if isinstance(kept, Mapping) else getattr(kept, field) for field in primitive.fields]
    columns = [
        flatten_like(treedef, tree, name=name, what=f"{where}.{field}", like="updates", remedy=STALE)
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
      TypeError: if it is no state at all; the message says what it is.
      ValueError: if something is missing, or left over; the message names it.
    """
    if not isinstance(state, Mapping) or STEP not in state:
        raise TypeError(
            f"{plan.name}: what was given as state is not one: it is {_spell_tree(state)}, and a state is a dict with "
            "a 'step'. Call update(updates, state, params), in this order, with state = init(params) at first."
        )
    held: dict[tuple[str, ...], Any] = {}
    known: dict[tuple[str, ...], tuple[Any, set[str]]] = {}
    for path in [(STEP,), *(stage.path for stage in plan.stages if keeps_state(stage.primitive))]:
        held[path] = state
        for depth, name in enumerate(path):
            known.setdefault(path[:depth], (held[path], set()))[1].add(name)
            if not isinstance(held[path], Mapping) or name not in held[path]:
                raise _foreign(plan, f"it has no {'/'.join(path)!r}", state)
            held[path] = held[path][name]
    for prefix, (names, expected) in known.items():
        for name in names:
            if name not in expected:
                raise _foreign(plan, f"it has {'/'.join([*prefix, str(name)])!r}, which no stage here keeps", state)
    return held


def _foreign(plan: Plan, difference: str, state: Mapping[str, Any]) -> ValueError:
    found = {str(name) for name in state} - {STEP}
    expected = {stage.path[0] for stage in plan.stages if keeps_state(stage.primitive)}
    maker = "an earlier form of this transformation" if found & expected else "another transformation"
    return ValueError(
        f"{plan.name}: the state is that of {maker}: {difference} (it is of {', '.join(sorted(found)) or 'none'}; "
        f"expected {', '.join(sorted(expected)) or 'none'}). Make it anew with init(params), or carry over what fits "
        "with gradtx.restore_state."
    )


def _spell_tree(x: Any) -> str:
    """What something is, in a few words: an array by its type, a tree by its keys."""
    if x is None or not isinstance(x, Mapping):
        return "None" if x is None else spell_array(x) if hasattr(x, "dtype") else f"a {type(x).__name__}"
    return f"a {type(x).__name__} of {', '.join(map(repr, x))}" if x else f"an empty {type(x).__name__}"
