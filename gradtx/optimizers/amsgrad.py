"""AMSGrad: Adam whose second moment never falls."""

from __future__ import annotations

import jax.numpy as jnp
from jax import Array

from gradtx.core import (
    Fraction,
    GradientTransformation,
    LearningRate,
    Mask,
    NonNegative,
    chain,
    leafwise,
    transformation,
)
from gradtx.optimizers.common import descend
from gradtx.transforms.moments import Moments, bias_correction, scale_by_moments, track_moments
from gradtx.transforms.numerics import real_zeros


@transformation
def track_maximum() -> GradientTransformation:
    """Replace each second moment by the largest that it has been.

    largest = max(largest, v), zero at first.

    Returns:
      A transformation that takes and gives `Moments`; it keeps one array per array, in float32 or wider.

    References:
      Reddi, Kale and Kumar, 2018, On the Convergence of Adam and Beyond.
    """
    return leafwise(_track_maximum, real_zeros, keeps="largest", takes=Moments, gives=Moments)


def _track_maximum(moments: Moments, largest: Array, p: None) -> tuple[Moments, Array]:
    largest = jnp.maximum(largest, moments.second)
    return moments._replace(second=largest), largest


@transformation
def scale_by_amsgrad(
    b1: Fraction = 0.9, b2: Fraction = 0.999, eps: NonNegative = 1e-8, eps_root: NonNegative | None = None
) -> GradientTransformation:
    """Adam's quotient over the largest second moment so far, after bias correction, as Optax has it.

    As `scale_by_adam`, with max(v', v / (1 - b2^t)) for v / (1 - b2^t). The optimizer `amsgrad` takes the largest v
    before its bias is corrected, as PyTorch does.

    Args:
      b1, b2, eps, eps_root: as for `scale_by_adam`.

    Returns:
      A transformation that keeps `Moments` and the largest second moment, under the names of its stages.

    References:
      Reddi, Kale and Kumar, 2018, On the Convergence of Adam and Beyond.
    """
    return chain(track_moments(b1, b2), bias_correction(b1, b2), track_maximum(), scale_by_moments(eps, eps_root))


@transformation
def amsgrad(
    learning_rate: LearningRate,
    b1: Fraction = 0.9,
    b2: Fraction = 0.999,
    eps: NonNegative = 1e-8,
    *,
    weight_decay: NonNegative | None = None,
    where: Mask | None = None,
    maximize: bool = False,
) -> GradientTransformation:
    """Adam whose second moment never falls.

    v' = max(v', v) takes the place of v.

    The largest second moment is taken before bias correction, as in PyTorch. The paper corrects nothing: leave
    `bias_correction` out of the chain. Optax takes the largest corrected one: put `track_maximum` after it.

    Args:
      learning_rate, b1, b2, eps, weight_decay, where, maximize: as for `adam`.

    Returns:
      A transformation that keeps `Moments` and the largest second moment: three arrays per array.

    References:
      Reddi, Kale and Kumar, 2018, On the Convergence of Adam and Beyond.
    """
    stages = track_moments(b1, b2), track_maximum(), bias_correction(b1, b2), scale_by_moments(eps)
    return descend(stages, learning_rate, weight_decay, where, maximize)
