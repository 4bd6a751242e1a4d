"""One update: from updates, state and params to updates and the next state.

Everything that users may get wrong is checked here, while JAX traces, and never at run time.
"""

import functools
from collections.abc import Mapping, Sequence
from difflib import get_close_matches
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from gradtx.core import scalars
from gradtx.core.numerics import cast, is_floating, scalar_dtype, widen
from gradtx.core.plan import Plan, Run, call_tree_program, tree_program
from gradtx.core.primitives import Leafwise, Marker, Pair, Selected, Stage, Treewise, is_numeric
from gradtx.core.selection import Selector
from gradtx.core.state import STEP, as_slots, as_trees, map_parts, open_state, put
from gradtx.core.trees import flatten, flatten_like, is_none, leaf_path, map_arrays, spell_array

PyTree = Any
PAIRED = "Give an update for every array in params, None for one that is to stay as it is."
LAST_STEP = np.iinfo(np.int32).max


def update_state(
    plan: Plan, updates: PyTree, state: Any, params: PyTree, extra: Mapping[str, Any]
) -> tuple[PyTree, Any]:
    """One step: the updates after every stage, and the next state."""
    old = open_state(plan, state)
    _check_extra(plan, params, extra)
    step = old[STEP,]
    flow = _Flow(plan, updates, params, step, extra)
    new = {STEP: _next(step)}
    for part in plan.parts:
        if isinstance(part, Run):
            kept = flow.run_leafwise(part, old)
        elif isinstance(part.primitive, Marker):
            kept = flow.pass_marker(part.primitive, part.selections)
        else:
            kept = flow.run_treewise(part, old)
        for path, x in kept.items():
            if path in old:
                put(new, path, x)
    if any(stage.selections for stage in plan.stages):  # what has passed by all stages comes out like all else
        flow.values = list(map(widen, flow.values))
    return flow.treedef.unflatten(flow.values), new


@functools.partial(jax.jit, inline=True)
def _next(step: Any) -> Any:
    return jnp.minimum(step, LAST_STEP - 1) + 1


class _Flow:
    """What flows through the stages of one update: a value per leaf, and what every stage may ask for."""

    def __init__(self, plan: Plan, updates: PyTree, params: PyTree, step: Any, extra: Mapping[str, Any]):
        self.plan, self.step, self.extra = plan, step, extra
        self.remembered: list[list[Any]] = []
        values, self.treedef = flatten(updates)
        self.values, active, self.params = _align(plan.name, values, self.treedef, params)
        if active and self.params is not None and all(self.values[i] is self.params[i] for i in active):
            raise TypeError(
                f"{plan.name}: params were given as updates: every array is the same object in both. Call "
                "update(grads, state, params); if the gradient really is the parameter itself, pass a copy of it."
            )
        self.selector = Selector(plan.name, updates if params is None else params, self.treedef, active)

    def run_leafwise(self, run: Run, old: Mapping[tuple[str, ...], Any]) -> dict[tuple[str, ...], Any]:
        """A run of leafwise stages: one call per array. Changes the values, returns what the stages keep."""
        active = self.selector.chosen(run.selections)
        shared, slots, schedule_states = [], [], []
        for path, primitive in run.stages:
            kept, resolved, states = self.scalars_of(path, primitive, old)
            resolved.update(scalars.extras(primitive, self.extra))
            shared.append(resolved)
            schedule_states.append(states)
            slots.append(self.slots_of(path, primitive, kept, active))
        wanted = {name for needed in run.program.needs for name in needed}
        params: Any = self.params if "params" in wanted else [None] * len(self.values)
        rows = [
            (
                self.values[i],
                tuple(slot[i] for slot in slots),
                params[i],
                np.int32(i) if "index" in wanted else None,
            )
            for i in active
        ]
        results = map_arrays(run.program, rows, tuple(shared), lambda row: self.describe(active[row]))
        for i, (value, new) in zip(active, results, strict=True):
            self.values[i] = value
            for slot, x in zip(slots, new, strict=True):
                slot[i] = x
        return {
            path: scalars.pack(as_trees(primitive, slot, self.treedef), states)
            for (path, primitive), slot, states in zip(run.stages, slots, schedule_states, strict=True)
        }

    def pass_marker(self, marker: Marker, selections: Sequence[Selected]) -> dict[tuple[str, ...], Any]:
        """Remember the values that flow, or put them beside those that were remembered last."""
        if marker.meets:
            given = self.remembered.pop()
            for i in self.selector.chosen(selections):
                self.values[i] = Pair(self.values[i], given[i])
        else:
            self.remembered.append(list(self.values))
        return {}

    def slots_of(self, path: tuple[str, ...], primitive: Leafwise, kept: Any, active: Sequence[int]) -> list[Any]:
        """What a leafwise stage keeps, leaf by leaf."""
        if primitive.keeps is None:
            return [None] * len(self.values)
        slots = as_slots(
            self.plan.name, primitive, kept, self.treedef, "state" + "".join(f"[{name!r}]" for name in path)
        )
        for i in active:
            if slots[i] is None:
                raise ValueError(
                    f"{self.plan.name}: {leaf_path(self.treedef, i, 'updates')} is an array, but stage {path[-1]!r} "
                    "keeps nothing for it: it was None, or not floating, when init(params) was called. Call init anew "
                    "with params as they are now."
                )
        return slots

    def run_treewise(self, stage: Stage, old: Mapping[tuple[str, ...], Any]) -> dict[tuple[str, ...], Any]:
        """A treewise stage: one call on whole trees, in which the leaves that are left alone are None."""
        path, primitive, selections = stage
        assert isinstance(primitive, Treewise)
        kept, arguments, states = self.scalars_of(path, primitive, old)
        tree = self.only(selections, [jax.tree.map(widen, value) for value in self.values])
        params = None if self.params is None else self.only(selections, self.params)
        if primitive.foreign:
            with jax.named_scope(stage.name):
                result, new = primitive.update(tree, kept, jax.tree.map(widen, params), **self.extra)
        else:
            arguments.update((name, self.extra[name]) for name in primitive.needs if name in self.extra)
            # A leaf that is left alone is None to the stage in all that it keeps too, and stays there as it is.
            left = map_parts(functools.partial(self.selector.only, selections), self.treedef, kept)
            result, new = call_tree_program(tree_program(stage), tree, left, params, arguments)
            new = map_parts(_fill, self.treedef, new, kept)
        results = flatten_like(
            self.treedef, result, name=self.plan.name, what=f"the updates from stage {stage.name!r}", like="updates"
        )
        for i in self.selector.chosen(selections):
            given = jax.tree.leaves(self.values[i])[0]
            if jnp.shape(results[i]) != given.shape:
                raise ValueError(
                    f"{self.plan.name}: stage {stage.name!r} makes {leaf_path(self.treedef, i, 'updates')}, which is "
                    f"{spell_array(given)}, an array of shape {jnp.shape(results[i])}: an update keeps its shape."
                )
            self.values[i] = results[i]
        return {path: scalars.pack(new, states)}

    def scalars_of(
        self, path: tuple[str, ...], primitive: Leafwise | Treewise, old: Mapping[tuple[str, ...], Any]
    ) -> tuple[Any, dict[str, Any], dict[str, Any]]:
        """What a stage keeps itself, its numbers at this step, and the next state of those that keep one."""
        kept, states = scalars.unpack(primitive, old.get(path))
        try:
            resolved, states = scalars.resolve(primitive, self.step, states, self.extra)
        except Exception as error:
            error.add_note(f"{self.plan.name}: in a hyperparameter of stage {'/'.join(path)!r}.")
            raise
        return kept, {name: x for name, x in resolved.items() if is_numeric(x)}, states

    def only(self, selections: Sequence[Selected], leaves: list[Any]) -> PyTree:
        """A tree of those leaves that are being updated by a stage, None elsewhere."""
        return self.treedef.unflatten(self.selector.only(selections, leaves))

    def describe(self, i: int) -> str:
        """Where an error in the mathematics of one array came about."""
        return f"{self.plan.name}: in {leaf_path(self.treedef, i, 'updates')}, {spell_array(self.values[i])}."


def _fill(xs: list[Any], olds: list[Any]) -> list[Any]:
    return [old if x is None else x for x, old in zip(xs, olds, strict=True)]


def apply_updates(params: PyTree, updates: PyTree) -> PyTree:
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
      >>> import jax.numpy as jnp
      >>> apply_updates({"w": jnp.ones(2)}, {"w": jnp.array([0.5, -0.5])})
      {'w': Array([1.5, 0.5], dtype=float32)}
    """
    us, treedef = flatten(updates)
    us, active, aligned = _align("apply_updates", us, treedef, () if params is None else params)
    ps: list[Any] = aligned or []
    rows = [(ps[i], us[i]) for i in active]
    for i, result in zip(active, map_arrays(_add, rows), strict=True):
        ps[i] = result
    return treedef.unflatten(ps)


def _add(row: tuple[Any, Any], shared: tuple[()]) -> Any:
    p, u = row
    return cast(widen(p) + u, p.dtype)


def _align(name: str, values: list[Any], treedef: Any, params: PyTree) -> tuple[list[Any], list[int], list[Any] | None]:
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
                    f"{name}: {leaf_path(treedef, i, 'updates')} is {spell_array(u)}, but "
                    f"{leaf_path(treedef, i, 'params')} is {spell_array(p)}. Nothing is broadcast: "
                    "give each array a gradient of its own shape."
                )
        elif is_floating(u) and not jax.tree_util.all_leaves([p], is_leaf=is_none):
            raise ValueError(
                f"{name}: params and updates must have the same structure; {leaf_path(treedef, i, 'updates')} is "
                f"{spell_array(u)}, but {leaf_path(treedef, i, 'params')} is a {type(p).__name__}. {PAIRED}"
            )
    return values, active, ps


def _as_array(x: Any) -> Any:
    return x if isinstance(x, jax.Array) else jnp.asarray(x, scalar_dtype() if isinstance(x, float) else None)


def _check_extra(plan: Plan, params: PyTree, extra: Mapping[str, Any]) -> None:
    for stage in plan.stages:
        if "params" in stage.primitive.needs and params is None:
            raise TypeError(f"{plan.name}: stage {stage.name!r} needs params. Call update(updates, state, params).")
    for name, stage_name in plan.wanted:
        if name not in extra:
            close = get_close_matches(name, extra, n=1)
            hint = f" {close[0]!r} was given: was {name!r} meant?" if close else ""
            raise TypeError(
                f"{plan.name}: stage {stage_name!r} needs the extra argument {name!r}. "
                f"Call update(updates, state, params, {name}=...).{hint}"
            )
