"""Transformations in a row."""

from __future__ import annotations

import inspect
import itertools
import keyword
from collections.abc import Callable, Mapping
from typing import Any, NamedTuple, Protocol

from gradtx.core.factory import transformation
from gradtx.core.mathematics import Array, Chain, Keeps, Treewise, innermost, last_stage
from gradtx.core.plan import STEP
from gradtx.core.source import source
from gradtx.core.transformation import GradientTransformation


class TransformationLike(Protocol):
    """What `chain` takes for a stage: a transformation, or a pair from another library, such as Optax's."""

    @property
    def init(self) -> Any:
        """`init(params) -> state`."""

    @property
    def update(self) -> Any:
        """`update(updates, state, params) -> (updates, state)`."""


def chain(*stages: TransformationLike, **named: TransformationLike) -> GradientTransformation:
    """One transformation after another: the updates of each are what the next is given.

    The state is a dict of the stages' states by name, with one step counter for all, chains within chains included.
    A stage goes by the name of the factory that made it, or by the one given here; a wrapped one by its own.

    Args:
      *stages: transformations; also pairs from another library, such as Optax's, with `init` and `update`, and plain
        tuples `(init, update)`. A second stage of the same name becomes `name_2`.
      **named: further transformations, called as given.

    Returns:
      A transformation; a `Schedule` if all of the stages are schedules: their product.

    Raises:
      TypeError: if a stage is no transformation, if two have one name, if one gives what the next does not take, or if
        one stands after a stage that is to be the last, such as a line search.

    Example:
      >>> import gradtx
      >>> tx = gradtx.chain(clip=gradtx.clip_by_global_norm(1.0), adam=gradtx.adam(1e-3))
      >>> tx.replace(clip=gradtx.clip(0.5)).stages["clip"]
      clip(max_delta=0.5)
    """
    arguments: dict[str, Any] = {}
    for stage in stages:
        name, count = _name(stage), 2
        while name in arguments:
            name, count = f"{_name(stage)}_{count}", count + 1
        arguments[name] = stage
    for name, stage in named.items():
        if name in arguments:
            raise TypeError(f"chain: two stages are called {name!r}; give one of them another name.")
        arguments[name] = stage
    if STEP in arguments:
        raise TypeError(f"chain: {STEP!r} is the name of the step counter; give the stage another name.")
    for name in arguments:
        if not name.isidentifier() or keyword.iskeyword(name):
            raise TypeError(f"chain: a stage cannot be called {name!r}; give it a name that a variable could have.")
    remedy = "Give transformations one by one, chain(first, second) or chain(name=first)."
    return in_a_row(
        **{name: as_transformation(stage, f"chain: stage {name!r}", remedy) for name, stage in arguments.items()}
    )


@transformation
def _chain(**stages: GradientTransformation) -> GradientTransformation:
    """Transformations in a row, by names that may be any."""
    mathematics = {name: stage.mathematics for name, stage in stages.items()}
    for before, after in itertools.pairwise(mathematics):
        gives, takes = mathematics[before].gives, mathematics[after].takes
        if gives is not takes:
            raise TypeError(
                f"chain: stage {before!r} gives {_called(gives)}, but stage {after!r} after it takes {_called(takes)}. "
                f"Put a stage between them that takes {_called(gives)} and gives {_called(takes)}, or reorder them."
            )
        last = last_stage(mathematics[before], before)
        if last is not None:
            where = f"{last!r}" if last == before else f"{last!r} in {before!r}"
            raise TypeError(
                f"chain: stage {after!r} stands after {where}, which is to be the last: its step was chosen as it is, "
                f"and a change would undo that. Put {after!r} before it."
            )
    record: Any = Chain(mathematics)
    return record


in_a_row = _chain


def _called(flowing: Any) -> str:
    return "arrays" if flowing is Array else flowing.__name__


def _name(stage: Any) -> str:
    """The factory's name, that of what a wrapper wraps, or for a pair from elsewhere that of what made its update."""
    if isinstance(stage, GradientTransformation):
        return innermost(stage.mathematics, stage.name)[1]
    maker = stage[1] if _is_tuple_of_functions(stage) else getattr(stage, "update", stage)
    name = getattr(maker, "__qualname__", type(stage).__name__).split(".")[0]
    return name if name.isidentifier() else "foreign"


def _is_tuple_of_functions(stage: Any) -> bool:
    return type(stage) is tuple and len(stage) == 2 and all(map(callable, stage))


def as_transformation(stage: Any, what: str, remedy: str = "") -> GradientTransformation:
    """A transformation as it is, and a pair from another library as one. `what` is what an error calls it.

    Raises:
      TypeError: if it is neither.
    """
    if isinstance(stage, GradientTransformation):
        return stage
    if _is_tuple_of_functions(stage):
        return foreign(Pair(*stage))
    if not (callable(getattr(stage, "init", None)) and callable(getattr(stage, "update", None))):
        given = (
            f"the function {stage.__name__}: call it, {stage.__name__}(...)"
            if inspect.isfunction(stage)
            else source(stage)
        )
        raise TypeError(f"{what} is not a transformation (no init and update), but {given}. {remedy}".rstrip())
    return foreign(stage)


class Pair(NamedTuple):
    """A plain pair of functions, by their names."""

    init: Callable[..., Any]
    update: Callable[..., Any]


@transformation
def foreign(pair: Any) -> GradientTransformation:
    """A pair from elsewhere as a transformation: its state is kept as it comes, under the stage's name.

    Args:
      pair: anything with `init(params)` and `update(updates, state, params)`; if its update takes keyword arguments,
        it is given all extra ones.
    """

    def update(updates: Any, state: Any, params: Any, **extra: Any) -> tuple[Any, Any]:
        return pair.update(updates, state, params, **(extra if takes_extra else {}))

    parameters: Mapping[str, inspect.Parameter] = inspect.signature(pair.update).parameters
    takes_extra = any(p.kind is p.VAR_KEYWORD for p in parameters.values())
    record: Any = Treewise(update, pair.init, Keeps(), (), {}, foreign=True)
    return record
