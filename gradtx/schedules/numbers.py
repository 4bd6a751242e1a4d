"""Numeric arguments of schedules, and powers of rates close to 1."""

from __future__ import annotations

import math
from typing import Any

import jax.numpy as jnp
import numpy as np
from jax import Array

from gradtx.core import Schedule, stepwise
from gradtx.core.numerics import scalar_dtype


def is_static(x: Any) -> bool:
    """Whether a number is known when the schedule is built."""
    return isinstance(x, int | float | np.number | np.ndarray) and np.shape(x) == ()


def unless_one(power: Any) -> Any:
    """A power, or None if it is known to be 1 and need not be computed."""
    return None if is_static(power) and power == 1 else power


def times(a: Any, b: Any) -> Any:
    """The product of two numeric arguments, in double precision if both are known."""
    if isinstance(a, Schedule) or isinstance(b, Schedule):
        return stepwise(_times, a=a, b=b)
    if isinstance(a, Array) or isinstance(b, Array):
        return jnp.asarray(a, scalar_dtype()) * jnp.asarray(b, scalar_dtype())
    product = np.asarray(a, np.float64) * np.asarray(b, np.float64)
    return product if np.shape(product) else float(product)


def _times(step: Array, a: Array, b: Array) -> Array:
    return a * b


def split_rate(rate: Any) -> tuple[Any, float]:
    """A rate that float32 holds exactly, and the logarithm of the factor between it and `rate`.

    Rounded to float32, 0.9999 is off by 2e-8, and its power 100 000 by 2e-3.
    """
    if isinstance(rate, Schedule) or not is_static(rate):
        return rate, 0.0
    with np.errstate(over="ignore", under="ignore"):
        rounded = float(np.float32(rate))
    if rounded == 0 or math.isinf(rounded):
        return float(rate), 0.0
    return rounded, math.log1p((float(rate) - rounded) / rounded)


def rate_to_power(rate: Array, residue: Array, whole: Array, fraction: Array | float = 0.0) -> Array:
    """Raise the rate that `split_rate` split to the power whole + fraction, both of them floating and at least 0.

    Growth stops far below the largest number, so that neither the power nor a derivative overflows.
    """
    limit = 0.9 * math.log(jnp.finfo(scalar_dtype()).max)
    too_much = (whole + fraction) * (jnp.log(jnp.maximum(rate, 1.0)) + residue) > limit
    whole, fraction = (jnp.where(too_much, 0.0, x) for x in (whole, fraction))
    grown = _power(rate, whole) * _power(rate, fraction) * jnp.exp((whole + fraction) * residue)
    return jnp.where(too_much, math.exp(limit), grown)


def _power(rate: Array, exponent: Array) -> Array:
    # The inner `where` keeps the derivative finite at a rate of 0.
    some = exponent > 0
    return jnp.where(some, rate ** jnp.where(some, exponent, 1.0), 1.0)
