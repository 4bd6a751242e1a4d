"""Signum: the sign of an average of gradients."""

from __future__ import annotations

from gradtx.core import Fraction, GradientTransformation, LearningRate, Mask, NonNegative, transformation
from gradtx.optimizers.common import descend
from gradtx.transforms.ema import ema
from gradtx.transforms.sign import scale_by_sign


@transformation
def signum(
    learning_rate: LearningRate,
    beta: Fraction = 0.9,
    *,
    weight_decay: NonNegative | None = None,
    where: Mask | None = None,
    maximize: bool = False,
) -> GradientTransformation:
    """Descend by the sign of an average of gradients.

    m = beta m + (1 - beta) g, zero at first;  p - learning_rate sign(m)

    Optax does the same.

    Args:
      beta: decay of the average.
      learning_rate, weight_decay, where, maximize: as for `adam`.

    Returns:
      A transformation that keeps one average per array.

    References:
      Bernstein, Wang, Azizzadenesheli and Anandkumar, 2018, signSGD: Compressed Optimisation for Non-Convex Problems.
    """
    return descend([ema(beta, debias=False), scale_by_sign()], learning_rate, weight_decay, where, maximize)
