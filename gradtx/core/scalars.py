"""The scalars of a step: every hyperparameter is evaluated once, before any array is touched."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from gradtx.core.mathematics import (
    AGE,
    GIVEN,
    Chain,
    Mathematics,
    Stage,
    Stepwise,
    Varied,
    is_number,
    is_schedule,
    keeps_state,
    value_name,
)
from gradtx.core.numerics import cast, scalar_dtype

POPULATION = (
    "a hyperparameter is one number. To train a population, one member per entry, use jax.vmap over the transformation."
)


def as_scalar(x: Any, name: str, remedy: str = POPULATION) -> Any:
    """`x` as a scalar of the one dtype that all hyperparameters share, however it was spelt.

    Raises:
      ValueError: if `x` is not a scalar.
      TypeError: if it is complex.
    """
    name = name.removeprefix("one_minus_")  # the user has given b1, of which a stage is given 1 - b1
    if np.shape(x) != ():
        raise ValueError(f"{name} has shape {np.shape(x)}; {remedy}")
    if np.iscomplexobj(x):
        raise TypeError(f"{name} is complex; expected a real number.")
    if isinstance(x, jax.Array):
        return cast(x, scalar_dtype())
    return np.asarray(x, scalar_dtype())[()]


def evaluate(schedule: Mathematics, step: Any, state: Any, extra: Mapping[str, Any]) -> tuple[Any, Any]:
    """The value of a schedule at `step`, and its next state, which is None if it keeps none.

    `extra` holds the extra arguments of the update, and the age of the stage that the schedule belongs to.
    """
    if isinstance(schedule, Chain):
        product, new = 1.0, {}
        for name, stage in schedule.stages.items():
            value, kept = evaluate(stage, step, (state or {}).get(name), extra)
            product = product * value
            if keeps_state(stage):
                new[name] = kept
        return product, new or None
    assert isinstance(schedule, Stepwise)
    kept, states = _split(schedule, state)
    scalars, states = resolve(schedule, step, states, extra)
    scalars.update(wanted(schedule, extra))
    if schedule.init is None:
        value = schedule.value(step, **scalars)
    else:
        value, new_kept = schedule.value(step, kept, **scalars)
        kept = jax.tree.map(lambda x, old: cast(x, old.dtype), new_kept, kept)
    return cast(value, scalar_dtype()), _join(kept, states)


def resolve(
    stage: Stage, step: Any, states: Mapping[str, Any], extra: Mapping[str, Any]
) -> tuple[dict[str, Any], dict[str, Any]]:
    """The hyperparameters at `step`, numbers and schedules as scalars, options as they are; and the next states."""
    new: dict[str, Any] = {}

    def value(name: str, x: Any) -> Any:
        if isinstance(x, Varied):
            return Varied({label: value(value_name(name, label), y) for label, y in x.values.items()}, x.labels)
        if not is_schedule(x):
            return as_scalar(x, name) if is_number(x) else x
        result, kept = evaluate(x, step, states.get(name), extra)
        if keeps_state(x):
            new[name] = kept
        return result if np.shape(step) else as_scalar(result, name)

    return {name: value(name, x) for name, x in stage.hyperparameters.items()}, new


def wanted(stage: Stage, extra: Mapping[str, Any]) -> dict[str, Any]:
    """The extra arguments that mathematics asks for, as scalars, and its age."""
    found = {name: extra[name] for name in stage.needs if name not in GIVEN}
    found = {name: as_scalar(x, name, "expected one number, such as the mean.") for name, x in found.items()}
    return {**found, AGE: extra[AGE]} if AGE in stage.needs else found


def init_scalars(schedule: Mathematics) -> Any:
    """The first state of a schedule: scalars only, each in a buffer of its own."""
    if isinstance(schedule, Chain):
        return {name: init_scalars(stage) for name, stage in schedule.stages.items() if keeps_state(stage)}
    assert isinstance(schedule, Stepwise)
    kept = None
    if schedule.init is not None:
        kept = jax.tree.map(
            lambda x: jnp.array(x, jnp.int32 if isinstance(x, int) else scalar_dtype()), schedule.init()
        )
    return _join(kept, {name: init_scalars(x) for name, x in schedule.stateful.items()})


def _join(kept: Any, states: Mapping[str, Any]) -> Any:
    """What a schedule keeps: its own numbers, and under their names the states of its hyperparameters."""
    if not states:
        return kept
    own = {} if kept is None else kept if isinstance(kept, dict) else kept._asdict()
    return {**own, **states}


def _split(schedule: Stepwise, state: Any) -> tuple[Any, Mapping[str, Any]]:
    """The two parts of what `_join` put together."""
    if not schedule.stateful:
        return state, {}
    first = None if schedule.init is None else schedule.init()
    if first is None or isinstance(first, dict):
        return first and {name: state[name] for name in first}, state
    return type(first)(**{name: state[name] for name in first._fields}), state
