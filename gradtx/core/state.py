"""The state of a transformation: made, opened into what stands at each path, and put together again.

It is nested dicts by stage names; in the place of a stage stand the fields that it keeps, each a tree like the
parameters or the stage's own, its age, and the states of its hyperparameters. One step counter stands at the top.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import jax
import jax.numpy as jnp

from gradtx.core.mathematics import AGE, Leafwise, Treewise, inner_of
from gradtx.core.numerics import cast, is_floating, scalar_dtype, widen
from gradtx.core.plan import STEP, Path, Placed, Plan
from gradtx.core.scalars import init_scalars
from gradtx.core.trees import array_type, flatten, flatten_like, leaf_path, mapped, on_devices_of, placed_like

PyTree = Any
Held = dict[Path, Any]  # what a state holds, by path


def init_state(plan: Plan, params: PyTree) -> dict[str, Any]:
    """The first state."""
    leaves, treedef = flatten(params)
    if any(hasattr(p, "dtype") for p in leaves) and not any(map(is_floating, leaves)):
        first = next(i for i, p in enumerate(leaves) if hasattr(p, "dtype"))
        raise TypeError(
            f"{plan.name}: no array in params is floating ({leaf_path(treedef, first, 'params')} is "
            f"{array_type(leaves[first])}). Gradients need floating arrays: convert it with "
            "astype(jnp.float32), or leave it out of params, with None in its place if need be."
        )
    held: Held = {}
    _init_plan(plan, params, held)
    return nest(plan, held)


def _init_plan(plan: Plan, params: PyTree, held: Held) -> None:
    leaves, treedef = flatten(params)
    leaves = [jnp.asarray(p) if is_floating(p) else None for p in leaves]
    if plan.counts:
        held[plan.clock] = jnp.zeros((), jnp.int32)
    for stage in plan.stages:
        mathematics, inner = stage.mathematics, inner_of(stage.mathematics)
        if inner is not None:
            view = params if inner.view is None else inner.view(params, params)
            _init_plan(plan.inner[stage.path], view, held)
        if isinstance(mathematics, Treewise) and mathematics.foreign:
            assert mathematics.init is not None
            held[stage.path] = mathematics.init(treedef.unflatten(list(map(widen, leaves))))  # like its updates
            continue
        try:
            kept = init_fields(stage, leaves, treedef)
        except Exception as error:
            error.add_note(f"{plan.name}: in init, for stage {stage.name!r}.")
            raise
        kept[AGE] = jnp.zeros((), jnp.int32)
        kept.update((name, init_scalars(x)) for name, x in mathematics.stateful.items())
        held.update((path, kept[name]) for name, path in stage.kept.items())


def init_fields(stage: Placed, leaves: list[Any], treedef: Any) -> dict[str, Any]:
    """What a stage keeps at first: zeros in at least float32, unless it says otherwise; each in a buffer of its own."""
    mathematics, wide = stage.mathematics, list(map(widen, leaves))
    keeps, init, alike = mathematics.keeps, mathematics.init, mathematics.alike
    if init is None and (mathematics.axes is None or isinstance(mathematics, Treewise)):
        params = treedef.unflatten(wide)
        kept = {
            name: jax.tree.map(jnp.zeros_like, params if name in alike else jnp.zeros((), scalar_dtype()))
            for name in keeps.fields
        }
    elif isinstance(mathematics, Treewise):
        assert init is not None
        kept = keeps.unpack(init(treedef.unflatten(wide)), stage.name)
    else:
        each = list(_first_of(mathematics, wide, treedef, stage.name))
        kept = {name: treedef.unflatten([one and one[name] for one in each]) for name in keeps.fields}
    kept = _fresh(jax.tree.map(lambda x: cast(jnp.asarray(x)), kept), leaves)
    for name in alike:
        parts = flatten_like(treedef, kept[name], name=stage.name, what=f"{name!r} in what init returns", like="params")
        kept[name] = treedef.unflatten([placed_like(p, x) for p, x in zip(leaves, parts, strict=True)])
    return kept


def _first_of(mathematics: Leafwise, leaves: list[Any], treedef: Any, name: str) -> Iterator[dict[str, Any] | None]:
    """The fields of each array at first, of the matrices in it where it has axes; None where it is left alone."""
    init = mathematics.init or mathematics.keeps.zeros
    every = [None] * len(leaves) if mathematics.axes is None else mathematics.axes(treedef.unflatten(leaves))
    for axes, p in zip(every, leaves, strict=True):
        if p is None:
            yield None
        elif axes is None:
            yield mathematics.keeps.unpack(init(p), name)
        else:
            x = axes.matrices(p)
            yield on_devices_of(p, mathematics.keeps.unpack(mapped(init, x.ndim - 2)(x), name))


def _fresh(tree: PyTree, taken: list[Any]) -> PyTree:
    """`tree` with every array in a buffer of its own, or donating it would hand one buffer over twice."""
    seen = {id(x) for x in taken}

    def own(x: Any) -> Any:
        if id(x) in seen:
            return jnp.array(x, copy=True)
        seen.add(id(x))
        return x

    return jax.tree.map(own, tree)


def nest(plan: Plan, held: Mapping[Path, Any]) -> dict[str, Any]:
    """The state that holds this."""
    state: dict[str, Any] = {}
    for path in plan.kept:
        _place(state, path)[path[-1]] = held[path]
    for path, record in plan.records.items():
        place = _place(state, path)
        place[path[-1]] = record(**place[path[-1]])
    return state


def _place(state: dict[str, Any], path: Path) -> dict[str, Any]:
    for name in path[:-1]:
        state = state.setdefault(name, {})
    return state


def open_state(plan: Plan, state: Any) -> Held:
    """What a state holds, by path.

    Raises:
      TypeError: if it is no state at all; the message says what it is.
      ValueError: if something is missing, or left over; the message names it.
    """
    if not isinstance(state, Mapping) or STEP not in state:
        raise TypeError(
            f"{plan.name}: what was given as state is not one: it is {_describe(state)}, and a state is a dict with "
            "a 'step'. Call update(updates, state, params), in this order, with state = init(params) at first."
        )
    held: Held = {}
    known: dict[Path, tuple[Mapping[str, Any], set[str]]] = {}
    for path in plan.kept:
        found = state
        for depth, name in enumerate(path):
            # A checkpoint that was restored by names alone has a dict where the NamedTuple was.
            names = found if isinstance(found, Mapping) else getattr(found, "_fields", ())
            if name not in names:
                raise _foreign(plan, f"it has no {'/'.join(path[: depth + 1])!r}", state)
            if isinstance(found, Mapping):
                known.setdefault(path[:depth], (found, set()))[1].add(name)
            found = found[name] if isinstance(found, Mapping) else getattr(found, name)
        if path in plan.counters and not _can_count(jnp.result_type(found)):
            raise ValueError(
                f"{plan.name}: the state's {'/'.join(path)!r} counts steps in int32, but is {array_type(found)}: it "
                "was cast, or restored as another number. Restore it with gradtx.restore_state(init(params), ...)."
            )
        held[path] = found
    for prefix, (given, expected) in known.items():
        for name in given:
            if name not in expected:
                raise _foreign(plan, f"it has {'/'.join([*prefix, str(name)])!r}, which no stage here keeps", state)
    return held


def _can_count(dtype: Any) -> bool:
    return jnp.issubdtype(dtype, jnp.integer) and dtype.itemsize >= 4


def _foreign(plan: Plan, difference: str, state: Mapping[str, Any]) -> ValueError:
    found = {str(name) for name in state} - {STEP}
    expected = {path[0] for path in plan.kept} - {STEP}
    maker = "an earlier form of this transformation" if found & expected else "another transformation"
    return ValueError(
        f"{plan.name}: the state is that of {maker}: {difference} (it is of {', '.join(sorted(found)) or 'none'}; "
        f"expected {', '.join(sorted(expected)) or 'none'}). Make it anew with init(params), or carry over what fits "
        "with gradtx.restore_state."
    )


def _describe(x: Any) -> str:
    """What something is, in a few words: an array by its type, a tree by its keys."""
    if x is None or not isinstance(x, Mapping):
        return "None" if x is None else array_type(x) if hasattr(x, "dtype") else f"a {type(x).__name__}"
    return f"a {type(x).__name__} of {', '.join(map(repr, x))}" if x else f"an empty {type(x).__name__}"
