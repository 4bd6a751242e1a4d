"""Optimistic gradient descent: what the gradient would be next."""

from __future__ import annotations

import jax.numpy as jnp
from jax import Array

from gradtx.core import Finite, GradientTransformation, LearningRate, Mask, NonNegative, leafwise, transformation
from gradtx.optimizers.common import descend


@transformation
def scale_by_optimistic_gradient(alpha: Finite = 1.0, beta: Finite = 1.0) -> GradientTransformation:
    """The step of `optimistic_gradient_descent` before the learning rate; arguments as there.

    Returns:
      A transformation that keeps the previous gradient and its age.
    """
    return leafwise(_optimistic, keeps="last", needs=("age",), alpha=alpha, beta=beta)


def _optimistic(g: Array, last: Array, p: None, age: Array, alpha: Array, beta: Array) -> tuple[Array, Array]:
    return alpha * g + beta * jnp.where(age > 0, g - last, 0), g


@transformation
def optimistic_gradient_descent(
    learning_rate: LearningRate,
    alpha: Finite = 1.0,
    beta: Finite = 1.0,
    *,
    weight_decay: NonNegative | None = None,
    where: Mask | None = None,
    maximize: bool = False,
) -> GradientTransformation:
    """Descend by what the gradient would be next, for games and saddle points.

    p - learning_rate ((alpha + beta) g_t - beta g_(t-1))

    The first gradient counts as its own predecessor. Optax does the same.

    Args:
      alpha: weight of the gradient.
      beta: weight of its change; at 0 this is plain descent.
      learning_rate, weight_decay, where, maximize: as for `adam`.

    Returns:
      A transformation that keeps the previous gradient.

    References:
      Mokhtari, Ozdaglar and Pattathil, 2020, A Unified Analysis of Extra-gradient and Optimistic Gradient Methods for
      Saddle Point Problems.
    """
    return descend([scale_by_optimistic_gradient(alpha, beta)], learning_rate, weight_decay, where, maximize)
