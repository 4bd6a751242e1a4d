"""L-BFGS: the gradient by an inverse Hessian that the last steps tell of."""

from __future__ import annotations

from functools import partial
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
from jax import Array, lax

from gradtx.core import GradientTransformation, ParamsLike, PositiveCount, chain, transformation, treewise
from gradtx.core.numerics import cast
from gradtx.optimizers.common import negated
from gradtx.transforms import trees
from gradtx.transforms.line_search import Search, line_search
from gradtx.transforms.scaling import scale
from gradtx.transforms.vectors import dot, dtype_of, plus, polar, refuse_complex

PyTree = Any

# The least cosine between a step and the change of the gradient along it for the pair to tell of a curvature.
LEAST_COSINE = 1e-8


class LbfgsState(NamedTuple):
    """The last steps and the changes of the gradient along them, in directions of length one, newest last.

    `cosines` holds the cosine between the two of each pair, 0 where there is no pair yet, and `ratios` the length of
    the step by that of the change. `params` and `grad` are those of the update before.
    """

    steps: ParamsLike
    changes: ParamsLike
    cosines: Array
    ratios: Array
    params: ParamsLike
    grad: ParamsLike
    age: Array


@transformation
def scale_by_lbfgs(memory_size: PositiveCount = 10) -> GradientTransformation:
    """The gradient by the inverse Hessian of L-BFGS: a step uphill, of which the negative is one downhill.

    u = H g, where H = (s'y / y'y) I at first, and for every pair of a step s and a change y of the gradient, from the
    oldest to the newest, H = (I - s y' / s'y) H (I - y s' / s'y) + s s' / s'y

    A pair is kept if s'y > 1e-8 |s| |y|; one that is left out takes no other's place. Before there is a pair,
    u = g min(1, 1 / |g|). The pairs are forgotten if rounding makes a direction that is not uphill, and if the last
    update was not followed, as where a line search found no step.

    Args:
      memory_size: the number of pairs.

    Returns:
      A transformation that keeps an `LbfgsState`, 2 memory_size + 2 arrays per array; its update needs `params`.

    Raises:
      TypeError: when used, if an array is complex.

    References:
      Liu and Nocedal, 1989, On the Limited Memory BFGS Method for Large Scale Optimization.
    """
    return treewise(_lbfgs, partial(_no_pairs, memory_size), keeps=LbfgsState, needs=("params",))


def _no_pairs(size: int, params: PyTree) -> LbfgsState:
    def ring(p: Array) -> Array:
        return jnp.repeat(jnp.zeros_like(p)[None], size, axis=0)  # each placed as the array is

    steps, changes = (jax.tree.map(ring, trees.wide(params)) for _ in range(2))
    cosines, ratios = (jnp.zeros(size, dtype_of(params)) for _ in range(2))
    at, grad = trees.zeros(params), trees.zeros(params)
    return LbfgsState(steps, changes, cosines, ratios, at, grad, jnp.zeros((), jnp.int32))


def _lbfgs(g: PyTree, s: LbfgsState, params: PyTree) -> tuple[PyTree, LbfgsState]:
    refuse_complex(g, "lbfgs")
    p = trees.wide(params)
    g = jax.tree.map(lambda x, old: cast(x, jnp.result_type(x, old)), g, s.grad)
    step, far = polar(trees.difference(p, s.params))
    change, steep = polar(trees.difference(g, s.grad))
    cosine = dot(step, change)
    good = (s.age > 0) & (cosine > LEAST_COSINE) & jnp.isfinite(far) & jnp.isfinite(steep)

    def push(ring: Array, x: Array) -> Array:
        x = jnp.where(good, x, 0)  # what is not finite does not come near
        return jnp.where(good, jnp.concatenate([ring[1:], x[None].astype(ring.dtype)]), ring)

    steps, changes = jax.tree.map(push, s.steps, step), jax.tree.map(push, s.changes, change)
    cosines, ratios = push(s.cosines, cosine), push(s.ratios, far / jnp.where(good, steep, 1))
    cosines = jnp.where((s.age > 0) & (far == 0), 0, cosines)
    direction, length = polar(g)
    u = _by_inverse_hessian(direction, steps, changes, cosines, ratios)
    u = jax.tree.map(lambda x: x * length.astype(x.dtype), u)
    steepest = jax.tree.map(lambda x: x * jnp.minimum(length, 1).astype(x.dtype), direction)
    uphill = (cosines[-1] > 0) & (dot(polar(u)[0], direction) > 0)
    u = jax.tree.map(lambda x, y: jnp.where(uphill, x, y), u, steepest)
    cosines = jnp.where(uphill | ~jnp.isfinite(length), cosines, 0)
    return u, LbfgsState(steps, changes, cosines, ratios, p, g, s.age)


def _by_inverse_hessian(g: PyTree, steps: PyTree, changes: PyTree, cosines: Array, ratios: Array) -> PyTree:
    """H g by the recursion of two loops, in which the lengths of steps and changes enter as their ratio only."""
    inverses = jnp.where(cosines > 0, 1 / jnp.where(cosines > 0, cosines, 1), 0)

    def back(q: PyTree, pair: Any) -> tuple[PyTree, Array]:
        step, change, inverse = pair
        along = inverse * dot(step, q)
        return plus(q, -along, change), along

    q, alongs = lax.scan(back, g, (steps, changes, inverses), reverse=True)
    q = trees.scaled(q, ratios[-1] * cosines[-1])

    def forth(q: PyTree, pair: Any) -> tuple[PyTree, None]:
        step, change, inverse, ratio, along = pair
        return plus(q, ratio * along - inverse * dot(change, q), step), None

    return lax.scan(forth, q, (steps, changes, inverses, ratios, alongs))[0]


@transformation
def lbfgs(
    memory_size: PositiveCount = 10,
    search: Search = "zoom",
    max_evaluations: PositiveCount = 30,
    *,
    maximize: bool = False,
) -> GradientTransformation:
    """L-BFGS with a line search: quasi-Newton steps for a loss that is the same at every step.

    p - t H g, with H of the last steps as in `scale_by_lbfgs` and t as in `line_search`

    There is no learning rate: the loss says how far to go. A loss that differs from step to step, such as that of a
    minibatch, misleads both. `minimize` runs it to the end.

    Args:
      memory_size: the number of pairs of a step and a change of the gradient.
      search: the line search, "zoom" or "backtracking", as for `line_search`.
      max_evaluations: the most calls of the loss in one step.
      maximize: ascend instead of descending; `value`, `grad` and `value_fn` are those of what is maximized.

    Returns:
      A transformation that keeps an `LbfgsState` and a `LineSearchState`, 2 memory_size + 4 arrays per array. Its
      update needs `params`, and as extra arguments `value`, `grad` and `value_fn`, the loss as a function of params.

    Raises:
      TypeError: when used, if an array is complex.

    References:
      Liu and Nocedal, 1989, On the Limited Memory BFGS Method for Large Scale Optimization.

    Example:
      >>> import gradtx, jax, jax.numpy as jnp
      >>> rosenbrock = lambda p: (1 - p[0]) ** 2 + 100 * (p[1] - p[0] ** 2) ** 2
      >>> tx = gradtx.lbfgs()
      >>> params = jnp.array([-1.2, 1.0])
      >>> state = tx.init(params)
      >>> for _ in range(40):
      ...     value, grad = gradtx.value_and_grad(rosenbrock, state)(params)
      ...     updates, state = tx.update(grad, state, params, value=value, grad=grad, value_fn=rosenbrock)
      ...     params = gradtx.apply_updates(params, updates)
      >>> print(params.round(3))
      [1. 1.]
    """
    stop = line_search(search, max_evaluations=max_evaluations, maximize=maximize)
    return chain(*negated(maximize), scale_by_lbfgs(memory_size), scale(-1.0), stop)
