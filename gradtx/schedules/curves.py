"""Curves from one value to another.

A shape takes how much of the way is left and how much is done, and gives the weights of the two values. The weights add
up to 1, and each is computed by itself: it is 1 less the other only in exact arithmetic, where nothing cancels.
"""

from collections.abc import Callable, Sequence
from typing import Any

import jax
import jax.numpy as jnp

from gradtx.core.progress import ramp, reached

Array = jax.Array
Shape = Callable[[Array, Array], tuple[Array, Array]]


def between(start: Array, end: Array, weights: tuple[Array, Array]) -> Array:
    """The average of two values by these weights."""
    return start * weights[0] + end * weights[1]


def through(step: Array, marks: Sequence[Any], values: Sequence[Array], shape: Shape) -> Array:
    """From values[0] at step 0 to values[1] at marks[0], and so on; the last value beyond the last mark."""
    value, begin = values[0], 0
    for mark, start, end in zip(marks, values[:-1], values[1:], strict=True):
        value = jnp.where(reached(step, begin), between(start, end, shape(*ramp(step, begin, mark))), value)
        begin = mark
    return value


def linear_shape(left: Array, done: Array) -> tuple[Array, Array]:
    """What is left, and what is done, as they are."""
    return left, done


def cosine_shape(left: Array, done: Array) -> tuple[Array, Array]:
    """(1 + cos(pi x)) / 2 = sin(pi (1 - x) / 2)^2, and the same from the other end."""
    return jnp.square(jnp.sin(0.5 * jnp.pi * left)), jnp.square(jnp.sin(0.5 * jnp.pi * done))


def root_shape(left: Array, done: Array) -> tuple[Array, Array]:
    """1 - sqrt(x) = (1 - x) / (1 + sqrt(x))."""
    root = jnp.sqrt(done)
    return left / (1.0 + root), root


def power_shape(left: Array, done: Array, power: Array | None) -> tuple[Array, Array]:
    """left^power, and 1 less that; None is a power of 1."""
    if power is None:
        return left, done
    some = left > 0
    early = done < 0.5
    logarithm = jnp.where(early, jnp.log1p(-jnp.where(early, done, 0.0)), jnp.log(jnp.where(some, left, 1.0)))
    gone = jnp.where(some, -jnp.expm1(power * logarithm), jnp.where(power > 0, 1.0, 0.0))
    return left**power, gone


SHAPES: dict[str, Shape] = {"linear": linear_shape, "cosine": cosine_shape, "1-sqrt": root_shape}
