"""Nonlinear conjugate gradients: every direction leans on the one before."""

from __future__ import annotations

from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
from jax import Array

from gradtx.core import (
    Fraction,
    GradientTransformation,
    ParamsLike,
    PositiveCount,
    chain,
    transformation,
    treewise,
)
from gradtx.optimizers.common import negated
from gradtx.transforms import trees
from gradtx.transforms.line_search import line_search
from gradtx.transforms.scaling import scale
from gradtx.transforms.vectors import dot, plus, polar, refuse_complex

PyTree = Any

# The least cosine between a direction and the gradient for the direction to be taken.
LEAST_COSINE = 1e-3


class ConjugateGradientState(NamedTuple):
    """The last gradient and the last direction, which points uphill."""

    grad: ParamsLike
    direction: ParamsLike
    age: Array


@transformation
def scale_by_conjugate_gradient() -> GradientTransformation:
    """Directions of nonlinear conjugate gradients: a step uphill, of which the negative is one downhill.

    d = g + beta d, where beta = max(<g, g - g_last> / |g_last|^2, 0)

    This is the rule of Polak and Ribiere, which begins anew where it would be negative (Powell). A direction that is
    not uphill, or hardly so, is replaced by the gradient.

    Returns:
      A transformation that keeps a `ConjugateGradientState`, two arrays per array.

    Raises:
      TypeError: when used, if an array is complex.

    References:
      Polak and Ribiere, 1969, Note sur la convergence de methodes de directions conjuguees.
      Powell, 1984, Nonconvex Minimization Calculations and the Conjugate Gradient Method.
    """
    return treewise(_conjugate, _no_direction, keeps=ConjugateGradientState)


def _no_direction(params: PyTree) -> ConjugateGradientState:
    return ConjugateGradientState(trees.zeros(params), trees.zeros(params), jnp.zeros((), jnp.int32))


def _conjugate(g: PyTree, s: ConjugateGradientState, params: PyTree) -> tuple[PyTree, ConjugateGradientState]:
    refuse_complex(g, "conjugate_gradient")
    # All in lengths of this gradient, so that no square overflows.
    here, length = polar(g)
    by = jnp.where(length > 0, 1 / jnp.where(length > 0, length, 1), 0)
    before, last = trees.scaled(s.grad, by), trees.scaled(s.direction, by)
    y = trees.difference(here, before)
    beta = jnp.maximum(_ratio(dot(here, y), dot(before, before)), 0)
    beta = jnp.where(s.age > 0, beta, 0)
    d = plus(here, beta, last)
    uphill = dot(polar(d)[0], here) > LEAST_COSINE
    d = jax.tree.map(lambda a, b: jnp.where(uphill, a, b) * length.astype(a.dtype), d, here)
    return d, ConjugateGradientState(g, d, s.age)


def _ratio(a: Array, b: Array) -> Array:
    """A / b, and 0 where that is not finite."""
    ratio = a / jnp.where(b > 0, b, 1)
    return jnp.where((b > 0) & jnp.isfinite(ratio), ratio, 0)


@transformation
def conjugate_gradient(
    curvature: Fraction = 0.4,
    max_evaluations: PositiveCount = 30,
    *,
    maximize: bool = False,
) -> GradientTransformation:
    """Nonlinear conjugate gradients with a tight line search.

    d = g + d max(<g, g - g_last> / |g_last|^2, 0); p - t d, with t as in `line_search`

    It keeps less than `lbfgs`, which needs fewer evaluations.

    Args:
      curvature: the part of the slope that the line search may leave, below 0.5.
      max_evaluations: the most calls of the loss in one step.
      maximize: ascend instead of descending; `value`, `grad` and `value_fn` are those of what is maximized.

    Returns:
      A transformation that keeps a `ConjugateGradientState` and a `LineSearchState`, four arrays per array. Its update
      needs `params`, and as extra arguments `value`, `grad` and `value_fn`, the loss as a function of params.

    Raises:
      TypeError: when used, if an array is complex.

    References:
      Polak and Ribiere, 1969, Note sur la convergence de methodes de directions conjuguees.
      Nocedal and Wright, 2006, Numerical Optimization, second edition, chapter 5.

    Example:
      >>> import gradtx, jax.numpy as jnp
      >>> scales = jnp.array([1.0, 10.0, 100.0])
      >>> result = gradtx.minimize(lambda p: jnp.sum(scales * (p - 1) ** 2), jnp.zeros(3), gradtx.conjugate_gradient())
      >>> print(result.params.round(3))
      [1. 1. 1.]
    """
    given: dict[str, Any] = {"max_evaluations": max_evaluations, "first_step": "as_before", "maximize": maximize}
    stop = line_search("zoom", curvature=curvature, **given)
    return chain(*negated(maximize), scale_by_conjugate_gradient(), scale(-1.0), stop)
