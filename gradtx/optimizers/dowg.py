"""DoWG: a step size from the distance travelled, weighed by itself."""

from __future__ import annotations

from typing import Any

import jax.numpy as jnp
from jax import Array

from gradtx.core import GradientTransformation, LearningRate, Mask, NonNegative, Positive, transformation, treewise
from gradtx.optimizers.common import descend
from gradtx.optimizers.dog import DogState, from_here, travelled
from gradtx.transforms import trees
from gradtx.transforms.decay import decay_of, plus_decay
from gradtx.transforms.global_norm import global_norm

PyTree = Any


@transformation
def scale_by_dowg(
    eps: Positive = 1e-4, *, weight_decay: NonNegative | None = None, where: Mask | None = None
) -> GradientTransformation:
    """Scale by the squared distance travelled over the root of squared norms, each weighed by the distance at its time.

    q = max(q, ||p - p0||^2), eps at first;  v = v + q ||g||^2, 0 at first;  g q / (sqrt(v) + eps)

    Args:
      eps, weight_decay, where: as for `dowg`.

    Returns:
      A transformation that keeps a `DogState`; its update needs `params`.
    """
    numbers = {"eps": eps, **decay_of(weight_decay, where)}
    return treewise(_dowg, from_here, keeps=DogState, needs=("params",), **numbers)


def _dowg(g: PyTree, s: DogState, params: PyTree, eps: Array, **decay: Any) -> tuple[PyTree, DogState]:
    distance = jnp.maximum(jnp.maximum(s.distance, travelled(params, s)), jnp.sqrt(eps))
    norm = trees.bounded_norm(global_norm(g))
    gathered = trees.hypot(s.gathered, trees.bounded_norm(distance * norm))
    below = gathered + eps
    rate = distance * jnp.where(below > 0, distance / jnp.where(below > 0, below, 1), 0)
    return trees.scaled(plus_decay(g, params, **decay), rate), DogState(s.origin, distance, gathered)


@transformation
def dowg(
    learning_rate: LearningRate = 1.0,
    eps: Positive = 1e-4,
    *,
    weight_decay: NonNegative | None = None,
    where: Mask | None = None,
    maximize: bool = False,
) -> GradientTransformation:
    """Descend with a step size from the distance travelled, weighed by itself.

    p - learning_rate g q / (sqrt(v) + eps), with q and v as in `scale_by_dowg`.

    The authors' code and Optax do the same, except for weight decay.

    Args:
      eps: the first squared distance, and what keeps the quotient finite. The authors' default.
      learning_rate, weight_decay, where, maximize: as for `dog`.

    Returns:
      A transformation that keeps a `DogState`; its update needs `params`.

    References:
      Khaled, Mishchenko and Jin, 2023, DoWG Unleashed: An Efficient Universal Parameter-Free Gradient Descent Method.
    """
    stages = [scale_by_dowg(eps, weight_decay=weight_decay, where=where)]
    return descend(stages, learning_rate, maximize=maximize)
