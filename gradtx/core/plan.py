"""Making a transformation ready to run: its stages laid flat and cut into runs.

Neighbouring leafwise stages make one run, and a run is one program per array, compiled once per distinct shape and
dtype. A treewise stage stands alone.
"""

from dataclasses import dataclass
from functools import cached_property, partial
from itertools import groupby
from typing import Any

import jax
import jax.numpy as jnp

from gradtx.core.numerics import cast, real_dtype, widen
from gradtx.core.primitives import (
    Leafwise,
    Primitive,
    Selected,
    Stage,
    Treewise,
    has_names,
    is_numeric,
    lay_flat,
    needs,
)


@dataclass(frozen=True)
class LeafProgram:
    """A run of leafwise stages as one function of one array, and of nothing else that varies.

    It compares by what it computes, so that two transformations built alike share their compiled programs.
    """

    names: tuple[str, ...]
    updates: tuple[Any, ...]
    options: tuple[tuple[tuple[str, type, Any], ...], ...]
    needs: tuple[tuple[str, ...], ...]

    @cached_property
    def _hash(self) -> int:
        return hash((self.names, self.updates, self.options, self.needs))

    def __hash__(self) -> int:
        return self._hash

    def __call__(self, row: tuple[Any, tuple, Any, Any], shared: tuple[dict[str, Any], ...]) -> tuple[Any, tuple]:
        value, slots, p, index = row
        value, p, wide = jax.tree.map(widen, (value, p, slots))
        shape = value.shape if isinstance(value, jax.Array) else None
        real = real_dtype(jnp.result_type(*jax.tree.leaves((value, p, wide))))
        new_slots = []
        for i, name in enumerate(self.names):
            arguments = {key: cast(x, real) for key, x in shared[i].items()}
            arguments.update((key, x) for key, _, x in self.options[i])
            if "index" in self.needs[i]:
                arguments["index"] = index
            with jax.named_scope(name):
                value, new = self.updates[i](value, wide[i], p if "params" in self.needs[i] else None, **arguments)
                new_slots.append(jax.tree.map(partial(settle, name), new, slots[i]))
        if isinstance(value, jax.Array) and shape is not None and value.shape != shape:
            raise ValueError(
                f"the update has shape {shape}, but its state or parameter makes it {value.shape}: nothing broadcasts."
            )
        return jax.tree.map(cast, value), tuple(new_slots)


@dataclass(frozen=True)
class TreeProgram:
    """A treewise stage as one function of trees, which compares by what it computes."""

    name: str
    update: Any
    options: tuple[tuple[str, type, Any], ...]

    def __call__(self, tree: Any, kept: Any, params: Any, arguments: dict[str, Any]) -> tuple[Any, Any]:
        with jax.named_scope(self.name):
            result, new = self.update(tree, kept, params, **arguments, **{key: x for key, _, x in self.options})
        if kept is not None:
            new = jax.tree.map(partial(settle, self.name), new, kept)
        return result, new


# Un-jitted, a treewise stage is compiled by itself; inside a trace it is one function among others.
call_tree_program = jax.jit(lambda program, *arguments: program(*arguments), static_argnums=0, inline=True)


def settle(name: str, x: Any, old: Any) -> Any:
    """A new state array in the shape and dtype that its predecessor was born with."""
    if jnp.shape(x) != old.shape:
        raise ValueError(
            f"stage {name!r} was given an array that makes its state {jnp.shape(x)} where it was made {old.shape}: "
            "the gradient does not have the shape of the parameter that the state was made for."
        )
    return cast(x, old.dtype)


@dataclass(frozen=True)
class Run:
    """Neighbouring leafwise stages by their paths, and the program they make."""

    stages: tuple[tuple[tuple[str, ...], Leafwise], ...]
    program: LeafProgram
    selections: tuple[Selected, ...]


@dataclass(frozen=True)
class Plan:
    """A transformation made ready to run: its name, its stages in order, and those cut into runs."""

    name: str
    stages: tuple[Stage, ...]
    wanted: tuple[tuple[str, str], ...]
    parts: tuple[Run | Stage, ...]


def make_plan(primitive: Primitive, name: str) -> Plan:
    """Lay a transformation flat and cut it into runs."""
    stages = tuple(lay_flat(primitive, () if has_names(primitive) else (name,)))
    parts: list[Run | Stage] = []
    for (leafwise, _), group in groupby(stages, _kind):
        neighbours = tuple(group)
        parts.extend([_make_run(neighbours)] if leafwise else neighbours)
    wanted = tuple((extra, stage.name) for stage in stages for extra in needs(stage.primitive))
    return Plan(name, stages, wanted, tuple(parts))


def _kind(stage: Stage) -> tuple[bool, tuple[int, ...]]:
    """What neighbours must share to make one run."""
    return isinstance(stage.primitive, Leafwise), tuple(map(id, stage.selections))


def _make_run(stages: tuple[Stage, ...]) -> Run:
    primitives: list[Any] = [stage.primitive for stage in stages]
    program = LeafProgram(
        names=tuple(stage.name for stage in stages),
        updates=tuple(primitive.update for primitive in primitives),
        options=tuple(map(_options, primitives)),
        needs=tuple(primitive.needs for primitive in primitives),
    )
    return Run(tuple(zip((stage.path for stage in stages), primitives, strict=True)), program, stages[0].selections)


def _options(primitive: Leafwise | Treewise) -> tuple[tuple[str, type, Any], ...]:
    """The hyperparameters that are not numeric; an option's type is told, for 1, 1.0 and True are equal."""
    return tuple((name, type(x), x) for name, x in primitive.hyperparameters.items() if not is_numeric(x))


def tree_program(stage: Stage) -> TreeProgram:
    """The program of a treewise stage."""
    assert isinstance(stage.primitive, Treewise)
    return TreeProgram(stage.name, stage.primitive.update, _options(stage.primitive))
