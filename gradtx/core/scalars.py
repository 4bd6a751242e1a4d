"""The scalars of a step: every hyperparameter evaluated once, before any array is touched."""

from collections.abc import Mapping
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from gradtx.core.numerics import cast, scalar_dtype
from gradtx.core.primitives import (
    RESERVED,
    Chain,
    Leafwise,
    Marker,
    Primitive,
    Stepwise,
    Treewise,
    is_number,
    is_schedule,
    keeps_state,
    schedules,
)

Scalars = dict[str, Any]


POPULATION = (
    "a hyperparameter is one number. To train a population, one member per entry, use jax.vmap over the transformation."
)


def as_scalar(x: Any, name: str, remedy: str = POPULATION) -> Any:
    """`x` as a scalar of the one dtype that all hyperparameters share, however it was spelt.

    Raises:
      ValueError: if `x` is not a scalar.
    """
    if np.shape(x) != ():
        raise ValueError(f"{name} has shape {np.shape(x)}; {remedy}")
    if isinstance(x, jax.Array):
        return cast(x, scalar_dtype())
    return np.asarray(x, scalar_dtype())[()]


def evaluate(primitive: Primitive, step: Any, state: Any, extra: Mapping[str, Any]) -> tuple[Any, Any]:
    """The value of a schedule at `step`, and its next state (None where it keeps none)."""
    if isinstance(primitive, Chain):
        product, new = 1.0, {}
        for name, stage in primitive.stages.items():
            value, kept = evaluate(stage, step, (state or {}).get(name), extra)
            product = product * value
            if keeps_state(stage):
                new[name] = kept
        return product, new or None
    assert isinstance(primitive, Stepwise)
    kept, schedule_states = unpack(primitive, state)
    scalars, schedule_states = resolve(primitive, step, schedule_states, extra)
    scalars.update(extras(primitive, extra))
    if primitive.init is None:
        value = primitive.value(step, **scalars)
    else:
        value, new = primitive.value(step, kept, **scalars)
        kept = jax.tree.map(lambda x, old: cast(x, old.dtype), new, kept)
    return cast(value, scalar_dtype()), pack(kept, schedule_states)


def resolve(
    primitive: Stepwise | Leafwise | Treewise, step: Any, states: Mapping[str, Any], extra: Mapping[str, Any]
) -> tuple[Scalars, dict[str, Any]]:
    """The hyperparameters of a primitive at `step`, numbers and schedules as scalars, options as they are."""
    scalars, new = {}, {}
    for name, x in primitive.hyperparameters.items():
        if is_schedule(x):
            scalars[name], kept = evaluate(x, step, states.get(name), extra)
            if keeps_state(x):
                new[name] = kept
        else:
            scalars[name] = as_scalar(x, name) if is_number(x) else x
    return scalars, new


def extras(primitive: Stepwise | Leafwise, extra: Mapping[str, Any]) -> Scalars:
    """Those extra arguments that a primitive asks for, as scalars."""
    return {
        name: as_scalar(extra[name], name, "expected one number, such as the mean.")
        for name in primitive.needs
        if name not in RESERVED
    }


def init_scalars(primitive: Primitive) -> Any:
    """The first state of a schedule: scalars only, each in a buffer of its own."""
    if isinstance(primitive, Chain):
        return {name: init_scalars(stage) for name, stage in primitive.stages.items() if keeps_state(stage)}
    assert isinstance(primitive, Stepwise)
    kept = None
    if primitive.init is not None:
        kept = jax.tree.map(
            lambda x: jnp.array(x, jnp.int32 if isinstance(x, int) else scalar_dtype()), primitive.init()
        )
    return pack(kept, init_schedules(primitive))


def init_schedules(primitive: Stepwise | Leafwise | Treewise | Marker) -> dict[str, Any]:
    """The first states of those hyperparameters that are schedules with a state."""
    return {name: init_scalars(x) for name, x in schedules(primitive).items() if keeps_state(x)}


def pack(kept: Any, schedule_states: Mapping[str, Any]) -> Any:
    """A stage's state: what it keeps itself, or what its stateful hyperparameters keep, by name; or both."""
    if not schedule_states:
        return kept
    return dict(schedule_states) if kept is None else {"own": kept, **schedule_states}


def unpack(primitive: Stepwise | Leafwise | Treewise, state: Any) -> tuple[Any, Mapping[str, Any]]:
    """The two parts of what `pack` put together."""
    if not any(map(keeps_state, schedules(primitive).values())):
        return state, {}
    return state.get("own"), state
