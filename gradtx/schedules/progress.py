"""How far a step is from the marks of a schedule, without rounding.

float32 holds no odd number above 2^24, and an int32 step cannot be compared with a mark at 1e10. So differences are
taken between integers where they fit, and only then divided.

A mark is a Python number of any size, which is taken exactly, or a traced array.
"""

from __future__ import annotations

import math
from typing import Any

import jax.numpy as jnp
import numpy as np
from jax import Array

from gradtx.core.numerics import scalar_dtype


def as_step(step: Any) -> Array:
    """A step as an array of at least 32 bits; one that is not an integer is converted to the dtype of scalars."""
    step = jnp.asarray(step)
    if not jnp.issubdtype(step.dtype, jnp.integer):
        return step.astype(scalar_dtype())
    return step if step.dtype.itemsize == 8 else step.astype(jnp.int32)


def largest(step: Array) -> int:
    """The largest integer that a step can be."""
    return int(jnp.iinfo(step.dtype).max) if jnp.issubdtype(step.dtype, jnp.integer) else 2**63 - 1


def as_float(step: Array) -> Array:
    """A step in the dtype of hyperparameters."""
    return step.astype(scalar_dtype())


def reached(step: Array, mark: Any) -> Array:
    """Whether `step` is at `mark` or beyond."""
    if isinstance(mark, Array):
        return as_float(step) >= mark
    mark = math.ceil(mark)
    return jnp.zeros_like(step, bool) if mark > largest(step) else step >= max(mark, 0)


def elapsed(step: Array, begin: int, at_most: int | None = None) -> Array:
    """The number of steps since `begin`, 0 before it, and no more than `at_most`."""
    if begin > largest(step):
        return jnp.zeros_like(step)
    since = jnp.maximum(step, begin) - begin
    return since if at_most is None else jnp.minimum(since, min(at_most, largest(step)))


def cycles(step: Array, length: int) -> tuple[Array, Array]:
    """How many cycles of `length` steps are over, and how many steps have passed since the last one."""
    if length > largest(step):
        return jnp.zeros_like(step), step
    return step // length, step % length


def after(step: Array, mark: Any) -> Array:
    """The number of steps since `mark`, 0 before it; not a whole number if `mark` is not one."""
    if isinstance(mark, Array):
        return jnp.maximum(as_float(step) - mark, 0.0)
    if mark < 0:
        return as_float(step) - float(mark)
    whole = math.floor(mark)
    since = as_float(elapsed(step, whole))
    return jnp.maximum(since - (mark - whole), 0.0) if mark > whole else since


def before(step: Array, mark: Any) -> Array:
    """The number of steps until `mark`, 0 after it; not a whole number if `mark` is not one."""
    if isinstance(mark, Array):
        return jnp.maximum(mark - as_float(step), 0.0)
    whole, last = math.floor(mark), largest(step)
    if whole > last:
        return as_float(last - step) + float(mark - last)
    left = as_float(whole - jnp.minimum(step, whole))
    return jnp.where(step <= whole, left + (mark - whole), 0.0) if mark > whole else left


def ramp(step: Array, begin: Any, end: Any) -> tuple[Array, Array]:
    """The fractions of the way from one mark to another that are left and done.

    They are 1 and 0 before the first mark, and 0 and 1 after the second. Each keeps all its digits where it is small.
    If the marks coincide, the way is done at once.
    """
    length = end - begin
    over = as_float(reached(step, end))
    if isinstance(length, Array):
        has_length = length > 0
        left, done = _fractions(step, begin, end, jnp.where(has_length, length, 1.0))
        return jnp.where(has_length, left, 1.0 - over), jnp.where(has_length, done, over)
    return _fractions(step, begin, end, float(length)) if length > 0 else (1.0 - over, over)


def _fractions(step: Array, begin: Any, end: Any, length: Any) -> tuple[Array, Array]:
    return jnp.minimum(before(step, end) / length, 1.0), jnp.minimum(after(step, begin) / length, 1.0)


def growing_ramp(step: Array, length: int, multiplier: int) -> tuple[Array, Array, Array]:
    """The number of the cycle that `step` is in, and the fractions of it that are left and done.

    Each cycle is `multiplier` times as long as the one before it.
    """
    last = largest(step)
    begins, lengths = [0], [length]
    while begins[-1] + lengths[-1] <= last:
        begins.append(begins[-1] + lengths[-1])
        lengths.append(lengths[-1] * multiplier)
    ends = [begin + n for begin, n in zip(begins, lengths, strict=True)]
    # An end may lie beyond the largest step: what fits is subtracted as an integer, the excess is added as a float.
    near_ends = [min(end, last) for end in ends]
    excesses = [float(end - near) for end, near in zip(ends, near_ends, strict=True)]

    cycle = jnp.sum(step[..., None] >= np.array(begins, step.dtype), axis=-1) - 1
    begin, near_end = (jnp.array(np.array(marks, step.dtype))[cycle] for marks in (begins, near_ends))
    size, excess = (jnp.array(np.array(x, scalar_dtype()))[cycle] for x in (lengths, excesses))
    return cycle, (as_float(near_end - step) + excess) / size, as_float(step - begin) / size
