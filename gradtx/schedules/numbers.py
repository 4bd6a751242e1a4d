"""Arguments of schedules: checked, and turned into the numbers that the rules need."""

import math
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from gradtx.core import Schedule, stepwise
from gradtx.core.numerics import scalar_dtype

Array = jax.Array


def one_of(name: str, x: Any, choices: Any) -> None:
    """Raise unless `x` is one of the choices.

    Raises:
      ValueError: if it is none of them; the message lists them.
    """
    if x not in choices:
        raise ValueError(f"{name} = {x!r} is none of the choices: expected one of {', '.join(map(repr, choices))}.")


def unless_one(power: Any) -> Any:
    """A power, or None if it is known to be 1."""
    return None if is_static(power) and power == 1 else power


def is_static(x: Any) -> bool:
    """Whether a number is known while the schedule is built."""
    return isinstance(x, int | float | np.number | np.ndarray) and np.shape(x) == ()


def times(a: Any, b: Any) -> Any:
    """The product of two numeric arguments, in double precision where both are known."""
    if isinstance(a, Schedule) or isinstance(b, Schedule):
        return stepwise(_times, a=a, b=b)
    if isinstance(a, jax.Array) or isinstance(b, jax.Array):
        return jnp.asarray(a, scalar_dtype()) * jnp.asarray(b, scalar_dtype())
    product = np.asarray(a, np.float64) * np.asarray(b, np.float64)
    return product if np.shape(product) else float(product)


def _times(step: Array, a: Array, b: Array) -> Array:
    return a * b


def split_rate(rate: Any) -> tuple[Any, float]:
    """A rate as one that float32 holds exactly, and the logarithm of what it is multiplied by to give `rate`.

    0.9999 in float32 is off by 2e-8, and its power 100 000 by 2e-3.
    """
    if isinstance(rate, Schedule) or not is_static(rate):
        return rate, 0.0
    with np.errstate(over="ignore", under="ignore"):
        rounded = float(np.float32(rate))
    if rounded == 0 or math.isinf(rounded):
        return float(rate), 0.0
    return rounded, math.log1p((float(rate) - rounded) / rounded)


def power(rate: Array, residue: Array, whole: Array, part: Array | float = 0.0) -> Array:
    """The rate that `split_rate` took apart to the power of whole + part, which are floating and at least 0.

    Growth ends far below the largest number, so that neither it nor a derivative overflows.
    """
    limit = 0.9 * math.log(jnp.finfo(scalar_dtype()).max)
    too_much = (whole + part) * (jnp.log(jnp.maximum(rate, 1.0)) + residue) > limit
    whole, part = (jnp.where(too_much, 0.0, x) for x in (whole, part))
    grown = rate**whole * rate**part * jnp.exp((whole + part) * residue)
    return jnp.where(too_much, math.exp(limit), grown)
