"""Making a transformation ready to run: its stages laid flat, and neighbouring leafwise stages fused.

Fused stages are one program of one array, compiled once per distinct shape and dtype. A treewise stage stands alone,
and what a wrapper wraps has a plan of its own.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property, partial
from itertools import groupby
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp

from gradtx.core.compiled import closure_of, per_program
from gradtx.core.functions import Code
from gradtx.core.mathematics import (
    AGE,
    Chain,
    Inner,
    Keeps,
    Leafwise,
    Mathematics,
    Stepwise,
    Treewise,
    inner_of,
    innermost,
    is_numeric,
)
from gradtx.core.numerics import cast, real_dtype, widen
from gradtx.core.trees import check_pair, mapped

STEP = "step"
Path = tuple[str, ...]


@dataclass(frozen=True)
class Program:
    """The mathematics of one stage, and nothing that varies: it compares by what it computes, whatever it is called."""

    name: str = field(compare=False)
    update: Any
    keeps: Keeps
    needs: tuple[str, ...]
    options: tuple[tuple[str, type, Any], ...]  # each with its type, for 1, 1.0 and True are equal
    axes: Any = None  # by which it sees an array as matrices
    functions: tuple[tuple[str, Code], ...] = ()  # those that a step was given as extra arguments

    @cached_property
    def _hash(self) -> int:
        return hash((self.update, self.keeps, self.needs, self.options, self.axes, self.functions))

    def __hash__(self) -> int:
        return self._hash

    @cached_property
    def closure(self) -> Any:
        """A function that it calls and that was given, or made inside another, or None."""
        given = (code.owner for _, code in self.functions)
        parts = getattr(self.update, "parts", [self.update])
        return next(given, None) or closure_of([*parts, *(x for _, _, x in self.options)])

    def __call__(
        self, value: Any, kept: dict[str, Any], age: Any, params: Any, arguments: dict[str, Any], *first: Any
    ) -> tuple[Any, dict[str, Any]]:
        """The new value and what is kept then; `first` comes before the other arguments, as the `run` of a wrapper."""
        if self.axes is None:
            return self.call(value, kept, age, params, arguments, *first)
        shape = jax.tree.leaves(value)[0].shape
        seen = self.axes.seen(shape)

        def view(x: Any) -> Any:
            return self.axes.matrices(jnp.broadcast_to(x, shape) if x.ndim == 0 else x)

        def one(value: Any, kept: dict[str, Any], p: Any) -> tuple[Any, dict[str, Any]]:
            value, kept = self.call(value, kept, age, p, arguments)
            # A number for each matrix becomes one for each entry, for the next stage sees the array.
            return jax.tree.map(lambda y: jnp.broadcast_to(y, seen[-2:]) if y.ndim == 0 else y, value), kept

        value, params = jax.tree.map(view, (value, params))
        value, kept = mapped(one, len(seen) - 2)(value, kept, params)
        return jax.tree.map(lambda y: self.axes.array(y, shape), value), kept

    def call(
        self, value: Any, kept: dict[str, Any], age: Any, params: Any, arguments: dict[str, Any], *first: Any
    ) -> tuple[Any, dict[str, Any]]:
        """The same of an array as it is, or of one matrix."""
        options = {key: x for key, _, x in self.options}
        if "axes" in self.needs:
            options["axes"] = self.axes
        arguments = {**arguments, **{name: code(arguments[name]) for name, code in self.functions}}
        s = self.keeps.pack(jax.tree.map(widen, kept), age)
        result = self.update(*first, value, s, params, **arguments, **options)
        check_pair(result, f"stage {self.name!r}")
        new = self.keeps.unpack(result[1], self.name)
        structure: Any = jax.tree.structure(new)
        born: Any = jax.tree.structure(kept)
        if structure != born:
            raise ValueError(
                f"stage {self.name!r} returned {structure} as what it keeps; it was made as {born}, and a state keeps "
                "its structure."
            )
        return result[0], jax.tree.map(partial(_as_before, self.name), new, kept)


@per_program(inline=True)
def call_program(program: Program, *arguments: Any) -> tuple[Any, dict[str, Any]]:
    """A treewise stage. Un-jitted it is compiled by itself; inside a trace it is one function among others."""
    return program(*arguments)


def _as_before(name: str, x: Any, old: Any) -> Any:
    """A new state array in the shape and dtype that its predecessor was born with."""
    if jnp.shape(x) != old.shape:
        raise ValueError(
            f"stage {name!r} was given an array that makes its state {jnp.shape(x)} where it was made {old.shape}: "
            "the gradient does not have the shape of the parameter that the state was made for."
        )
    return cast(x, old.dtype)


@dataclass(frozen=True)
class LeafProgram:
    """Fused leafwise stages as one function of one array."""

    programs: tuple[Program, ...]
    names: tuple[str, ...]  # in a profile

    @cached_property
    def _hash(self) -> int:
        return hash((self.programs, self.names))

    def __hash__(self) -> int:
        return self._hash

    @cached_property
    def closure(self) -> Any:
        """A function that it calls and that was made inside another, or None."""
        return next((x.closure for x in self.programs if x.closure is not None), None)

    def seen_by(self, axes: tuple[Any, ...]) -> LeafProgram:
        """The same for an array that its stages see by these axes."""
        programs = zip(self.programs, axes, strict=True)
        return replace(self, programs=tuple(replace(program, axes=one) for program, one in programs))

    def __call__(self, row: tuple[Any, ...], shared: tuple[dict[str, Any], ...]) -> tuple[Any, list[tuple[Any, ...]]]:
        value, kept, p, index = row
        value, p = jax.tree.map(widen, (value, p))
        shape = value.shape if isinstance(value, jax.Array) else None
        real = real_dtype(jnp.result_type(*jax.tree.leaves((value, p, jax.tree.map(widen, kept)))))
        new_kept = []
        for program, numbers, held in zip(self.programs, shared, kept, strict=True):
            age = numbers.get(AGE)
            arguments: dict[str, Any] = {key: cast(x, real) for key, x in numbers.items() if key != AGE}
            arguments.update((key, x) for key, x in (("index", index), (AGE, age)) if key in program.needs)
            fields = dict(zip(program.keeps.fields, held, strict=True))
            with jax.named_scope(program.name):
                value, fields = program(value, fields, age, p if "params" in program.needs else None, arguments)
            new_kept.append(tuple(fields[name] for name in program.keeps.fields))
        if isinstance(value, jax.Array) and shape is not None and value.shape != shape:
            raise ValueError(
                f"the update has shape {shape}, but its state or parameter makes it {value.shape}: nothing broadcasts."
            )
        return jax.tree.map(cast, value), new_kept


@dataclass(frozen=True)
class Placed:
    """A stage in its place: the path of names under which its state is kept, and its program."""

    path: Path
    mathematics: Leafwise | Treewise
    program: Program

    @cached_property
    def name(self) -> str:
        """Its path in one word."""
        return "/".join(self.path)

    @cached_property
    def kept(self) -> dict[str, Path]:
        """The path in the state of each thing that the stage keeps."""
        return {name: (*self.path, name) for name in self.mathematics.kept}


class Fused(NamedTuple):
    """Neighbouring leafwise stages, and the program that they make."""

    stages: tuple[Placed, ...]
    program: LeafProgram


@dataclass(frozen=True)
class Plan:
    """A transformation made ready to run.

    Attributes:
      name: what errors call it.
      clock: where its steps are counted.
      counts: whether it counts them itself; otherwise it shares the counter of what it is part of.
      stages: its stages in order.
      parts: its stages in order, those that are fused taken together.
      inner: the plans of what its wrappers wrap, by the paths of the wrappers.
    """

    name: str
    clock: Path
    counts: bool
    stages: tuple[Placed, ...]
    parts: tuple[Fused | Placed, ...]
    inner: Mapping[Path, Plan]

    @cached_property
    def all_stages(self) -> tuple[Placed, ...]:
        """The stages, and those inside them."""
        return (*self.stages, *(stage for plan in self.inner.values() for stage in plan.all_stages))

    @cached_property
    def kept(self) -> tuple[Path, ...]:
        """Where anything is kept, here and inside."""
        paths = [self.clock] if self.counts else []
        for stage in self.stages:
            paths.extend([stage.path] if getattr(stage.mathematics, "foreign", False) else stage.kept.values())
        paths.extend(path for plan in self.inner.values() for path in plan.kept)
        return tuple(dict.fromkeys(paths))

    @cached_property
    def counters(self) -> frozenset[Path]:
        """Where steps are counted: the clocks, here and inside, and the ages."""
        clocks = [self.clock, *(plan.clock for plan in self.inner.values())]
        return frozenset([*clocks, *(stage.kept[AGE] for stage in self.all_stages if AGE in stage.kept)])

    @cached_property
    def records(self) -> dict[Path, Any]:
        """Where a NamedTuple stands in the state, and of which class; what else stands in its place makes it a dict."""
        standing: dict[Path, set[str]] = {}
        for path in self.kept:
            for depth, name in enumerate(path):
                standing.setdefault(path[:depth], set()).add(name)
        forms = {stage.path: stage.mathematics.keeps.form for stage in self.all_stages}
        return {path: x for path, x in forms.items() if set(getattr(x, "_fields", ())) == standing.get(path)}

    @cached_property
    def wanted(self) -> tuple[tuple[str, str], ...]:
        """What stages ask of `update`, each with the name of the stage."""
        return tuple((need, stage.name) for stage in self.all_stages for need in stage.mathematics.asks)


def make_plan(mathematics: Mathematics, name: str) -> Plan:
    """Lay a transformation flat, and fuse what can be."""
    # A chain's stages stand at the top of the state, a single stage under its name, wrapped or not.
    whole, stage_name = innermost(mathematics, name)
    root = () if isinstance(whole, Chain) else (stage_name,)
    return _make_plan(name, mathematics, root, root, (STEP,), True)


def _make_plan(name: str, mathematics: Mathematics, path: Path, root: Path, clock: Path, counts: bool) -> Plan:
    stages, inner = [], {}
    for place, stage in _lay_flat(mathematics, path):
        within = inner_of(stage)
        if within is not None:
            its_clock = clock
            if _may_skip(within):  # its place counts steps of its own
                taken: Iterable[str] = getattr(innermost(stage, "")[0], "kept", ())
                its_clock = (STEP,) if place == root else (*place, _free(STEP, taken))
            plan = _make_plan(name, within.mathematics, place, root, its_clock, within.skips)
            taken = (p[len(place)] for p in plan.kept if len(p) > len(place) and p[: len(place)] == place)
            place = (*place, _free(within.wrapper or "wrapping", taken))  # noqa: PLW2901
            inner[place] = plan
        # Named from where this plan stands, so that the same rule in two groups of arrays is one program.
        called = "/".join(place[len(path) :]) or place[-1]
        options = tuple((key, type(x), x) for key, x in stage.hyperparameters.items() if not is_numeric(x))
        stages.append(Placed(place, stage, Program(called, stage.update, stage.keeps, stage.needs, options)))
    parts: list[Fused | Placed] = []
    for treewise, group in groupby(stages, lambda stage: isinstance(stage.mathematics, Treewise)):
        neighbours = tuple(group)
        programs = tuple(x.program for x in neighbours)
        parts.extend(
            neighbours if treewise else [Fused(neighbours, LeafProgram(programs, tuple(x.name for x in programs)))]
        )
    return Plan(name, clock, counts, tuple(stages), tuple(parts), inner)


def _lay_flat(mathematics: Mathematics, path: Path) -> Iterator[tuple[Path, Leafwise | Treewise]]:
    """The stages in the order in which they run, chains within chains laid flat, each with the path of its names."""
    if isinstance(mathematics, Chain):
        for name, stage in mathematics.stages.items():
            yield from _lay_flat(stage, (*path, name))
    elif isinstance(mathematics, Stepwise):
        yield path, Leafwise(multiply, None, Keeps(), (), {"value": mathematics})
    else:
        yield path, mathematics


def multiply(u: jax.Array, s: None, p: None, value: jax.Array) -> tuple[jax.Array, None]:
    """What a schedule does as a stage."""
    return value * u, s


def _may_skip(inner: Inner) -> bool:
    """Whether a wrapper, or one right inside it, may leave a step out."""
    deeper = inner_of(inner.mathematics)
    return inner.skips or (deeper is not None and _may_skip(deeper))


def _free(name: str, taken: Iterable[str]) -> str:
    """The name, with a number if it is taken."""
    taken, free, count = set(taken), name, 2
    while free in taken:
        free, count = f"{name}_{count}", count + 1
    return free
