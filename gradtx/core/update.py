"""One update: from updates, state and params to updates and the next state.

Everything that users may get wrong is checked here, while JAX traces, and never at run time.
"""

from __future__ import annotations

import functools
from collections.abc import Mapping
from dataclasses import replace
from difflib import get_close_matches
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from gradtx.core import scalars
from gradtx.core.apply_updates import align
from gradtx.core.axes import Known
from gradtx.core.each import each
from gradtx.core.functions import is_function, of_part, split
from gradtx.core.mathematics import AGE, Inner, Matrixwise, Treewise, Varied, is_numeric
from gradtx.core.numerics import is_narrow, widen
from gradtx.core.plan import Fused, Path, Placed, Plan, Program, call_program
from gradtx.core.run import Run, only_if
from gradtx.core.state import Held, init_fields, nest, open_state
from gradtx.core.trees import array_type, flatten, flatten_like, leaf_path, map_arrays

PyTree = Any
LAST_STEP = np.iinfo(np.int32).max
STALE = "The state was made for other params: make it anew with init(params)."


def update_state(
    plan: Plan, updates: PyTree, state: Any, params: PyTree, extra: Mapping[str, Any]
) -> tuple[PyTree, Any]:
    """One step: the updates after every stage, and the next state."""
    held = open_state(plan, state)
    _check_extra(plan, params, extra)
    this = _Update(plan, updates, params, held, extra)
    updates = this.run()
    return updates, nest(plan, this.new)


@functools.partial(jax.jit, inline=True)
def _next(count: Any) -> Any:
    return jnp.minimum(count, LAST_STEP - 1) + 1


class _Update:
    """One update under way: a value per leaf, which goes through all stages, and what each of them may ask for."""

    def __init__(self, plan: Plan, updates: PyTree, params: PyTree, old: Held, extra: Mapping[str, Any]):
        self.plan, self.old, self.extra, self.given_params = plan, old, extra, params
        self.new: Held = {}
        self.taken: Any = True  # whether a step is taken in this place
        values, self.treedef = flatten(updates)
        self.values, self.active, self.params = align(plan.name, values, self.treedef, params)
        self.labels: dict[int, list[Any]] = {}

    def run(self) -> PyTree:
        """Go through all stages. What they keep is `new` then."""
        for part in self.plan.parts:
            if isinstance(part, Fused):
                self.run_fused(part)
            elif isinstance(part.mathematics, Treewise):
                self.run_treewise(part, part.mathematics)
        if self.plan.counts:  # unless a wrapper in this very place has counted the steps that it took
            self.new.setdefault(self.plan.clock, _next(self.old[self.plan.clock]))
        return self.treedef.unflatten(self.values)

    def run_fused(self, fused: Fused) -> None:
        """Fused leafwise stages: one call per array. Changes the values."""
        shared, kept = [], []
        for stage in fused.stages:
            numbers, extra = self.scalars_of(stage, self.plan.clock)
            numbers.update(scalars.wanted(stage.mathematics, extra))
            shared.append({**numbers, AGE: extra[AGE]} if stage.mathematics.has_age else numbers)
            kept.append([self.leaves_of(stage, name) for name in stage.mathematics.keeps.fields])
        wanted = {name for program in fused.program.programs for name in program.needs}
        params: Any = self.params if "params" in wanted else [None] * len(self.values)
        rows = [
            (
                self.values[i],
                [tuple(leaves[i] for leaves in one) for one in kept],
                params[i],
                np.int32(i) if "index" in wanted else None,
            )
            for i in self.active
        ]
        for i, (value, new) in zip(self.active, self.map_rows(fused, rows, shared), strict=True):
            self.values[i] = value
            for one, arrays in zip(kept, new, strict=True):
                for leaves, x in zip(one, arrays, strict=True):
                    leaves[i] = x
        for stage, one in zip(fused.stages, kept, strict=True):
            for name, leaves in zip(stage.mathematics.keeps.fields, one, strict=True):
                self.new[stage.kept[name]] = self.treedef.unflatten(leaves)

    def map_rows(self, fused: Fused, rows: list[tuple[Any, ...]], shared: list[dict[str, Any]]) -> list[Any]:
        """The program on every row; where a number or the axes vary, on the rows of one combination after another."""
        varied = [(one, name, x) for one in shared for name, x in one.items() if isinstance(x, Varied)]
        seen = [self.axes_of(stage) for stage in fused.stages]
        labels = [
            (tuple(self.labels_of(x, i) for _, _, x in varied), tuple(axes and axes[i] for axes in seen))
            for i in self.active
        ]
        results: list[Any] = [None] * len(rows)
        for combination in dict.fromkeys(labels):
            for (one, name, x), path in zip(varied, combination[0], strict=True):
                one[name] = functools.reduce(lambda y, label: y.values[label], path, x)
            members = [row for row, label in enumerate(labels) if label == combination]
            found = map_arrays(
                fused.program.seen_by(combination[1]) if any(combination[1]) else fused.program,
                [rows[row] for row in members],
                tuple(map(dict, shared)),
                lambda k, members=members: self.describe(self.active[members[k]]),  # type: ignore[misc]
            )
            for row, result in zip(members, found, strict=True):
                results[row] = result
        return results

    def axes_of(self, stage: Placed) -> Any:
        """The axes by which a stage sees each array; None if it sees arrays as they are."""
        rule = stage.mathematics.axes
        if rule is None:
            return None
        arrays = [None if x is None else jax.tree.leaves(x)[0] for x in self.values]
        try:
            return rule(self.treedef.unflatten(arrays))
        except Exception as error:
            error.add_note(f"{self.plan.name}: in stage {stage.name!r}.")
            raise

    def labels_of(self, varied: Any, i: int) -> tuple[Any, ...]:
        """The label of a leaf, and further ones where the value under that varies too."""
        if not isinstance(varied, Varied):
            return ()
        if id(varied.labels) not in self.labels:
            params = self.treedef.unflatten(self.values) if self.given_params is None else self.given_params
            labels = flatten(params)[1].unflatten(varied.labels(params, self.plan.name))
            self.labels[id(varied.labels)] = self.treedef.flatten_up_to(labels)
        label = self.labels[id(varied.labels)][i]
        return (label, *self.labels_of(varied.values[label], i))

    def spread(self, varied: Varied) -> PyTree:
        """A hyperparameter that varies as a tree of numbers, None for the leaves that are left alone."""
        numbers: list[Any] = [None] * len(self.values)
        for i in self.active:
            numbers[i] = functools.reduce(lambda y, label: y.values[label], self.labels_of(varied, i), varied)
        return self.treedef.unflatten(numbers)

    def leaves_of(self, stage: Placed, name: str) -> list[Any]:
        """What a stage keeps under a name, leaf by leaf."""
        where = "state" + "".join(f"[{part!r}]" for part in stage.path) + f".{name}"
        leaves = flatten_like(
            self.treedef, self.old[stage.kept[name]], name=self.plan.name, what=where, like="updates", remedy=STALE
        )
        for i in self.active:
            if leaves[i] is None and not isinstance(stage.mathematics, Matrixwise):
                raise ValueError(
                    f"{self.plan.name}: {leaf_path(self.treedef, i, 'updates')} is an array, but stage "
                    f"{stage.path[-1]!r} keeps nothing for it: it was None, or not floating, when init(params) was "
                    "called. Call init anew with params as they are now."
                )
            if is_narrow(getattr(leaves[i], "dtype", None)):
                self.check_born_so(stage, name, i, leaves[i].dtype)
        return list(leaves)

    def check_born_so(self, stage: Placed, name: str, i: int, dtype: Any) -> None:
        """Raise if an array of 16 bits was wider when init made it."""
        given = self.values if self.params is None else self.params
        leaves = [given[j] if j in self.active else None for j in range(len(given))]
        born = jax.eval_shape(lambda leaves: init_fields(stage, leaves, self.treedef), leaves)
        first = self.treedef.flatten_up_to(born[name])[i]
        if first.dtype != dtype:
            raise ValueError(
                f"{self.plan.name}: stage {stage.name!r} keeps {name!r} for {leaf_path(self.treedef, i, 'updates')} in "
                f"{np.dtype(dtype).name}, but init made it {first.dtype.name}: it was cast, or restored in the dtype "
                "of the parameters. Restore it with gradtx.restore_state(init(params), ...)."
            )

    def run_treewise(self, stage: Placed, mathematics: Treewise) -> None:
        """A treewise stage: one call on whole trees, in which the leaves that are left alone are None."""
        plan = self.plan.inner.get(stage.path, self.plan)
        numbers, extra = self.scalars_of(stage, plan.clock)
        tree = self.only([jax.tree.map(widen, value) for value in self.values])
        params = None if self.params is None else self.only(self.params)
        if mathematics.foreign:
            with jax.named_scope(stage.name):
                result, new = mathematics.update(tree, self.old[stage.path], jax.tree.map(widen, params), **self.extra)
            self.new[stage.path] = new
        else:
            numbers = {name: self.spread(x) if isinstance(x, Varied) else x for name, x in numbers.items()}
            numbers.update((name, extra[name]) for name in mathematics.needs if name in extra)
            functions = [name for name in mathematics.needs if name in extra and is_function(extra[name])]
            if self.params is not None:
                numbers.update((name, of_part(extra[name], self.given_params, params)) for name in functions)
            # A leaf that is left alone is None to the stage in all that it keeps too, and stays there as it is.
            leaves = {name: self.leaves_of(stage, name) for name in mathematics.alike}
            kept = {name: self.old[stage.kept[name]] for name in mathematics.keeps.fields}
            kept.update((name, self.only(xs)) for name, xs in leaves.items())
            try:
                program = stage.program
                if isinstance(mathematics, Matrixwise):  # whose program does not know then what said what axes are
                    program = replace(program, update=replace(program.update, axes=Known(mathematics.axes(tree))))
                given = program, tree, kept, extra.get(AGE), params, numbers
                with jax.named_scope(stage.program.name):
                    if mathematics.inner is None:
                        result, new = _call(functions, *given)
                    else:
                        result, new = self.run_wrapper(stage, mathematics.inner, plan, *given)
            except Exception as error:
                error.add_note(f"{self.plan.name}: in stage {stage.name!r}.")
                raise
            for name, old in leaves.items():
                found = zip(self.treedef.flatten_up_to(new[name]), old, strict=True)
                new[name] = self.treedef.unflatten([before if x is None else x for x, before in found])
            self.new.update((stage.kept[name], x) for name, x in new.items())
        results = flatten_like(
            self.treedef, result, name=self.plan.name, what=f"the updates from stage {stage.name!r}", like="updates"
        )
        for i in self.active:
            given = jax.tree.leaves(self.values[i])[0]
            if jnp.shape(results[i]) != given.shape:
                raise ValueError(
                    f"{self.plan.name}: stage {stage.name!r} makes {leaf_path(self.treedef, i, 'updates')}, which is "
                    f"{array_type(given)}, an array of shape {jnp.shape(results[i])}: an update keeps its shape."
                )
            self.values[i] = results[i]

    def run_wrapper(
        self, stage: Placed, inner: Inner, plan: Plan, program: Any, tree: PyTree, kept: Any, *given: Any
    ) -> tuple[PyTree, Any]:
        """A wrapper, which runs what it wraps. If that left the step out, it does not happen for the wrapper either."""

        def step(updates: PyTree, held: Held, params: PyTree, extra: Mapping[str, Any]) -> tuple[PyTree, Held, Any]:
            extra = {**self.extra, **extra}
            functions = list(filter(is_function, extra.values()))
            if functions and (params is not None or inner.view is not None):
                # Each is one of the part of the parameters that is seen inside.
                part = {id(f): of_part(f, self.given_params, params) for f in functions}
                extra = {name: part.get(id(x), x) for name, x in extra.items()}
            this = _Update(plan, updates, params, {**self.old, **held}, extra)
            result = this.run()
            return result, {path: this.new[path] for path in held}, this.taken

        held = {path: self.old[path] for path in plan.kept}
        run = Run(stage.name, inner, step, held, self.given_params, self.extra)
        result, new = program(tree, kept, *given, run)
        run.check()
        if run.taken is not True and not inner.skips:
            hold = functools.partial(jnp.where, run.taken)
            if not inner.holds:
                result, new = each(only_if, result, taken=run.taken), jax.tree.map(hold, new, kept)
            for path in set(stage.kept.values()) & set(self.new):  # its age, and what its hyperparameters keep
                self.new[path] = jax.tree.map(hold, self.new[path], self.old[path])
        if plan.clock == self.plan.clock:
            self.taken = run.taken
        self.new.update(run.held)
        return result, new

    def scalars_of(self, stage: Placed, clock: Path) -> tuple[dict[str, Any], Mapping[str, Any]]:
        """The numbers of a stage at this step, and the extra arguments with its age; what they keep next is `new`."""
        extra, paths = self.extra, stage.kept
        if AGE in paths:
            age = self.old[paths[AGE]]
            extra, self.new[paths[AGE]] = {**extra, AGE: age}, _next(age)
        states = {name: self.old[paths[name]] for name in stage.mathematics.stateful}
        try:
            resolved, states = scalars.resolve(stage.mathematics, self.old[clock], states, extra)
        except Exception as error:
            error.add_note(f"{self.plan.name}: in a hyperparameter of stage {stage.name!r}.")
            raise
        self.new.update((paths[name], x) for name, x in states.items())
        return {name: x for name, x in resolved.items() if is_numeric(x)}, extra

    def only(self, leaves: list[Any]) -> PyTree:
        """A tree of those leaves that are being updated, None elsewhere."""
        active = set(self.active)
        return self.treedef.unflatten([x if i in active else None for i, x in enumerate(leaves)])

    def describe(self, i: int) -> str:
        """Where an error in the mathematics of one array came about."""
        return f"{self.plan.name}: in {leaf_path(self.treedef, i, 'updates')}, {array_type(self.values[i])}."


def _call(functions: list[str], program: Program, *given: Any) -> tuple[PyTree, Any]:
    """A treewise stage, given its arguments by name last, with those of them that are functions."""
    if not functions:
        return call_program(program, *given)
    if any(isinstance(x, jax.core.Tracer) for x in jax.tree.leaves(given)):
        # A function may close over what is being traced, which no cache of compiled programs should hold.
        return program(*given)
    *first, numbers = given
    parts = {name: split(numbers[name]) for name in functions}
    program = replace(program, functions=tuple((name, code) for name, (code, _) in parts.items()))
    return call_program(program, *first, {**numbers, **{name: arrays for name, (_, arrays) in parts.items()}})


def _check_extra(plan: Plan, params: PyTree, extra: Mapping[str, Any]) -> None:
    for name, stage in plan.wanted:
        if name == "params" and params is None:
            raise TypeError(f"{plan.name}: stage {stage!r} needs params. Call update(updates, state, params).")
        if name != "params" and extra.get(name) is None:
            close = get_close_matches(name, extra.keys() - {name}, n=1)
            hint = f" {close[0]!r} was given: was {name!r} meant?" if close else ""
            raise TypeError(
                f"{plan.name}: stage {stage!r} needs the extra argument {name!r}. "
                f"Call update(updates, state, params, {name}=...).{hint}"
            )
