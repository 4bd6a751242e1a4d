"""Descent with noise on the gradients."""

from __future__ import annotations

import jax

from gradtx.core import Finite, GradientTransformation, LearningRate, Mask, NonNegative, transformation
from gradtx.optimizers.common import descend
from gradtx.transforms.noise import add_noise


@transformation
def noisy_sgd(
    learning_rate: LearningRate,
    eta: NonNegative = 0.01,
    gamma: Finite = 0.55,
    key: int | jax.Array = 0,
    *,
    weight_decay: NonNegative | None = None,
    where: Mask | None = None,
    maximize: bool = False,
) -> GradientTransformation:
    """Descend with normal noise on the gradients, and less of it over time.

    p - learning_rate (g + normal(0, eta / t^gamma))

    Optax's noise has the same variance; its key is in the state.

    Args:
      eta, gamma, key: as for `add_noise`. The paper's gamma is 0.55.
      learning_rate, weight_decay, where, maximize: as for `adam`.

    Returns:
      A transformation without state.

    Raises:
      TypeError: if `key` is neither an int nor a JAX key.

    References:
      Neelakantan et al., 2015, Adding Gradient Noise Improves Learning for Very Deep Networks.
    """
    return descend([add_noise(eta, gamma, key)], learning_rate, weight_decay, where, maximize)
