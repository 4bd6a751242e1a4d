"""What transformations are made of underneath: mathematics of one array, of all arrays, of the step; and their chain.

Plain records. `leafwise`, `treewise`, `stepwise` and `chain` make them; the engine runs them.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import jax
import numpy as np

Array = jax.Array


@dataclass(frozen=True)
class Stepwise:
    """A scalar that follows the step: the value of a schedule."""

    value: Callable[..., Any]
    init: Callable[[], Any] | None
    needs: tuple[str, ...]
    hyperparameters: Mapping[str, Any]
    takes: Any = Array
    gives: Any = Array


@dataclass(frozen=True)
class Leafwise:
    """Mathematics of one array, lifted to trees."""

    update: Callable[..., tuple[Any, Any]]
    init: Callable[[Array], Any] | None
    keeps: Any  # None, the name of one array, or a NamedTuple class of several
    needs: tuple[str, ...]
    hyperparameters: Mapping[str, Any]
    takes: Any = Array
    gives: Any = Array

    @property
    def fields(self) -> tuple[str, ...]:
        """The names of what is kept for each array."""
        if self.keeps is None:
            return ()
        return (self.keeps,) if isinstance(self.keeps, str) else self.keeps._fields


@dataclass(frozen=True)
class Treewise:
    """Mathematics that needs all arrays at once; if `foreign`, a pair from elsewhere, given all extra arguments."""

    update: Callable[..., tuple[Any, Any]]
    init: Callable[[Any], Any] | None
    needs: tuple[str, ...]
    hyperparameters: Mapping[str, Any]
    takes: Any = Array
    gives: Any = Array
    foreign: bool = False


@dataclass(frozen=True)
class Chain:
    """Primitives in a row, by name."""

    stages: Mapping[str, "Primitive"]

    @property
    def takes(self) -> Any:
        return next((stage.takes for stage in self.stages.values()), Array)

    @property
    def gives(self) -> Any:
        return next((stage.gives for stage in reversed(list(self.stages.values()))), Array)


@dataclass(frozen=True, eq=False)
class Labels:
    """A label for every array."""

    source: Any  # a tree of labels, of the parameters' structure or a prefix of it, or a function that makes one
    known: tuple[Any, ...]
    called: str  # how an error names it


@dataclass(frozen=True, eq=False)
class Selected:
    """A primitive for some of the arrays only, those with this label. All others pass by."""

    inner: "Primitive"
    labels: Labels
    label: Any
    takes: Any = Array
    gives: Any = Array


class Pair(NamedTuple):
    """An update beside what it was made of, arrays of one shape."""

    update: Array
    given: Array


@dataclass(frozen=True)
class Marker:
    """A point in a chain: where what flows is remembered, or where it meets in `Pair`s what was remembered last."""

    meets: bool
    needs: tuple[str, ...] = ()
    init: None = None
    hyperparameters: Mapping[str, Any] = field(default_factory=dict)
    takes: Any = Array
    gives: Any = Array


@dataclass(frozen=True, eq=False)
class Beside:
    """A primitive, and mathematics that is given its update beside what the primitive itself was given."""

    inner: "Primitive"
    name: str | None  # that of `join`; None if it stands in the wrapper's own place, and `inner` keeps nothing
    join: Leafwise | Treewise
    takes: Any = Array
    gives: Any = Array


Primitive = Stepwise | Leafwise | Treewise | Chain | Selected | Beside | Marker


def is_schedule(primitive: Any) -> bool:
    """Whether this is a scalar of the step: stepwise mathematics, or a product of such."""
    if isinstance(primitive, Chain):
        return bool(primitive.stages) and all(map(is_schedule, primitive.stages.values()))
    return isinstance(primitive, Stepwise)


def has_names(primitive: Primitive) -> bool:
    """Whether the state of a primitive is a dict by names of its own: that of a chain, bare or wrapped."""
    if isinstance(primitive, Beside):
        return primitive.name is not None and (keeps_state(primitive.join) or has_names(primitive.inner))
    return isinstance(primitive, Chain) or (isinstance(primitive, Selected) and has_names(primitive.inner))


def is_number(x: Any) -> bool:
    """Whether a value is a number that may vary: a float, or an array. An int, like a bool, is an option."""
    return isinstance(x, (float, np.inexact, np.ndarray, jax.Array))


def is_numeric(x: Any) -> bool:
    """Whether a hyperparameter becomes a scalar at each step: a number or a schedule. All else is an option."""
    return is_number(x) or is_schedule(x)


def keeps_state(primitive: Primitive) -> bool:
    """Whether a primitive has a state of its own: known from what it is, never from what it made of some tree."""
    if isinstance(primitive, Chain):
        return any(map(keeps_state, primitive.stages.values()))
    if isinstance(primitive, Selected):
        return keeps_state(primitive.inner)
    if isinstance(primitive, Beside):
        return keeps_state(primitive.inner) or keeps_state(primitive.join)
    own = primitive.keeps if isinstance(primitive, Leafwise) else primitive.init
    return own is not None or any(map(keeps_state, schedules(primitive).values()))


def schedules(primitive: Stepwise | Leafwise | Treewise | Marker) -> dict[str, Primitive]:
    """Those of the hyperparameters that are schedules."""
    return {name: x for name, x in primitive.hyperparameters.items() if is_schedule(x)}


def changes(primitive: Primitive) -> bool:
    """Whether a schedule's value can differ from one step to the next."""
    if isinstance(primitive, Chain):
        return any(map(changes, primitive.stages.values()))
    assert isinstance(primitive, Stepwise)
    return primitive.value is not hold or any(map(changes, schedules(primitive).values()))


def hold(step: Array, value: Array) -> Array:
    """The value function of a constant schedule."""
    return value


def needs(primitive: Primitive) -> Iterator[str]:
    """The extra arguments of `update` that a primitive asks for, itself or through its schedules."""
    if isinstance(primitive, Chain):
        for stage in primitive.stages.values():
            yield from needs(stage)
        return
    if isinstance(primitive, Selected | Beside):
        yield from needs(primitive.inner)
        if isinstance(primitive, Beside):
            yield from needs(primitive.join)
        return
    yield from (name for name in primitive.needs if name not in RESERVED)
    for schedule in schedules(primitive).values():
        yield from needs(schedule)


# What the library itself hands to a stage that declares it; every other need is an extra argument of `update`.
RESERVED = ("params", "index")


class Stage(NamedTuple):
    """A primitive in its place: the path of names under which its state is kept, and the selections it stands in."""

    path: tuple[str, ...]
    primitive: Leafwise | Treewise | Marker
    selections: tuple[Selected, ...] = ()

    @property
    def name(self) -> str:
        return "/".join(self.path)


def multiply(u: Array, s: None, p: None, value: Array) -> tuple[Array, None]:
    """What a schedule does as a stage."""
    return value * u, s


def lay_flat(primitive: Primitive, path: tuple[str, ...]) -> Iterator[Stage]:
    """The stages of a primitive in the order in which they run, chains within chains laid flat."""
    if isinstance(primitive, Chain):
        for name, stage in primitive.stages.items():
            yield from lay_flat(stage, (*path, name))
    elif isinstance(primitive, Selected):
        for inner in lay_flat(primitive.inner, path):
            yield inner._replace(selections=(primitive, *inner.selections))
    elif isinstance(primitive, Beside):
        own = keeps_state(primitive.join)
        yield Stage(path, Marker(meets=False))
        yield from lay_flat(primitive.inner, (*path, "inner") if own else path)
        yield Stage(path, Marker(meets=True))
        yield Stage(path if primitive.name is None else (*path, primitive.name), primitive.join)
    elif isinstance(primitive, Stepwise):
        yield Stage(path, Leafwise(multiply, None, None, (), {"value": primitive}))
    else:
        yield Stage(path, primitive)
