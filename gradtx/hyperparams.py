"""The hyperparameters of a transformation at the step where its state stands."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp

from gradtx.core import GradientTransformation, Schedule
from gradtx.core.factory import introduced
from gradtx.core.mathematics import AGE, Chain, Mathematics, is_number, keeps_state, needs
from gradtx.core.numerics import scalar_dtype
from gradtx.core.patterns import ByPattern, texts
from gradtx.core.plan import Path, Plan
from gradtx.core.scalars import evaluate
from gradtx.core.state import Held, open_state

PyTree = Any


def hyperparams(tx: GradientTransformation, state: PyTree, **extra: Any) -> dict[str, Any]:
    """Every number of a transformation by name, as the next update will use it, inside or outside a trace.

    Args:
      tx: the transformation.
      state: its state. With the state before a step, the numbers are those of that step.
      **extra: extra arguments of that update that schedules need, such as the loss of a `plateau`. One that is missing
        is taken for NaN, for which a plateau stays as it is.

    Returns:
      A dict by the names of factories and their arguments: "adamw/learning_rate", with those of the groups, chains and
      stages that it stands in before it: "embed.*/adamw/learning_rate". Schedules are evaluated.

    Raises:
      ValueError: if the state belongs to another transformation.

    Example:
      >>> import gradtx, jax.numpy as jnp
      >>> tx = gradtx.chain(gradtx.clip_by_global_norm(1.0), gradtx.sgd(gradtx.linear(0.1, 0.0, 10)))
      >>> params = jnp.zeros(1)
      >>> updates, state = tx.update(params, tx.init(params))
      >>> {name: f"{value:.2f}" for name, value in gradtx.hyperparams(tx, state).items()}
      {'clip_by_global_norm/max_norm': '1.00', 'sgd/learning_rate': '0.09'}
    """
    plan, held = tx.plan, open_state(tx.plan, state)
    uses = list(_uses(plan, held))
    first = _Use((), held[plan.clock], None, held[plan.clock])

    def value(x: Any, place: Path) -> Any:
        if not isinstance(x, Schedule):
            return jnp.asarray(x, scalar_dtype()) if isinstance(x, jax.Array) else scalar_dtype().type(x)
        # One schedule may be used in several groups, each of which counts its own steps.
        here = (use for schedule, use in uses if schedule is x.mathematics and use.stage[: len(place)] == place)
        use = next(here, None)
        if use is None and x.stages:  # a product that is a stage is laid flat
            return math.prod(value(part, place) for part in x.stages.values())
        use = use or first
        known = {**dict.fromkeys(needs(x.mathematics), jnp.nan), **extra, AGE: use.age}
        return evaluate(x.mathematics, use.step, use.state, known)[0]

    return {name: value(x, place) for name, x, place in numbers(tx)}


class _Use(NamedTuple):
    """Where a schedule is used: by which stage, the step and the age there, and what it keeps."""

    stage: Path
    step: Any
    state: Any
    age: Any


def _uses(plan: Plan, held: Held) -> Iterator[tuple[Mathematics, _Use]]:
    for stage in plan.stages:
        within = plan.inner.get(stage.path)
        step = held[(within or plan).clock]
        for name, schedule in stage.mathematics.schedules.items():
            state = held[stage.kept[name]] if name in stage.kept else None
            age = held[stage.kept[AGE]] if AGE in stage.kept else step
            yield from _parts(schedule, _Use(stage.path, step, state, age))
        if within is not None:
            yield from _uses(within, held)


def _parts(schedule: Mathematics, use: _Use) -> Iterator[tuple[Mathematics, _Use]]:
    """A schedule, and the schedules that it is made of."""
    yield schedule, use
    parts = schedule.stages if isinstance(schedule, Chain) else schedule.schedules
    for name, part in parts.items():
        yield from _parts(part, use._replace(state=use.state[name] if keeps_state(part) else None))


def numbers(tx: GradientTransformation) -> Iterator[tuple[str, Any, Path]]:
    """Every number and schedule among the arguments of a transformation, and of those that it is made of.

    Each with its name, and with where in the state the transformation stands that it is an argument of.
    """
    yield from _numbers(tx, (), called(tx))


def called(tx: GradientTransformation) -> Path:
    """What a transformation goes by: its name, or that of what it wraps; a chain or groups by those of its members."""
    wrapped = wrapped_by(tx)
    if wrapped is not None:
        return called(wrapped)
    return () if isinstance(tx.mathematics, Chain) and members(tx) else (tx.name,)


def wrapped_by(tx: GradientTransformation) -> GradientTransformation | None:
    """What a wrapper wraps; None for anything else."""
    found = [x for x in tx.arguments.values() if is_transformation(x)]
    return found[0] if len(found) == 1 and not members(tx) else None


def is_transformation(x: Any) -> bool:
    """Whether this is a transformation that is more than a number."""
    return isinstance(x, GradientTransformation) and not isinstance(x, Schedule)


def members(tx: GradientTransformation) -> dict[str, GradientTransformation]:
    """The stages of `chain(...)`, or the transformations of groups, by the names under which their states stand."""
    if tx.arguments and tx.stages.keys() == tx.arguments.keys():
        return dict(tx.stages)
    found = {}
    for x in tx.arguments.values():
        if isinstance(x, Mapping):
            labels = texts(x) if isinstance(x, ByPattern) else {key: str(key) for key in x}
            found.update({labels[key]: inner for key, inner in x.items() if is_transformation(inner)})
    return found


def _numbers(tx: GradientTransformation, place: Path, shown: Path) -> Iterator[tuple[str, Any, Path]]:
    """As `numbers`; `place` is where its state stands, `shown` what it is called."""
    if isinstance(tx, Schedule):
        yield "/".join(shown), tx, place
        return
    inner = wrapped_by(tx)
    own = shown if inner is None else (*shown[:-1], tx.name)
    for argument, x in tx.arguments.items():
        if is_number(x) or isinstance(x, Schedule):
            yield "/".join((*own, argument)), x, place
        elif isinstance(x, ByPattern) and inner is not None:
            for pattern, label in texts(x).items():
                if isinstance(x[pattern], Mapping):
                    yield from _changes(inner, x[pattern], place, shown, label)
    if inner is not None:
        yield from _numbers(inner, place, shown)
    for name, member in members(tx).items():
        # A stage goes by its name in the chain; what is in a group by its own name too.
        within = (*shown, name) if member in tx.stages.values() else (*shown, name, *called(member))
        yield from _numbers(member, (*place, name), within)


def _changes(
    tx: GradientTransformation, changes: Mapping[str, Any], place: Path, shown: Path, label: str
) -> Iterator[tuple[str, Any, Path]]:
    """The numbers of an override, called like those that they stand for, with the label."""
    for name, x in changes.items():
        if isinstance(x, Mapping):
            stage = name in members(tx)
            within = ((*place, name), (*shown, name)) if stage else (place, shown)
            yield from _changes(tx.arguments[name], x, *within, label)
        elif is_number(x) or isinstance(x, Schedule):
            yield f"{'/'.join((*shown, name))}[{label}]", introduced(x, f"{tx.name}/{name}"), place
