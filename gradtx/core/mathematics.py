"""What transformations are made of: mathematics of the step, of one array, or of all arrays, and chains of these.

These are plain records. The factories `stepwise`, `leafwise`, `treewise`, `wrapping` and `chain` make them, and the
engine runs them. `tx.mathematics` is the record of a transformation.
"""

from __future__ import annotations

import typing
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property, partial
from typing import Annotated, Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np

from gradtx.core.trees import array_type

Array = jax.Array
PyTree = Any

# A field of what a treewise stage keeps that is a tree like the parameters. Every other field is the stage's own, such
# as a scalar.
LIKE_PARAMS = "like the parameters"
ParamsLike = Annotated[PyTree, LIKE_PARAMS]

# How many updates a statistic has seen: a field of this name in a state, and a need of this name, are the engine's.
AGE = "age"
# What the engine itself hands to mathematics that declares the need; every other need is an extra argument of `update`.
GIVEN = ("params", "index", "axes", AGE)


@dataclass(frozen=True)
class Keeps:
    """What a stage keeps: nothing, a field of one name, fields of several names, or those of a NamedTuple class."""

    form: str | tuple[str, ...] | type[Any] | None = None

    @cached_property
    def fields(self) -> tuple[str, ...]:
        """The names of the fields, without the age, which the engine counts."""
        names = (self.form,) if isinstance(self.form, str) else getattr(self.form, "_fields", self.form or ())
        return tuple(name for name in names if name != AGE)

    @cached_property
    def like_params(self) -> tuple[str, ...]:
        """The fields that a treewise stage declares to be trees like the parameters."""
        if not isinstance(self.form, type):
            return self.fields
        hints = typing.get_type_hints(self.form, include_extras=True)
        return tuple(name for name in self.fields if LIKE_PARAMS in getattr(hints[name], "__metadata__", ()))

    def pack(self, values: Mapping[str, Any], age: Any) -> Any:
        """What is kept, in the form in which its stage knows it."""
        if self.form is None or isinstance(self.form, str):
            return None if self.form is None else values[self.form]
        if isinstance(self.form, tuple):
            return tuple(values[name] for name in self.form)
        return self.form(**{name: age if name == AGE else values[name] for name in self.form._fields})

    def zeros(self, p: Array) -> Any:
        """What is kept for one array at first, unless its stage says otherwise."""
        return self.pack({name: jnp.zeros_like(p) for name in self.fields}, 0)

    def unpack(self, kept: Any, stage: str) -> dict[str, Any]:
        """The fields of what is kept, by name.

        Raises:
          TypeError: if it does not have the form that was declared; the message names the stage.
        """
        if isinstance(self.form, str):
            return {self.form: kept}
        if isinstance(self.form, tuple) and type(kept) is tuple and len(kept) == len(self.form):
            return dict(zip(self.form, kept, strict=True))
        if kept is None if self.form is None else isinstance(self.form, type) and isinstance(kept, self.form):
            return {name: getattr(kept, name) for name in self.fields}
        declared = "nothing, because keeps= is not given" if self.form is None else self.form
        raise TypeError(
            f"stage {stage!r} returned {array_type(kept)} as what it keeps; it is declared to keep "
            f"{getattr(declared, '__name__', declared)}."
        )


class Stage:
    """What all mathematics but a chain has."""

    needs: tuple[str, ...]
    hyperparameters: Mapping[str, Any]

    @cached_property
    def schedules(self) -> dict[str, Mathematics]:
        """The hyperparameters that are schedules; those of a `Varied` by name and label."""
        found = dict(pair for name, x in self.hyperparameters.items() for pair in _values(name, x))
        return {name: x for name, x in found.items() if is_schedule(x)}

    @property
    def asks(self) -> Iterator[str]:
        """What it and its schedules ask of `update` besides updates and state."""
        yield from (name for name in self.needs if name == "params" or name not in GIVEN)
        for schedule in self.schedules.values():
            yield from needs(schedule)

    @cached_property
    def stateful(self) -> dict[str, Mathematics]:
        """The hyperparameters that are schedules with a state."""
        return {name: x for name, x in self.schedules.items() if keeps_state(x)}


@dataclass(frozen=True)
class Stepwise(Stage):
    """The value of a schedule: a scalar that follows the step."""

    value: Callable[..., Any]
    init: Callable[[], Any] | None
    needs: tuple[str, ...]
    hyperparameters: Mapping[str, Any]
    takes: Any = Array
    gives: Any = Array


@dataclass(frozen=True)
class Leafwise(Stage):
    """Mathematics of one array, lifted to trees. A `last` stage gives the step itself, which nothing may change."""

    update: Callable[..., tuple[Any, Any]]
    init: Callable[[Any], Any] | None
    keeps: Keeps
    needs: tuple[str, ...]
    hyperparameters: Mapping[str, Any]
    takes: Any = Array
    gives: Any = Array
    last: bool = False
    axes: Any = None  # a function that gives the axes of arrays, which are then seen as matrices

    @property
    def alike(self) -> tuple[str, ...]:
        """The fields that are trees like the parameters."""
        return self.keeps.fields

    @property
    def own(self) -> tuple[str, ...]:
        """The fields that are not, such as scalars of a treewise stage."""
        return tuple(name for name in self.keeps.fields if name not in self.alike)

    @cached_property
    def has_age(self) -> bool:
        """Whether it counts the updates that it has seen, which it, or a schedule of its own, asks for."""
        return AGE in getattr(self.keeps.form, "_fields", ()) or _needs_age(self)

    @cached_property
    def kept(self) -> tuple[str, ...]:
        """The names of all that it keeps: its fields, its age, and its hyperparameters with a state."""
        return (*self.keeps.fields, *((AGE,) if self.has_age else ()), *self.stateful)


@dataclass(frozen=True)
class Treewise(Leafwise):
    """Mathematics that needs all arrays at once. With an `inner` it is a wrapper, which is also handed a `run` of that.

    A `foreign` one is a pair from another library: it is given all extra arguments, and its state is kept as it comes.
    """

    foreign: bool = False
    inner: Inner | None = None

    @property
    def alike(self) -> tuple[str, ...]:
        return self.keeps.like_params


@dataclass(frozen=True)
class Matrixwise(Treewise):
    """Mathematics of one matrix, run on all matrices of a tree. An array that is not a matrix passes unchanged."""

    update: Any  # which is `Stacks`

    @property
    def alike(self) -> tuple[str, ...]:
        return () if self.update.stacked else self.keeps.fields


class Inner(NamedTuple):
    """What a wrapper wraps, and how it treats it."""

    mathematics: Mathematics
    name: str
    wrapper: str = ""  # the name of the wrapper itself, under which its own state stands
    skips: bool = False  # whether it may leave a step out
    view: Callable[[PyTree, PyTree], PyTree] | None = None  # what the inner one sees of a tree like the parameters
    reads: Callable[..., PyTree] | None = None  # the parameters to evaluate with
    holds: bool = False  # whether it holds itself when a step inside was not taken


@dataclass(frozen=True)
class Chain:
    """Mathematics in a row, by name."""

    stages: Mapping[str, Mathematics]

    @property
    def takes(self) -> Any:
        """What flows into the first stage."""
        return next((stage.takes for stage in self.stages.values()), Array)

    @property
    def gives(self) -> Any:
        """What flows out of the last stage."""
        return next((stage.gives for stage in reversed(list(self.stages.values()))), Array)


Mathematics = Stepwise | Leafwise | Treewise | Chain


@partial(jax.tree_util.register_dataclass, data_fields=["values", "labels"], meta_fields=[])
@dataclass(frozen=True)
class Varied:
    """A hyperparameter that differs from array to array: a number or a schedule for each label.

    A leafwise stage is given the number of its array, a treewise stage a tree of numbers like the updates. A value may
    be `Varied` itself. The label "" is that of arrays for which nothing is said.
    """

    values: Mapping[Any, Any]
    labels: Callable[[PyTree, str], list[Any]]  # from params, and who asks, to a label for each leaf


def value_name(name: str, label: Any) -> str:
    """How the value for a label of a hyperparameter that varies is called."""
    return name if label == "" else f"{name}[{label}]"


def _values(name: str, x: Any) -> Iterator[tuple[str, Any]]:
    """A hyperparameter, or each of its values if it varies, by name."""
    if isinstance(x, Varied):
        for label, value in x.values.items():
            yield from _values(value_name(name, label), value)
    else:
        yield name, x


def is_number(x: Any) -> bool:
    """Whether a value is a number that may vary: a float, or an array. An int, like a bool, is an option."""
    return isinstance(x, (float, np.inexact, np.ndarray, jax.Array)) or (
        isinstance(x, np.generic) and jax.dtypes.issubdtype(x.dtype, np.inexact)
    )


def is_schedule(x: Any) -> bool:
    """Whether this is the mathematics of a scalar that follows the step: stepwise, or a product of such."""
    if isinstance(x, Chain):
        return bool(x.stages) and all(map(is_schedule, x.stages.values()))
    return isinstance(x, Stepwise)


def is_numeric(x: Any) -> bool:
    """Whether a hyperparameter becomes a scalar at each step. Everything else is an option."""
    return is_number(x) or is_schedule(x) or isinstance(x, Varied)


def keeps_state(schedule: Mathematics) -> bool:
    """Whether a schedule keeps a state, so that its value is not a function of the step alone."""
    if isinstance(schedule, Chain):
        return any(map(keeps_state, schedule.stages.values()))
    return schedule.init is not None or bool(schedule.stateful)


def needs(mathematics: Mathematics) -> Iterator[str]:
    """What mathematics, its schedules and what it wraps ask of `update` besides updates and state."""
    if isinstance(mathematics, Chain):
        for stage in mathematics.stages.values():
            yield from needs(stage)
    else:
        yield from mathematics.asks
        if (inner := inner_of(mathematics)) is not None:
            yield from needs(inner.mathematics)


def last_stage(mathematics: Mathematics, name: str) -> str | None:
    """The name of the stage after which there may be no other, through wrappers of whole trees; None without one.

    A wrapper that shows what it wraps some of the arrays only may be followed by one of the others.
    """
    if isinstance(mathematics, Chain):
        return next((found for key, x in mathematics.stages.items() if (found := last_stage(x, key))), None)
    inner = inner_of(mathematics)
    if inner is not None:
        return None if inner.view is not None else last_stage(inner.mathematics, inner.name)
    return name if getattr(mathematics, "last", False) else None


def _needs_age(mathematics: Mathematics) -> bool:
    if isinstance(mathematics, Chain):
        return any(map(_needs_age, mathematics.stages.values()))
    return AGE in mathematics.needs or any(map(_needs_age, mathematics.schedules.values()))


def inner_of(mathematics: Mathematics) -> Inner | None:
    """What a wrapper wraps; None for anything else."""
    return mathematics.inner if isinstance(mathematics, Treewise) else None


def innermost(mathematics: Mathematics, name: str) -> tuple[Mathematics, str]:
    """What a wrapper wraps, through any nesting, and its name; anything else is that itself."""
    while (inner := inner_of(mathematics)) is not None:
        mathematics, name = inner.mathematics, inner.name
    return mathematics, name
