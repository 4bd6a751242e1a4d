"""How far a step is from the marks of a schedule, with all its digits.

float32 holds no odd number above 2^24, and an int32 step cannot be compared with a mark of 1e10. So differences are
taken in whole numbers where they fit, and only then become fractions.

A mark is a Python number, of any size and taken exactly, or an array that is traced.
"""

import math
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from gradtx.core.numerics import scalar_dtype

Array = jax.Array


def as_step(step: Any) -> Array:
    """A step in a dtype wide enough to count in; one that is not whole, in that of the scalars."""
    step = jnp.asarray(step)
    if not jnp.issubdtype(step.dtype, jnp.integer):
        return step.astype(scalar_dtype())
    return step if step.dtype.itemsize == 8 else step.astype(jnp.int32)


def largest(step: Array) -> int:
    """The largest whole number that a step can be."""
    return int(jnp.iinfo(step.dtype).max) if jnp.issubdtype(step.dtype, jnp.integer) else 2**63 - 1


def as_float(step: Array) -> Array:
    """A step in the dtype of hyperparameters."""
    return step.astype(scalar_dtype())


def reached(step: Array, mark: Any) -> Array:
    """Whether `step` is at `mark` or beyond."""
    if isinstance(mark, jax.Array):
        return as_float(step) >= mark
    mark = math.ceil(mark)
    return jnp.zeros_like(step, bool) if mark > largest(step) else step >= max(mark, 0)


def elapsed(step: Array, begin: int, at_most: int | None = None) -> Array:
    """The whole steps since `begin`, 0 before it; not more than `at_most`."""
    if begin > largest(step):
        return jnp.zeros_like(step)
    since = jnp.maximum(step, begin) - begin
    return since if at_most is None else jnp.minimum(since, min(at_most, largest(step)))


def cycles(step: Array, length: int) -> tuple[Array, Array]:
    """How many times `length` is over, and how many whole steps since the last time."""
    if length > largest(step):
        return jnp.zeros_like(step), step
    return step // length, step % length


def after(step: Array, mark: Any) -> Array:
    """The steps since `mark`, a fraction where it is one; 0 before it."""
    if isinstance(mark, jax.Array):
        return jnp.maximum(as_float(step) - mark, 0.0)
    if mark < 0:
        return as_float(step) - float(mark)
    whole = math.floor(mark)
    since = as_float(elapsed(step, whole))
    return jnp.maximum(since - (mark - whole), 0.0) if mark > whole else since


def before(step: Array, mark: Any) -> Array:
    """The steps until `mark`, a fraction where it is one; 0 beyond it."""
    if isinstance(mark, jax.Array):
        return jnp.maximum(mark - as_float(step), 0.0)
    whole, last = math.floor(mark), largest(step)
    if whole > last:
        return as_float(last - step) + float(mark - last)
    whole_left = as_float(whole - jnp.minimum(step, whole))
    return jnp.where(step <= whole, whole_left + (mark - whole), 0.0) if mark > whole else whole_left


def ramp(step: Array, begin: Any, end: Any) -> tuple[Array, Array]:
    """How much of the way from one mark to another is left and how much is done: 1 and 0 before it, 0 and 1 beyond.

    Each is small with all its digits. A way of no length is done at once.
    """
    over = as_float(reached(step, end))
    length = end - begin
    if not isinstance(length, jax.Array):
        if length <= 0:
            return 1.0 - over, over
        return tuple(jnp.minimum(x / float(length), 1.0) for x in (before(step, end), after(step, begin)))  # type: ignore[return-value]
    some = length > 0
    length = jnp.where(some, length, 1.0)
    left, done = (jnp.minimum(x / length, 1.0) for x in (before(step, end), after(step, begin)))
    return jnp.where(some, left, 1.0 - over), jnp.where(some, done, over)


def growing_ramp(step: Array, length: int, multiplier: int) -> tuple[Array, Array, Array]:
    """The number of the cycle that `step` is in, each `multiplier` times as long as the last, and its ramp."""
    starts, lengths = [0], [length]
    while starts[-1] + lengths[-1] <= largest(step):
        starts.append(starts[-1] + lengths[-1])
        lengths.append(lengths[-1] * multiplier)
    ends = [start + n for start, n in zip(starts, lengths, strict=True)]
    near_ends = [min(end, largest(step)) for end in ends]
    beyond = [float(end - near) for end, near in zip(ends, near_ends, strict=True)]

    cycle = jnp.sum(step[..., None] >= np.array(starts, step.dtype), axis=-1) - 1
    begin, near_end = (jnp.array(np.array(marks, step.dtype))[cycle] for marks in (starts, near_ends))
    size, rest = (jnp.array(np.array(x, scalar_dtype()))[cycle] for x in (lengths, beyond))
    return cycle, (as_float(near_end - step) + rest) / size, as_float(step - begin) / size
