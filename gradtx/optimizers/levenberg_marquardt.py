"""Levenberg and Marquardt's method: least squares by damped steps of Gauss and Newton."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Annotated, Any, Literal, NamedTuple

import jax
import jax.numpy as jnp
from jax import Array, lax
from jax.flatten_util import ravel_pytree

from gradtx.core import GradientTransformation, ParamsLike, PositiveCount, Range, transformation, treewise
from gradtx.core.numerics import cast, is_floating, widen
from gradtx.transforms import trees
from gradtx.transforms.vectors import dot, dtype_of, plus, polar, refuse_complex

PyTree = Any
Solver = Literal["qr", "conjugate_gradient"]

# The part of the decrease that the model foretells which is enough for a step to be taken.
ENOUGH = 1e-4
# Beyond these the damping does nothing more, or everything.
LEAST, MOST = 1e-15, 1e15


class LevenbergMarquardtState(NamedTuple):
    """Where the last step arrived: the parameters, half the sum of squares, and its gradient there.

    `step_size` is 1 where a step was taken and 0 where none was found; `evaluations` counts all calls of the residuals
    since the beginning.
    """

    params: ParamsLike
    grad: ParamsLike
    value: Array
    step_size: Array
    damping: Array
    evaluations: Array


@transformation
def levenberg_marquardt(
    damping: Annotated[float, Range(0, open_low=True)] = 1e-2,
    solver: Solver = "qr",
    solver_steps: PositiveCount = 50,
    max_evaluations: PositiveCount = 30,
) -> GradientTransformation:
    """Least squares by the solution of the linearized problem, damped until it lessens the sum of squares.

    p + d, where d minimizes |r + J d|^2 + damping |D d|^2, with the residuals r and their Jacobian J

    D holds the lengths of the columns of J ("qr"), or the length of J along the gradient ("conjugate_gradient").

    After a step that helped as much as the linear model said, the damping is divided by 3; after one that did not help,
    it is multiplied by 2, 4, 8, ..., and another is tried. Where none is found the update is zero. No derivative goes
    through a step.

    `update` needs `residual_fn`, a function from the parameters to a pytree of residuals; the loss is half the sum of
    their squares. Of the gradients that it is given, it uses the structure only.

    Args:
      damping: the first damping, relative to the squares of D.
      solver: how the linear problem is solved: "qr", by the Jacobian itself, for up to some thousand parameters; or
        "conjugate_gradient", by products with it, for any number.
      solver_steps: the most steps of the latter.
      max_evaluations: the most steps that are tried in one update.

    Returns:
      A transformation that keeps a `LevenbergMarquardtState`, two arrays per array, and must be the last one of a
      chain. Its update needs `params` and the extra argument `residual_fn`.

    Raises:
      TypeError: when used, if an array is complex.

    References:
      Marquardt, 1963, An Algorithm for Least-Squares Estimation of Nonlinear Parameters.
      Nielsen, 1999, Damping Parameter in Marquardt's Method.

    Example:
      >>> import gradtx, jax.numpy as jnp
      >>> x = jnp.linspace(0.0, 1.0, 8)
      >>> y = 2.0 * jnp.exp(-3.0 * x)
      >>> residuals = lambda p: p["height"] * jnp.exp(-p["rate"] * x) - y
      >>> start = {"height": jnp.array(1.0), "rate": jnp.array(1.0)}
      >>> result = gradtx.minimize(residuals, start, gradtx.levenberg_marquardt())
      >>> print({name: round(float(x), 3) for name, x in result.params.items()})
      {'height': 2.0, 'rate': 3.0}
    """
    options: dict[str, Any] = {"solver": solver, "solver_steps": solver_steps, "most": max_evaluations, "last": True}
    init = partial(_nowhere, damping)
    return treewise(
        _levenberg_marquardt, init, keeps=LevenbergMarquardtState, needs=("params", "residual_fn"), **options
    )


def _nowhere(damping: Any, params: PyTree) -> LevenbergMarquardtState:
    zero = jnp.zeros((), dtype_of(params))
    first = cast(jnp.asarray(damping), zero.dtype)
    at, grad = trees.zeros(params), trees.zeros(params)
    return LevenbergMarquardtState(at, grad, zero + jnp.inf, zero, first, jnp.zeros((), jnp.int32))


class _Trial(NamedTuple):
    params: PyTree
    grad: PyTree
    length: Array  # of the residuals
    helps: Array
    damping: Array
    growth: Array
    evaluations: Array


def _levenberg_marquardt(
    u: PyTree,
    s: LevenbergMarquardtState,
    params: PyTree,
    residual_fn: Any,
    solver: str,
    solver_steps: int,
    most: int,
) -> tuple[PyTree, LevenbergMarquardtState]:
    refuse_complex(u, "levenberg_marquardt")
    residual_fn = jax.tree.map(lambda x: lax.stop_gradient(x) if is_floating(x) else x, residual_fn)
    s, params = lax.stop_gradient((s, params))
    p = trees.wide(params)

    def residuals(at: PyTree) -> PyTree:
        found = residual_fn(jax.tree.map(lambda x, old: cast(x, old.dtype), at, params))
        refuse_complex(found, "levenberg_marquardt")
        return jax.tree.map(widen, found)

    r, push = jax.linearize(residuals, p)
    unit, length = polar(r)
    pull = jax.linear_transpose(push, p)
    solve = _by_qr(push, unit, p) if solver == "qr" else partial(_by_products, push, pull, unit, solver_steps)
    dtype = length.dtype

    def attempt(t: _Trial) -> _Trial:
        # In units of the residuals, whose squares could overflow.
        d = jax.tree.map(lambda x, old: cast(x, old.dtype), solve(t.damping), p)
        new = plus(p, length, d)
        found, back = jax.vjp(residuals, new)
        left = plus(unit, jnp.ones((), dtype), push(d))
        foreseen = 1 - dot(left, left)
        part = polar(found)[1] / length
        share = (1 - part) * (1 + part) / jnp.maximum(foreseen, jnp.finfo(dtype).tiny)
        helps = share > ENOUGH
        factor = jnp.where(helps, jnp.maximum(1 / 3, 1 - (2 * share - 1) ** 3), t.growth)
        damping = jnp.clip(t.damping * factor, LEAST, MOST)
        grad, arrived = back(found)[0], polar(found)[1]
        return _Trial(new, grad, arrived, helps, damping, jnp.where(helps, 2, 2 * t.growth), t.evaluations + 1)

    def unfinished(t: _Trial) -> Array:
        return ~t.helps & (t.evaluations < most) & (t.damping < MOST) & (length > 0) & jnp.isfinite(length)

    none, one = jnp.zeros((), jnp.int32), jnp.ones((), dtype)
    gradient = pull(r)[0]
    first = _Trial(p, gradient, length, jnp.zeros((), bool), cast(s.damping, dtype), 2 * one, none)
    last = lax.stop_gradient(lax.while_loop(unfinished, attempt, first))
    helps = last.helps
    arrived, grad = (
        jax.tree.map(partial(jnp.where, helps), new, old) for new, old in ((last.params, p), (last.grad, gradient))
    )
    arrived = jax.tree.map(lambda x, old: widen(cast(x, old.dtype)), arrived, params)
    value = jnp.where(helps, last.length, length)
    value = 0.5 * jnp.minimum(value, jnp.sqrt(jnp.finfo(dtype).max)) ** 2
    damping = jnp.where(last.damping < MOST, last.damping, s.damping)  # where nothing helps it is not the damping
    state = LevenbergMarquardtState(arrived, grad, value, one * helps, damping, s.evaluations + 1 + last.evaluations)
    return trees.difference(arrived, p), state


def _by_qr(push: Callable[[PyTree], PyTree], r: PyTree, p: PyTree) -> Callable[[Array], PyTree]:
    """The step for a damping, by the Jacobian with columns of length one."""
    flat, unflatten = ravel_pytree(p)
    jacobian = jax.vmap(lambda v: ravel_pytree(push(unflatten(v)))[0])(jnp.eye(flat.size, dtype=flat.dtype)).T
    sizes = jnp.max(jnp.abs(jacobian), axis=0, initial=0)
    sizes = jnp.where(sizes > 0, sizes, 1)
    lengths = jnp.linalg.norm(jacobian / sizes, axis=0)
    lengths = jnp.where(lengths > 0, lengths, 1)
    columns = jacobian / sizes / lengths
    against = ravel_pytree(r)[0]

    def solve(damping: Array) -> PyTree:
        root = jnp.sqrt(damping).astype(flat.dtype)
        q, upper = jnp.linalg.qr(jnp.concatenate([columns, root * jnp.eye(flat.size, dtype=flat.dtype)]))
        d = jax.scipy.linalg.solve_triangular(upper, -(q[: against.size].T @ against))
        return unflatten(d / lengths / sizes)

    return solve


def _by_products(
    push: Callable[[PyTree], PyTree], pull: Callable[[PyTree], Any], r: PyTree, steps: int, damping: Array
) -> PyTree:
    """The step for a damping, by conjugate gradients on the normal equations, whose matrix is never made."""
    gradient = pull(r)[0]
    direction, _ = polar(gradient)
    reach = push(direction)
    by = damping * dot(reach, reach)

    def more(carry: Any) -> Array:
        *_, square, count = carry
        return (count < steps) & (square > first * jnp.finfo(first.dtype).eps ** 2) & jnp.isfinite(square)

    def step(carry: Any) -> Any:
        x, left, towards, square, count = carry
        image = push(towards)
        below = dot(image, image) + by * dot(towards, towards)
        far = jnp.where(below > 0, square / jnp.where(below > 0, below, 1), 0)
        x, left = plus(x, far, towards), plus(left, -far, image)
        slope = plus(pull(left)[0], -by, x)
        new = dot(slope, slope)
        return x, left, plus(slope, new / square, towards), new, count + 1

    start = jax.tree.map(jnp.negative, gradient)
    first = dot(start, start)
    minus = jax.tree.map(jnp.negative, r)
    x, *_ = lax.while_loop(more, step, (trees.zeros(start), minus, start, first, jnp.zeros((), jnp.int32)))
    return x
