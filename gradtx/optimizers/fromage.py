"""Fromage: steps as long as the arrays they move, which never let arrays grow."""

from __future__ import annotations

import jax.numpy as jnp
from jax import Array

from gradtx.core import Axes, GradientTransformation, LearningRate, Mask, NonNegative, chain, stepwise, transformation
from gradtx.optimizers.common import decayed, negated
from gradtx.transforms.decay import add_decayed_weights
from gradtx.transforms.scaling import scale_by_learning_rate
from gradtx.transforms.trust_ratio import scale_by_trust_ratio


@transformation
def fromage(
    learning_rate: LearningRate,
    min_norm: NonNegative = 1e-6,
    *,
    axes: Axes | None = None,
    weight_decay: NonNegative | None = None,
    where: Mask | None = None,
    maximize: bool = False,
) -> GradientTransformation:
    """Descend by steps as long as the arrays they move, and never let arrays grow.

    (p - learning_rate g ||p|| / ||g||) / sqrt(1 + learning_rate^2), for each array

    Optax does the same.

    Args:
      min_norm: norms below this count as this.
      axes: as for `scale_by_trust_ratio`.
      learning_rate, weight_decay, where, maximize: as for `adam`.

    Returns:
      A transformation without state, whose update needs `params`.

    References:
      Bernstein, Vahdat, Yue and Liu, 2020, On the distance between two neural networks and the stability of learning.
    """
    return chain(
        *negated(maximize),
        scale_by_trust_ratio(min_norm, axes=axes),
        *decayed(weight_decay, where),
        scale_by_learning_rate(stepwise(_shrunk_rate, learning_rate=learning_rate)),
        add_decayed_weights(stepwise(_shrinkage, learning_rate=learning_rate), mode="independent"),
    )


def _shrunk_rate(step: Array, learning_rate: Array) -> Array:
    return learning_rate / jnp.sqrt(1 + learning_rate**2)


def _shrinkage(step: Array, learning_rate: Array) -> Array:
    # 1 - 1 / sqrt(1 + x), in a form that keeps its digits for small x.
    root = jnp.sqrt(1 + learning_rate**2)
    return learning_rate**2 / (root * (1 + root))
