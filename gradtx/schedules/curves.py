"""Curves from one value to another.

A shape takes the fraction of a transition that is left and the fraction that is done, and gives the weights of the two
values. The weights add up to 1. Each is computed on its own, because the difference 1 - weight would lose digits.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import jax.numpy as jnp
from jax import Array

from gradtx.schedules.progress import ramp, reached

Shape = Callable[[Array, Array], tuple[Array, Array]]


def between(start: Array, end: Array, weights: tuple[Array, Array]) -> Array:
    """The weighted average of two values."""
    return start * weights[0] + end * weights[1]


def through(step: Array, marks: Sequence[Any], values: Sequence[Array], shape: Shape) -> Array:
    """Go from values[0] at step 0 to values[1] at marks[0], and so on; the last value holds from the last mark on."""
    value, begin = values[0], 0
    for mark, start, end in zip(marks, values[:-1], values[1:], strict=True):
        value = jnp.where(reached(step, begin), between(start, end, shape(*ramp(step, begin, mark))), value)
        begin = mark
    return value


def linear_shape(left: Array, done: Array) -> tuple[Array, Array]:
    """1 - x and x, for x = done."""
    return left, done


def cosine_shape(left: Array, done: Array) -> tuple[Array, Array]:
    """(1 + cos(pi x)) / 2 = sin(pi (1 - x) / 2)^2, and (1 - cos(pi x)) / 2 = sin(pi x / 2)^2."""
    return jnp.square(jnp.sin(0.5 * jnp.pi * left)), jnp.square(jnp.sin(0.5 * jnp.pi * done))


def root_shape(left: Array, done: Array) -> tuple[Array, Array]:
    """1 - sqrt(x) = (1 - x) / (1 + sqrt(x)), and sqrt(x)."""
    begun = done > 0  # the inner `where` keeps the derivative finite at the start
    root = jnp.where(begun, jnp.sqrt(jnp.where(begun, done, 1.0)), 0.0)
    return left / (1.0 + root), root


def power_shape(left: Array, done: Array, power: Array | None) -> tuple[Array, Array]:
    """left^power and 1 - left^power; None stands for a power of 1."""
    if power is None:
        return left, done
    # The inner `where`s keep derivatives finite where the outer one takes the other branch.
    is_left = left > 0
    early = done < 0.5
    logarithm = jnp.where(early, jnp.log1p(-jnp.where(early, done, 0.0)), jnp.log(jnp.where(is_left, left, 1.0)))
    complement = jnp.where(is_left, -jnp.expm1(power * logarithm), jnp.where(power > 0, 1.0, 0.0))
    return left**power, complement


SHAPES: dict[str, Shape] = {"linear": linear_shape, "cosine": cosine_shape, "1-sqrt": root_shape}
