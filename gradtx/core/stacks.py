"""Matrices of one shape, gathered from a whole tree and computed together, or one by one.

An array is seen as matrices by its axes. What is kept stands either at the path of its array, as [*batch, *field], or
for good in the stack in which it is computed, which knows whose it is.
"""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Callable, Hashable
from dataclasses import dataclass, replace
from functools import cached_property, partial
from typing import Any, Literal, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jax import lax

from gradtx.core.axes import AxesOf
from gradtx.core.compiled import closure_of
from gradtx.core.mathematics import AGE, Keeps
from gradtx.core.meshes import back, on_devices, on_each_device, placed_as, placement, spread_over, whole
from gradtx.core.numerics import arithmetic_dtype, cast, is_floating, real_dtype, widen
from gradtx.core.patterns import paths_of
from gradtx.core.stacked_field import Member, StackedField
from gradtx.core.trees import array_type, check_pair, flatten, is_none, map_arrays, mapped, on_devices_of
from gradtx.core.views import View

PyTree = Any
Array = jax.Array
NONE_AT_FIRST = "it was not a matrix when init(params) was called. Call init anew."


class Row(NamedTuple):
    """The matrices of one array, and all that is mapped over with them: leaves [matrices, ...]."""

    u: Array
    fields: dict[str, Array]
    p: Array | None
    numbers: dict[str, Array]  # those that vary from array to array
    number: Array  # of the matrix in its tree
    turn: Array  # when they are refreshed


@dataclass(frozen=True)
class Stacks:
    """A stage of matrices, which compares by what it computes. Its attributes are the arguments of `matrixwise`.

    `wide` and `block` are those of `view`.
    """

    update: Callable[..., Any]
    init: Callable[..., Any] | None
    keeps: Keeps
    axes: AxesOf
    needs: tuple[str, ...]
    refresh: Callable[..., Any] | None
    begin: Callable[..., Any] | None
    every: int
    after: int
    stagger: bool
    view: View
    stack: bool | None
    chunk: int | None
    spread: tuple[str, ...] | None
    state: Literal["array", "stack"]
    options: tuple[tuple[str, type, Any], ...]  # each with its type, for 1, 1.0 and True are equal

    @property
    def parts(self) -> list[Any]:
        """The functions that it calls."""
        found = [self.update, self.refresh, self.begin, *(x for _, _, x in self.options)]
        return [x for x in found if callable(x)]

    @property
    def stacked(self) -> bool:
        """Whether what is kept stays in stacks."""
        return self.state == "stack"

    def first(self, params: PyTree) -> Any:
        """What is kept at first."""
        leaves, treedef = flatten(params)
        every: Any = self.axes(params)
        init = self.init or self.keeps.zeros
        made: dict[str, Any] = {}
        if self.stacked:
            found = self._members(params, leaves, every)
            stacks = {
                name: self.keeps.unpack(
                    jax.vmap(init)(self._joined([self.view.rows(every[x.leaf], leaves[x.leaf]) for x in members])),
                    "init",
                )
                for name, members in found
            }
            for field in self.keeps.fields:
                arrays = {name: on_devices(self.spread, stacks[name][field]) for name in stacks}
                made[field] = StackedField(arrays, found, max([x.ndim for x in arrays.values()], default=1) - 1)
            return self.keeps.pack(made, 0)
        slots: list[Any] = [None] * len(leaves)
        for i, (axes, p) in enumerate(zip(every, leaves, strict=True)):
            if axes is not None and math.prod(p.shape):
                x = self.view.matrices(axes, p)
                slots[i] = on_devices_of(p, self.keeps.unpack(mapped(init, x.ndim - 2)(x), "init"))
        made = {name: treedef.unflatten([slot and slot[name] for slot in slots]) for name in self.keeps.fields}
        return self.keeps.pack(made, 0)

    def __call__(self, updates: PyTree, s: Any, params: PyTree, **given: Any) -> tuple[PyTree, Any]:
        """One step: the updates of all matrices, and what is kept then."""
        us, treedef = flatten(updates)
        every: Any = self.axes(updates)
        age, due = given.get(AGE), given.pop("due", None)
        phase = self._phase(age, due)
        shared, varied = self._split(given, treedef)
        fields = {} if self.keeps.form is None else self.keeps.unpack(s, "matrixwise")
        ps = treedef.flatten_up_to(params) if "params" in self.needs else [None] * len(us)
        slots = [{}] * len(us) if self.stacked else self._slots(fields, treedef, len(us))
        results, kept = list(us), list(slots)
        new_stacks: dict[str, Any] = {}
        numbers = self._numbers(us, every)
        for name, members in self._layout(updates, us, every, fields):
            turns = np.arange(members[-1].rows.stop, dtype=np.int32) % (self.every if self.stagger else 1)
            there = [x for x in members if us[x.leaf] is not None]
            if not there:
                continue
            try:
                rows = {
                    x.leaf: self._row(
                        every[x.leaf], us[x.leaf], slots[x.leaf], ps[x.leaf],
                        {k: v[x.leaf] for k, v in varied.items()}, numbers[x.leaf], turns[x.rows],
                    )
                    for x in there
                }  # fmt: skip
                if self._in_stacks:
                    some = rows[there[0].leaf]
                    full = [rows[x.leaf] if x.leaf in rows else _idle(x, some) for x in members]
                    in_stack = {k: x.stacks[name] for k, x in fields.items()} if self.stacked else None
                    found, stack = self._in_one(full, in_stack, shared, age, phase)
                    if len(there) < len(members) and in_stack is not None:
                        stack = _only(stack, in_stack, [x.rows for x in there])
                    new_stacks[name] = stack
                else:
                    # How products of what is cut over an explicit mesh are to lie would have to be said.
                    found = map_arrays(
                        _OneByOne(self), [jax.tree.map(whole, x) for x in rows.values()], (shared, age, phase)
                    )
            except Exception as error:
                first = there[0]
                error.add_note(f"in {first.path or 'the array'} {array_type(us[first.leaf])}, seen as {name}.")
                raise
            for member, (u, slot) in zip(members if self._in_stacks else there, found, strict=True):
                given_u = us[member.leaf]
                if given_u is not None:
                    u = cast(self.view.array(every[member.leaf], u, given_u.shape), widen(given_u).dtype)  # noqa: PLW2901
                    results[member.leaf] = back(given_u, u) if self.spread is None else u
                    kept[member.leaf] = {
                        k: back(slots[member.leaf][k], x.reshape(*member.batch, *x.shape[1:])) for k, x in slot.items()
                    }
        if self.keeps.form is None:
            return treedef.unflatten(results), None
        if self.stacked:
            made: Any = {
                k: replace(old, stacks={name: new_stacks.get(name, {k: x})[k] for name, x in old.stacks.items()})
                for k, old in fields.items()
            }
        else:
            made = {k: treedef.unflatten([slot and slot[k] for slot in kept]) for k in self.keeps.fields}
        return treedef.unflatten(results), self.keeps.pack(made, age)

    def _layout(
        self, tree: PyTree, leaves: list[Any], every: Any, fields: dict[str, Any]
    ) -> tuple[tuple[str, tuple[Member, ...]], ...]:
        """The stacks by name, each with its members; those that were made at first, where they are kept."""
        if not (self.stacked and fields):
            return self._members(tree, leaves, every)
        layout = next(iter(fields.values())).members
        known = {x.leaf for _, members in layout for x in members}
        for i, (x, axes) in enumerate(zip(leaves, every, strict=True)):
            if axes is not None and math.prod(x.shape) and i not in known:
                raise ValueError(f"nothing is kept for {paths_of(tree)[i]}: {NONE_AT_FIRST}")
        return layout

    def names(self, tree: PyTree) -> dict[int, str]:
        """The name of the stack that an array may be computed in, by the number of its leaf."""
        stacks = self._members(tree, flatten(tree)[0], self.axes(tree))
        return {x.leaf: name for name, members in stacks for x in members}

    @property
    def _in_stacks(self) -> bool:
        """Whether equal matrices are computed together."""
        if self.stacked or self.spread is not None:
            return True
        return jax.default_backend() != "cpu" if self.stack is None else self.stack

    def _members(self, tree: PyTree, leaves: list[Any], every: Any) -> tuple[tuple[str, tuple[Member, ...]], ...]:
        """The stacks by name, each with its members."""
        groups: dict[Hashable, list[int]] = defaultdict(list)
        for i, (x, axes) in enumerate(zip(leaves, every, strict=True)):
            if axes is not None and math.prod(x.shape):
                # Arrays that lie alike move together. Where that is not known, turned ones lie otherwise.
                seen = placement(x, partial(self.view.rows, axes))
                turned = self.spread is not None and self.view.is_turned(axes, x.shape)
                groups[(*self.view.sides(axes, x.shape), arithmetic_dtype(x.dtype), seen, turned)].append(i)
        paths = paths_of(tree)
        found: dict[str, tuple[Member, ...]] = {}
        for key, indices in groups.items():
            name = f"{key[0]}x{key[1]}"  # type: ignore[index]
            if name in found:
                name = f"{name}_{sum(other.partition('_')[0] == name for other in found) + 1}"
            members, start = [], 0
            for i in indices:
                members.append(Member(paths[i], i, start, self.view.batch(every[i], leaves[i].shape)))
                start = members[-1].rows.stop
            found[name] = tuple(members)
        return tuple(found.items())

    def _row(self, axes: Any, u: Array, slot: Any, p: Any, numbers: dict[str, Any], index: Any, turn: Any) -> Row:
        x, depth = self.view.rows(axes, u), len(self.view.batch(axes, u.shape))
        if slot is None:
            raise ValueError(f"nothing is kept for it: {NONE_AT_FIRST}")
        fields = {k: f.reshape(-1, *f.shape[depth:]) for k, f in slot.items()}
        real, count = real_dtype(x.dtype), x.shape[0]
        each = {k: jnp.broadcast_to(cast(number, real), (count,)) for k, number in numbers.items()}
        return Row(x, fields, None if p is None else self.view.rows(axes, p), each, index, turn)

    def _split(self, given: dict[str, Any], treedef: Any) -> tuple[dict[str, Any], dict[str, list[Any]]]:
        """The numbers that all matrices share, and those that vary from array to array."""
        shared, varied = {}, {}
        for name, x in given.items():
            if name == AGE:
                continue
            if name not in self.needs and jax.tree.structure(x, is_leaf=is_none) == treedef != jax.tree.structure(0):
                varied[name] = flatten(x)[0]
            else:
                shared[name] = x
        return shared, varied

    def _slots(self, fields: dict[str, Any], treedef: Any, count: int) -> list[Any]:
        """What is kept, array by array; None where nothing is."""
        columns = {name: treedef.flatten_up_to(tree) for name, tree in fields.items()}
        if not columns:
            return [{}] * count
        slots = [{name: column[i] for name, column in columns.items()} for i in range(count)]
        return [None if any(x is None for x in slot.values()) else slot for slot in slots]

    def _numbers(self, us: list[Any], every: Any) -> list[Any]:
        """The numbers of the matrices of each array."""
        found, start = [], 0
        for u, axes in zip(us, every, strict=True):
            count = 0 if axes is None else math.prod(self.view.batch(axes, u.shape))
            found.append(np.arange(start, start + count, dtype=np.uint32))
            start += count
        return found

    def calls(self, shared: dict[str, Any], age: Any) -> Callable[[Any], Callable[..., Any]]:
        """What calls a function of one matrix with all that it asks for."""

        def of(function: Callable[..., Any]) -> Callable[..., Any]:
            def one(row: Row) -> Any:
                real = real_dtype(row.u.dtype)
                numbers: dict[str, Any] = {k: cast(x, real) if is_floating(x) else x for k, x in shared.items()}
                numbers.update(row.numbers)
                given = {"index": row.number, AGE: age}
                numbers.update((name, x) for name, x in given.items() if name in self.needs)
                numbers.update((name, x) for name, _, x in self.options)
                s = self.keeps.pack(row.fields, age)
                with jax.default_matmul_precision("float32"):
                    result = function(row.u, s, row.p, **numbers)
                if function is not self.update:
                    return self._as_before(result, row.fields)
                check_pair(result, "a matrix")
                if jnp.shape(result[0]) != row.u.shape:
                    raise ValueError(f"the update of a matrix {row.u.shape} has shape {jnp.shape(result[0])}.")
                return cast(result[0]), self._as_before(result[1], row.fields)

            return one

        return of

    def _as_before(self, s: Any, fields: dict[str, Array]) -> dict[str, Array]:
        new = self.keeps.unpack(s, "matrixwise")
        for name, x in new.items():
            if jnp.shape(x) != fields[name].shape:
                raise ValueError(f"{name!r} of a matrix was made {fields[name].shape}, and becomes {jnp.shape(x)}.")
        return {name: cast(x, fields[name].dtype) for name, x in new.items()}

    def _phase(self, age: Any, due: Any) -> Any:
        """How many steps ago the present round of refreshes began; -1 in between, where a schedule says when."""
        if self.refresh is None:
            return None
        if due is not None:
            return jnp.where((due > 0) & (age >= self.after), 0, -1)
        done = age - self.after
        return jnp.where(done < 0, -1, done % self.every)

    def _joined(self, xs: list[Array]) -> Array:
        x = xs[0] if len(xs) == 1 else jnp.concatenate(xs)
        return x if self.spread is None else spread_over(self.spread, x)

    def _in_one(
        self, rows: list[Row], kept: dict[str, Array] | None, shared: dict[str, Any], age: Any, phase: Any
    ) -> tuple[list[tuple[Array, dict[str, Array]]], dict[str, Array]]:
        """All matrices of a stack: the result for each row, and what is kept for the stack."""
        many: Row = jax.tree.map(lambda *xs: self._joined(list(xs)), *rows)
        if kept is not None:
            many = many._replace(fields=kept)
        if self.spread is None:
            u, fields = self._together(jax.tree.map(whole, many), shared, age, phase, 0)
        else:
            u, fields = on_each_device(self.spread, self._together, many, shared, age, phase)
            u = placed_as(jnp.concatenate([row.u for row in rows]), u)
        cut = {} if kept is not None else {k: whole(x) for k, x in fields.items()}
        found, start = [], 0
        for row in rows:
            part = partial(lax.slice_in_dim, start_index=start, limit_index=start + row.u.shape[0])
            found.append((part(u), {k: part(x) for k, x in cut.items()}))
            start += row.u.shape[0]
        return found, fields

    def _together(
        self, many: Row, shared: dict[str, Any], age: Any, phase: Any, offset: Any
    ) -> tuple[Array, dict[str, Array]]:
        """Matrices that are computed together; `offset` is the number of the first one in its stack."""
        of = self.calls(shared, age)

        def over(function: Callable[..., Any]) -> Callable[[Row], Any]:
            one = of(function)
            if self.chunk is None or many.u.shape[0] <= self.chunk:
                return jax.vmap(one)
            return lambda xs: lax.map(one, xs, batch_size=None if self.chunk == 1 else self.chunk)

        if self.begin is not None:
            many = many._replace(fields=lax.cond(age == 0, over(self.begin), _fields, many))
        if self.refresh is not None:
            many = many._replace(fields=self._refreshed(many, over(self.refresh), phase, offset))
        return over(self.update)(many)

    def _refreshed(self, many: Row, refresh: Callable[[Row], Any], phase: Any, offset: Any) -> dict[str, Array]:
        """What is kept, with that of the matrices whose turn it is refreshed."""
        if not self.stagger:
            return lax.cond(phase == 0, refresh, _fields, many)
        total = many.u.shape[0]
        first = (phase - offset) % self.every
        due = first + self.every * jnp.arange(-(-total // self.every))

        def some(many: Row) -> dict[str, Array]:
            new = refresh(jax.tree.map(lambda x: jnp.take(x, due, 0, mode="clip"), many))
            return jax.tree.map(lambda x, y: x.at[due].set(y, mode="drop"), many.fields, new)

        return lax.cond((phase >= 0) & (first < total), some, _fields, many)


@dataclass(frozen=True)
class First:
    """What a stage of matrices keeps at first, as a function of params that compares by the stage."""

    stacks: Stacks

    def __call__(self, params: PyTree) -> Any:
        return self.stacks.first(params)


@dataclass(frozen=True)
class _OneByOne:
    """The matrices of one array, one after another."""

    stacks: Stacks

    @cached_property
    def closure(self) -> Any:
        """A function that it calls and that was made inside another, or None."""
        return closure_of(self.stacks.parts)

    def __call__(self, row: Row, shared: tuple[dict[str, Any], Any, Any]) -> tuple[Array, dict[str, Array]]:
        stacks, (numbers, age, phase) = self.stacks, shared
        of = stacks.calls(numbers, age)

        def one(row: Row) -> tuple[Array, dict[str, Array]]:
            if stacks.begin is not None:
                row = row._replace(fields=lax.cond(age == 0, of(stacks.begin), _fields, row))
            if stacks.refresh is not None:
                row = row._replace(fields=lax.cond(phase == row.turn, of(stacks.refresh), _fields, row))
            return of(stacks.update)(row)

        if row.u.shape[0] > 1:
            return lax.map(one, row)
        return jax.tree.map(lambda x: x[None], one(jax.tree.map(lambda x: x[0], row)))


def _idle(member: Member, like: Row) -> Row:
    """Rows for an array that has no gradient: zeros, so that the stack keeps its size."""
    count = math.prod(member.batch)
    return jax.tree.map(lambda x: jnp.zeros((count, *x.shape[1:]), x.dtype), like)


def _only(new: dict[str, Array], old: dict[str, Array], there: list[slice]) -> dict[str, Array]:
    """What is kept for these rows anew, and for all others as it was."""
    active = np.zeros(next(iter(old.values())).shape[0], bool)
    for rows in there:
        active[rows] = True
    return {k: jnp.where(active.reshape(-1, *[1] * (x.ndim - 1)), x, old[k]) for k, x in new.items()}


def _fields(row: Row) -> dict[str, Array]:
    return row.fields
