"""Descent for private training."""

from __future__ import annotations

from typing import Annotated

import jax

from gradtx.core import (
    Fraction,
    GradientTransformation,
    LearningRate,
    Mask,
    NonNegative,
    PositiveCount,
    Range,
    transformation,
)
from gradtx.optimizers.common import descend
from gradtx.transforms.noise import add_noise
from gradtx.transforms.trace import trace


@transformation
def dpsgd(
    learning_rate: LearningRate,
    l2_norm_clip: Annotated[float, Range(0)] = 1.0,
    noise_multiplier: Annotated[float, Range(0)] = 1.0,
    batch_size: PositiveCount = 1,
    key: int | jax.Array = 0,
    momentum: Fraction | None = None,
    nesterov: bool = False,
    *,
    weight_decay: NonNegative | None = None,
    where: Mask | None = None,
    maximize: bool = False,
) -> GradientTransformation:
    """Descend for private training: add normal noise to the mean of clipped gradients.

    p - learning_rate (g + normal(0, (noise_multiplier l2_norm_clip / batch_size)^2))

    The gradient is `sum / batch_size`, of the sum that `per_example_global_norm_clip` makes. Optax's is given the
    gradients of single examples themselves.

    Args:
      l2_norm_clip: the bound that each example's gradient was clipped to.
      noise_multiplier: standard deviation of the noise on their sum, as a multiple of the bound.
      batch_size: how many examples the gradient is the mean of.
      key: a seed, or a JAX key; keep it secret.
      momentum, nesterov: as for `sgd`.
      learning_rate, weight_decay, where, maximize: as for `adam`.

    Returns:
      A transformation that keeps one velocity per array if there is momentum, otherwise nothing.

    Raises:
      TypeError: if `key` is neither an int nor a JAX key.

    References:
      Abadi et al., 2016, Deep Learning with Differential Privacy.
    """
    noise = add_noise((noise_multiplier * l2_norm_clip / batch_size) ** 2, 0.0, key)
    gathered = [] if momentum is None else [trace(momentum, nesterov)]
    return descend([noise, *gathered], learning_rate, weight_decay, where, maximize)
