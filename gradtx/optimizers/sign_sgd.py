"""SignSGD: the sign of the gradient."""

from __future__ import annotations

from gradtx.core import GradientTransformation, LearningRate, Mask, NonNegative, transformation
from gradtx.optimizers.common import descend
from gradtx.transforms.sign import scale_by_sign


@transformation
def sign_sgd(
    learning_rate: LearningRate,
    *,
    weight_decay: NonNegative | None = None,
    where: Mask | None = None,
    maximize: bool = False,
) -> GradientTransformation:
    """Descend by the sign of the gradient.

    p - learning_rate sign(g)

    Optax does the same.

    Args:
      learning_rate, weight_decay, where, maximize: as for `adam`.

    Returns:
      A transformation without state.

    References:
      Bernstein, Wang, Azizzadenesheli and Anandkumar, 2018, signSGD: Compressed Optimisation for Non-Convex Problems.
    """
    return descend([scale_by_sign()], learning_rate, weight_decay, where, maximize)
