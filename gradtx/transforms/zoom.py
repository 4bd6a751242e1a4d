"""The search along a line: a step that lessens a function of one number enough, from its values and slopes."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
from jax import Array, lax

PyTree = Any


class Point(NamedTuple):
    """A point of the line: how far it is, the value and the slope there, and the gradient of all parameters."""

    at: Array
    value: Array
    slope: Array
    grad: PyTree


class Rule(NamedTuple):
    """What is enough.

    value <= first value + decrease * at * first slope, and |slope| <= curvature |first slope|. Where values differ by
    their rounding only, `slack`, slopes tell what values cannot: slope <= (2 decrease - 1) first slope.
    """

    decrease: Array
    curvature: Array
    slack: Array
    least: Array  # steps that differ by less move no parameter
    most: int  # evaluations

    def is_low(self, x: Point, origin: Point) -> Array:
        """Whether the value is low enough."""
        low = x.value <= origin.value + self.decrease * x.at * origin.slope
        level = (x.value <= origin.value + self.slack) & (x.slope <= (2 * self.decrease - 1) * origin.slope)
        return low | level

    def is_flat(self, x: Point, origin: Point) -> Array:
        """Whether the slope is small enough."""
        return jnp.abs(x.slope) <= self.curvature * jnp.abs(origin.slope)


Evaluate = Callable[[Array], Point]


def backtrack(evaluate: Evaluate, origin: Point, first: Array, rule: Rule) -> tuple[Point, Array]:
    """Shorten the step until the value is low enough; the point, the origin if there is none, and the evaluations."""

    def more(carry: tuple[Point, Array]) -> Array:
        x, count = carry
        return (count < rule.most) & ~rule.is_low(x, origin) & (x.at > rule.least) & (origin.slope < 0)

    def shorter(carry: tuple[Point, Array]) -> tuple[Point, Array]:
        x, count = carry
        # The least of the parabola through the value and the slope of the origin and this value.
        at = x.at * (-origin.slope * x.at / (2 * (x.value - origin.value - origin.slope * x.at)))
        at = jnp.where(jnp.isfinite(at), jnp.clip(at, 0.1 * x.at, 0.5 * x.at), 0.1 * x.at)
        return evaluate(at), count + 1

    x, count = lax.while_loop(more, shorter, (evaluate(first), jnp.ones((), jnp.int32)))
    return pick(rule.is_low(x, origin) & (origin.slope < 0), x, origin), count


class _Zoom(NamedTuple):
    low: Point  # the best so far
    high: Point  # the other end of the bracket, once there is one
    x: Point
    bracketed: Array
    next: Array
    evaluations: Array
    done: Array


def zoom(evaluate: Evaluate, origin: Point, first: Array, rule: Rule) -> tuple[Point, Array]:
    """Lengthen the step until a minimum is bracketed, then close in on it, until value and slope are small enough.

    Returns the best point that is low enough, the origin if there is none, and the evaluations.
    """

    def go(z: _Zoom) -> _Zoom:
        x = evaluate(z.next)
        low_enough = rule.is_low(x, origin)
        # A point that is too high, or beyond a minimum, closes the bracket.
        high_up = ~low_enough | ((x.value >= z.low.value) & (z.low.at > 0)) | ~jnp.isfinite(x.value)
        beyond = ~high_up & jnp.where(z.bracketed, x.slope * (z.high.at - z.low.at) >= 0, x.slope >= 0)
        high = pick(high_up, x, pick(beyond, z.low, z.high))
        low = pick(high_up, z.low, x)
        bracketed = z.bracketed | high_up | beyond
        step = x.at - z.low.at
        outer = jnp.clip(_cubic(z.low, x), x.at + 1.1 * step, x.at + 4.0 * step)
        outer = jnp.where(jnp.isfinite(outer), outer, x.at + 4.0 * step)
        width = jnp.abs(high.at - low.at)
        closed = bracketed & (width <= jnp.maximum(4 * jnp.finfo(width.dtype).eps * jnp.abs(high.at), rule.least))
        done = (low_enough & rule.is_flat(x, origin)) | closed
        return _Zoom(low, high, x, bracketed, jnp.where(bracketed, _between(low, high), outer), z.evaluations + 1, done)

    unbracketed, none = jnp.zeros((), bool), jnp.zeros((), jnp.int32)
    start = _Zoom(origin, origin, origin, unbracketed, first, none, ~(origin.slope < 0))
    end = lax.while_loop(lambda z: ~z.done & (z.evaluations < rule.most), go, start)
    # The last point may be the better one where values differ by their rounding only.
    good = rule.is_low(end.x, origin) & (end.x.at > 0) & (rule.is_flat(end.x, origin) | (end.x.value <= end.low.value))
    return pick(good, end.x, end.low), end.evaluations


def pick(yes: Array, a: Point, b: Point) -> Point:
    """`a` where it is true, else `b`."""
    return jax.tree.map(lambda x, y: jnp.where(yes, x, y), a, b)


def _cubic(x: Point, y: Point) -> Array:
    """The minimum of the cubic through two values and slopes."""
    one = x.slope + y.slope - 3 * (x.value - y.value) / (x.at - y.at)
    size = jnp.maximum(jnp.abs(one), jnp.maximum(jnp.abs(x.slope), jnp.abs(y.slope)))  # for squares may overflow
    square = (one / size) ** 2 - (x.slope / size) * (y.slope / size)
    two = jnp.sign(y.at - x.at) * size * jnp.sqrt(jnp.maximum(square, 0))
    return y.at - (y.at - x.at) * (y.slope + two - one) / (y.slope - x.slope + 2 * two)


def _between(low: Point, high: Point) -> Array:
    """A trial inside a bracket: the cubic's minimum, kept off both ends; the parabola's if that is not to be had."""
    a, b = jnp.minimum(low.at, high.at), jnp.maximum(low.at, high.at)
    width, far = b - a, high.at - low.at
    parabola = low.at - far * (low.slope * far / (2 * (high.value - low.value - low.slope * far)))
    cubic = _cubic(low, high)
    x = jnp.where(jnp.isfinite(cubic), cubic, jnp.where(jnp.isfinite(parabola), parabola, a + 0.5 * width))
    # Where the far end is not finite nothing is known but that it is too far.
    return jnp.clip(jnp.where(jnp.isfinite(high.value), x, low.at + 0.1 * far), a + 0.1 * width, b - 0.1 * width)
