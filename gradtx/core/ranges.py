"""What an argument may be, as a type: `@transformation` reads it from the annotation, and checks what it is given.

A number that is traced, or that follows a schedule, passes unchecked. `X | None` lets None pass.
"""

from __future__ import annotations

import operator
from collections.abc import Callable
from dataclasses import dataclass
from typing import Annotated, Any

import jax
import numpy as np

from gradtx.core.mathematics import is_number
from gradtx.core.transformation import Schedule
from gradtx.core.trees import array_type

PyTree = Any


@dataclass(frozen=True)
class Range:
    """The numbers in [low, high), or in (low, high) or [low, high] if said so; all of them are finite."""

    low: float = -np.inf
    high: float = np.inf
    open_low: bool = False
    closed_high: bool = False
    remedy: str = ""

    def check(self, name: str, x: Any) -> Any:
        """The number, if it is in range.

        Raises:
          ValueError: if it is not, NaN included.
          TypeError: if it is neither a number nor a schedule.
        """
        if (type(x) is float and self.low < x < self.high) or isinstance(x, Schedule | jax.core.Tracer):
            return x
        if isinstance(x, bool) or not (is_number(x) or isinstance(x, int)):
            raise TypeError(f"{name} = {x!r} is not a number; expected a float, a scalar array or a schedule.")
        values = np.asarray(x, np.float64)
        is_open = self.open_low or self.low == -np.inf
        above = values > self.low if is_open else values >= self.low
        below = values <= self.high if self.closed_high else values < self.high
        if not np.all(above & below):
            bound = f" and {'at most' if self.closed_high else 'below'} {self.high:g}"
            upper = bound if self.high < np.inf else ", finite"
            raise ValueError(
                f"{name} = {x} is out of range: expected a number {'above' if is_open else 'at least'} "
                f"{self.low:g}{upper}.{' ' + self.remedy if self.remedy and np.any(values < 0) else ''}"
            )
        return x


@dataclass(frozen=True)
class AtLeast:
    """The whole numbers from `low` on, where a `reason` may say why from there."""

    low: int
    reason: str = ""
    may_follow: bool = False  # whether a schedule is taken too

    def check(self, name: str, x: Any) -> Any:
        """The number as a Python int, if it is in range.

        Raises:
          TypeError: if it is not a whole number.
          ValueError: if it is below `low`.
        """
        if self.may_follow and callable(x):
            return x
        whole = isinstance(x, float | np.floating) and float(x).is_integer()
        if isinstance(x, bool | np.bool_) or not (whole or isinstance(x, int | np.integer)):
            raise TypeError(
                f"{name} = {x!r} is not an int; expected a whole number of steps or calls, at least {self.low}."
            )
        x = int(x) if whole else operator.index(x)
        if x < self.low:
            raise ValueError(f"{name} = {x} is out of range: expected at least {self.low}{self.reason}.")
        return x


@dataclass(frozen=True)
class PerArray:
    """A label for every array, such as a bool: what is a NumPy or JAX scalar becomes the Python value that it is."""

    def check(self, name: str, labels: Any) -> Any:
        """The labels, all of them options and none of them numbers.

        Raises:
          ValueError: if one is traced.
        """
        return jax.tree.map(lambda x: self._label(name, x), labels)

    def _label(self, name: str, x: Any) -> Any:
        if isinstance(x, jax.core.Tracer):
            raise ValueError(
                f"{name} has a traced {array_type(x)} for a label; expected labels that are known when the "
                "transformation is made, such as True."
            )
        return x.item() if isinstance(x, np.generic | np.ndarray | jax.Array) and x.shape == () else x


@dataclass(frozen=True)
class OneOf:
    """The words of a `Literal`."""

    choices: tuple[Any, ...]

    def check(self, name: str, x: Any) -> Any:
        """The word, if it is one of them.

        Raises:
          ValueError: if it is not; the message lists them.
        """
        if x not in self.choices:
            expected = ", ".join(map(repr, self.choices))
            raise ValueError(f"{name} = {x!r} is none of the choices: expected one of {expected}.")
        return x


# A number, or a schedule of numbers. A parameter of this type also takes an int, for the float that it means, and a
# plain function of the step, for the schedule that it is.
ScalarOrSchedule = float | jax.Array | Schedule | Callable[[Any], Any]

Finite = Annotated[ScalarOrSchedule, Range()]
NonNegative = Annotated[ScalarOrSchedule, Range(0)]
Positive = Annotated[ScalarOrSchedule, Range(0, open_low=True)]
LearningRate = Annotated[ScalarOrSchedule, Range(0, remedy="To ascend, pass maximize=True to the optimizer.")]
Fraction = Annotated[ScalarOrSchedule, Range(0, 1)]
Count = Annotated[int, AtLeast(0)]
PositiveCount = Annotated[int, AtLeast(1)]
CountOrSchedule = Annotated[int | Schedule | Callable[[Any], Any], AtLeast(1, may_follow=True)]

# Which arrays: a pytree of bools, of the structure of params or a prefix of it, a function that makes one of params, or
# a pattern such as "*/bias".
Mask = Annotated[PyTree, PerArray()]
