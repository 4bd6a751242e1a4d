"""How far to go along an update: as far as the loss says."""

from __future__ import annotations

import functools
from collections.abc import Callable
from functools import partial
from typing import Any, Literal, NamedTuple

import jax
import jax.numpy as jnp
from jax import Array, lax

from gradtx.core import (
    Fraction,
    GradientTransformation,
    ParamsLike,
    PositiveCount,
    transformation,
    treewise,
)
from gradtx.core.numerics import cast, is_floating
from gradtx.core.trees import is_none
from gradtx.transforms import trees
from gradtx.transforms.vectors import dot, dtype_of, plus, polar, refuse_complex
from gradtx.transforms.zoom import Point, Rule, backtrack, zoom

PyTree = Any
Search = Literal["zoom", "backtracking"]
FirstStep = Literal["whole", "as_before"]


class LineSearchState(NamedTuple):
    """Where a line search arrived: the parameters, the loss and its gradient there, and how it got there.

    `step_size` is the factor of the update, 0 where no step was found; `gain` is by how much the step lessened the
    loss; `evaluations` counts all calls of the loss and its gradient since the beginning.
    """

    params: ParamsLike
    grad: ParamsLike
    value: Array
    step_size: Array
    gain: Array
    evaluations: Array


@transformation
def line_search(
    search: Search = "zoom",
    decrease: Fraction = 1e-4,
    curvature: Fraction = 0.9,
    max_evaluations: PositiveCount = 30,
    *,
    first_step: FirstStep = "whole",
    maximize: bool = False,
) -> GradientTransformation:
    """Go as far along the update as lessens the loss enough; the last stage of a chain.

    u = t u, where value(p + t u) <= value + decrease t <grad, u>
    and, for "zoom", |<grad(p + t u), u>| <= curvature |<grad, u>|

    Where rounding hides the decrease of the value, the slope decides (Hager and Zhang). A value that is NaN counts as
    infinite: a step does not leave where the loss is defined. Where no step is found, because the update does not point
    downhill or because a step moves no parameter any more, the update is zero. The derivative of a step takes t, and
    what is kept, for constants.

    `update` needs `value` and `grad`, the loss and its gradient at the parameters, and `value_fn`, the loss as a
    function of the parameters alone. What the search computed last is kept, so that `gradtx.value_and_grad` need not
    compute it again.

    Args:
      search: "zoom" brackets a minimum and closes in on it; "backtracking" shortens the step until the value is low
        enough, and never lengthens it.
      decrease: the part of the decrease that the slope foretells which is enough.
      curvature: the part of the slope that may be left; 0.1 for a tight search.
      max_evaluations: the most calls of the loss in one step. The best point counts, if it is low enough.
      first_step: where to try first: "whole", at the update as it is; "as_before", as far as would lessen the loss by
        what the last step did, at most the update, and at first at most at distance 1.
      maximize: climb instead; updates then are to point uphill, and `value` and `grad` are those of what is maximized.

    Returns:
      A transformation that keeps a `LineSearchState`, two arrays per array, and must be the last one of a chain.

    Raises:
      TypeError: when used, if an array is complex.

    References:
      Nocedal and Wright, 2006, Numerical Optimization, second edition, chapter 3.
      Hager and Zhang, 2005, A New Conjugate Gradient Method with Guaranteed Descent and an Efficient Line Search.

    Example:
      >>> import gradtx, jax, jax.numpy as jnp
      >>> loss = lambda p: jnp.sum((p - 3.0) ** 2)
      >>> tx = gradtx.chain(gradtx.scale_by_adam(), gradtx.scale(-1.0), gradtx.line_search("backtracking"))
      >>> params = jnp.zeros(2)
      >>> state = tx.init(params)
      >>> for _ in range(4):
      ...     value, grad = gradtx.value_and_grad(loss, state)(params)
      ...     updates, state = tx.update(grad, state, params, value=value, grad=grad, value_fn=loss)
      ...     params = gradtx.apply_updates(params, updates)
      >>> print(params)
      [3. 3.]
    """
    options: dict[str, Any] = {"search": search, "most": max_evaluations, "first_step": first_step}
    options.update(needs=("params", "value", "grad", "value_fn"), maximize=maximize, last=True)
    return treewise(_line_search, _nowhere, keeps=LineSearchState, decrease=decrease, curvature=curvature, **options)


def _nowhere(params: PyTree) -> LineSearchState:
    zero = jnp.zeros((), dtype_of(params))
    return LineSearchState(
        trees.zeros(params), trees.zeros(params), zero + jnp.inf, zero, zero, jnp.zeros((), jnp.int32)
    )


def _line_search(
    u: PyTree,
    s: LineSearchState,
    params: PyTree,
    decrease: Array,
    curvature: Array,
    value: Any,
    grad: PyTree,
    value_fn: Any,
    search: str,
    most: int,
    first_step: str,
    maximize: bool,
) -> tuple[PyTree, LineSearchState]:
    refuse_complex(u, "line_search")
    # Of what follows nothing is differentiated: a loop that ends when it may cannot be, backwards.
    value_fn = jax.tree.map(lambda x: lax.stop_gradient(x) if is_floating(x) else x, value_fn)
    s, params, value, decrease, curvature = lax.stop_gradient((s, params, value, decrease, curvature))
    sign = -1.0 if maximize else 1.0
    p, dtype = trees.wide(params), s.value.dtype
    fixed = lax.stop_gradient(jax.tree.map(lambda x, old: cast(x, old.dtype), u, p))
    # A step is measured by its length, along a direction of length one, so that slopes are no longer than gradients.
    direction, length = polar(fixed)
    length = cast(length, dtype)
    g = jax.tree.map(lambda x, y: None if x is None else sign * cast(y, x.dtype), fixed, grad, is_leaf=is_none)
    g = lax.stop_gradient(g)
    first = sign * cast(trees.loss(value, False), dtype)
    origin = Point(jnp.zeros((), dtype), first, cast(dot(direction, g), dtype), g)
    evaluate = partial(_evaluate, value_fn, sign, params, p, direction, dtype)
    tiny, eps = jnp.finfo(dtype).tiny, jnp.finfo(dtype).eps
    rule = Rule(
        cast(decrease, dtype),
        cast(curvature, dtype),
        10 * eps * jnp.maximum(jnp.abs(first), tiny),
        eps * cast(_least_ratio(p, direction), dtype),
        most,
    )
    trial = length if first_step == "whole" else _as_before(s.gain, origin, length)
    x, count = lax.stop_gradient((zoom if search == "zoom" else backtrack)(evaluate, origin, trial, rule))
    moved = x.at > 0
    factor = jnp.where(moved, x.at / jnp.where(moved, length, 1), 0)
    end = _moved(params, p, direction, x.at)
    arrived = jax.tree.map(lambda a, b: jnp.where(moved, cast(a, b.dtype), b), end, p)
    # The step to where the loss was computed, to the last digit; its derivative is that of t u.
    updates = jax.tree.map(partial(_exactly, factor), u, arrived, p)
    back = jax.tree.map(lambda a: sign * a, x.grad)
    gained = jnp.where(moved, first - x.value, s.gain)
    return updates, LineSearchState(arrived, back, sign * x.value, factor, gained, s.evaluations + count)


def _evaluate(
    value_fn: Callable[[PyTree], Any],
    sign: float,
    params: PyTree,
    p: PyTree,
    direction: PyTree,
    dtype: Any,
    at: Array,
) -> Point:
    value, g = jax.value_and_grad(value_fn)(_moved(params, p, direction, at))
    value = sign * cast(value, dtype)
    g = jax.tree.map(lambda x, y: sign * cast(x, y.dtype), g, direction)
    slope = cast(dot(direction, g), dtype)
    # Outside of where the loss is defined it is uphill.
    outside = jnp.isnan(value)
    infinite = jnp.array(jnp.inf, dtype)
    return Point(at, jnp.where(outside, infinite, value), jnp.where(jnp.isfinite(slope), slope, infinite), g)


def _moved(params: PyTree, p: PyTree, direction: PyTree, at: Array) -> PyTree:
    """The parameters of a point of the line, in their own dtypes."""
    return jax.tree.map(lambda x, old: cast(x, old.dtype), plus(p, at, direction), params)


def _least_ratio(p: PyTree, direction: PyTree) -> Array:
    """The least |p / d| of all entries that the direction moves: eps times it is too short a step to move any."""
    dtype = dtype_of(p)

    def one(x: Array, d: Array) -> Array:
        return cast(
            jnp.min(jnp.where(d != 0, jnp.abs(x) / jnp.where(d != 0, jnp.abs(d), 1), jnp.inf), initial=jnp.inf), dtype
        )

    ratios = jax.tree.leaves(jax.tree.map(one, p, direction))
    least = functools.reduce(jnp.minimum, ratios, jnp.array(jnp.inf, dtype))
    return jnp.where(jnp.isfinite(least), least, 0)


def _as_before(gain: Array, origin: Point, length: Array) -> Array:
    """How far would lessen the loss by what the last step did, were it a parabola."""
    far = 2.02 * gain / jnp.where(origin.slope < 0, -origin.slope, 1)
    return jnp.minimum(length, jnp.where((far > 0) & jnp.isfinite(far), far, 1))


def _exactly(factor: Array, u: Array, arrived: Array, p: Array) -> Array:
    product = cast(factor, u.dtype) * jnp.where(factor > 0, u, 0)  # one that is not finite is no step
    return product + lax.stop_gradient(arrived - p - product)
