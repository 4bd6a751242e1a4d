"""DoG: a step size from the distance travelled over the gradients on the way."""

from __future__ import annotations

from typing import Any, NamedTuple

import jax.numpy as jnp
from jax import Array

from gradtx.core import (
    GradientTransformation,
    LearningRate,
    Mask,
    NonNegative,
    ParamsLike,
    Positive,
    transformation,
    treewise,
)
from gradtx.optimizers.common import descend
from gradtx.transforms import trees
from gradtx.transforms.decay import decay_of, plus_decay
from gradtx.transforms.global_norm import global_norm

PyTree = Any


class DogState(NamedTuple):
    """The first parameters, how far they have come since, and the root of the sum of squared gradient norms."""

    origin: ParamsLike
    distance: Array
    gathered: Array


@transformation
def scale_by_dog(
    relative: Positive = 1e-6,
    eps: NonNegative = 1e-8,
    *,
    weight_decay: NonNegative | None = None,
    where: Mask | None = None,
) -> GradientTransformation:
    """Scale by the distance travelled over the root of all squared norms of gradients.

    r = max(r, ||p - p0||), relative (1 + ||p0||) at first;  G = G + ||g||^2, 0 at first;  g r / sqrt(G + eps)

    Args:
      relative, eps, weight_decay, where: as for `dog`.

    Returns:
      A transformation that keeps a `DogState`; its update needs `params`.
    """
    numbers = {"relative": relative, "eps": eps, **decay_of(weight_decay, where)}
    return treewise(_dog, from_here, keeps=DogState, needs=("params",), **numbers)


def from_here(params: PyTree) -> DogState:
    """No distance travelled yet."""
    return DogState(params, trees.scalar(0.0), trees.scalar(0.0))


def travelled(params: PyTree, s: DogState) -> Array:
    """How far the parameters have come."""
    return trees.bounded_norm(global_norm(trees.difference(trees.wide(params), s.origin)))


def _dog(g: PyTree, s: DogState, params: PyTree, relative: Array, eps: Array, **decay: Any) -> tuple[PyTree, DogState]:
    distance = jnp.maximum(jnp.maximum(s.distance, travelled(params, s)), relative * (1 + global_norm(s.origin)))
    gathered = trees.hypot(s.gathered, trees.bounded_norm(global_norm(g)))
    # sqrt(gathered^2 + eps), with a derivative at an eps of 0 too.
    some = eps > 0
    beyond = gathered + eps / (2 * jnp.where(gathered > 0, gathered, 1))
    below = jnp.where(some, trees.hypot(gathered, jnp.sqrt(jnp.where(some, eps, 1))), beyond)
    rate = jnp.where(below > 0, distance / jnp.where(below > 0, below, 1), 0)
    return trees.scaled(plus_decay(g, params, **decay), rate), DogState(s.origin, distance, gathered)


@transformation
def dog(
    learning_rate: LearningRate = 1.0,
    relative: Positive = 1e-6,
    eps: NonNegative = 1e-8,
    *,
    weight_decay: NonNegative | None = None,
    where: Mask | None = None,
    maximize: bool = False,
) -> GradientTransformation:
    """Descend with a step size from the distance travelled.

    p - learning_rate g r / sqrt(G + eps), with r and G as in `scale_by_dog`.

    The authors' code and Optax do the same, except for weight decay.

    Args:
      learning_rate: factor of the step size that is found; 1, or a schedule from 1.
      relative: the first distance, as a fraction of 1 + ||p0||. The authors' default, as is `eps`.
      eps: added inside the root, so that the quotient is finite.
      weight_decay, where, maximize: as for `adam`; the decay is multiplied by the step size that is found.

    Returns:
      A transformation that keeps a `DogState`; its update needs `params`.

    References:
      Ivgi, Hinder and Carmon, 2023, DoG is SGD's Best Friend: A Parameter-Free Dynamic Step Size Schedule.
    """
    stages = [scale_by_dog(relative, eps, weight_decay=weight_decay, where=where)]
    return descend(stages, learning_rate, maximize=maximize)
