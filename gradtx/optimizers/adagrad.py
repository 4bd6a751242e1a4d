"""AdaGrad: gradients over the root of the sum of all their squares."""

from __future__ import annotations

from jax import Array

from gradtx.core import GradientTransformation, LearningRate, Mask, NonNegative, leafwise, transformation
from gradtx.optimizers.common import descend
from gradtx.transforms.numerics import bounded, bounded_square, real_zeros
from gradtx.transforms.rms import over_root


@transformation
def scale_by_rss(
    initial_accumulator_value: NonNegative = 0.0, eps: NonNegative = 1e-8, *, eps_in_sqrt: bool = False
) -> GradientTransformation:
    """The step of `adagrad` before the learning rate; arguments as there.

    Returns:
      A transformation that keeps one real array per array, in float32 or wider.
    """
    return leafwise(
        _scale_by_rss, real_zeros, keeps="square", first=initial_accumulator_value, eps=eps, eps_in_sqrt=eps_in_sqrt
    )


def _scale_by_rss(u: Array, square: Array, p: None, first: Array, eps: Array, eps_in_sqrt: bool) -> tuple[Array, Array]:
    # The first value is a hyperparameter like any other, so it is added here and the state begins at zero.
    square = bounded(square) + bounded_square(u)
    return over_root(u, square + first, eps, eps_in_sqrt), square


@transformation
def adagrad(
    learning_rate: LearningRate,
    initial_accumulator_value: NonNegative = 0.0,
    eps: NonNegative = 1e-8,
    *,
    eps_in_sqrt: bool = False,
    weight_decay: NonNegative | None = None,
    where: Mask | None = None,
    maximize: bool = False,
) -> GradientTransformation:
    """Descend by gradients divided by the root of the sum of all their squares so far.

    s = s + g^2;  p - learning_rate g / (sqrt(s) + eps)

    Args:
      initial_accumulator_value: s at first. The paper's and PyTorch's is 0, Optax's 0.1.
      eps: added to the root, so that the quotient stays small where s is. PyTorch's is 1e-10, Optax's 1e-7.
      eps_in_sqrt: divide by sqrt(s + eps) instead, as Optax does.
      learning_rate, weight_decay, where, maximize: as for `adam`.

    Returns:
      A transformation that keeps one real array per array.

    References:
      Duchi, Hazan and Singer, 2011, Adaptive Subgradient Methods for Online Learning and Stochastic Optimization.
    """
    stages = [scale_by_rss(initial_accumulator_value, eps, eps_in_sqrt=eps_in_sqrt)]
    return descend(stages, learning_rate, weight_decay, where, maximize)
