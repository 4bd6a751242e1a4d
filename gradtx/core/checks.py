"""Checks of arguments, made when a transformation is built. What is traced, or follows a schedule, goes unchecked."""

from typing import Any

import jax
import numpy as np

from gradtx.core.primitives import is_number
from gradtx.core.transformation import Schedule


def in_range(name: str, x: Any, low: float = 0.0, high: float = np.inf, *, open_low: bool = False) -> None:
    """Raise unless the number `x` lies in [low, high), or in (low, high).

    Raises:
      ValueError: if a number lies outside, NaN included.
      TypeError: if `x` is neither a number nor a schedule.
    """
    if isinstance(x, Schedule | jax.core.Tracer):
        return
    if not is_number(x) and not isinstance(x, int):
        raise TypeError(f"{name} = {x!r} is not a number; expected a float, a scalar array or a schedule.")
    values = np.asarray(x, np.float64)
    above = values > low if open_low else values >= low
    if not np.all(above & (values < high)):
        upper = f" and below {high:g}" if high < np.inf else ", finite"
        raise ValueError(
            f"{name} = {x} is out of range: expected a number {'above' if open_low else 'at least'} {low:g}{upper}."
        )


def finite(**values: Any) -> None:
    """Raise unless each value is a finite number, of either sign, or a schedule.

    Raises:
      ValueError: if a number is not finite.
      TypeError: if a value is no number.
    """
    for name, value in values.items():
        in_range(name, value, -np.inf, open_low=True)


def at_least(name: str, x: Any, low: int, reason: str = "") -> None:
    """Raise unless `x` is an int of at least `low`, where a `reason` may say why that much.

    Raises:
      TypeError: if `x` is no int.
      ValueError: if it is below `low`.
    """
    if isinstance(x, bool) or not isinstance(x, int | np.integer):
        raise TypeError(f"{name} = {x!r} is not an int; expected a whole number of steps or calls, at least {low}.")
    if x < low:
        raise ValueError(f"{name} = {x} is out of range: expected at least {low}{reason}.")
