"""LARS: momentum whose steps are in proportion to the arrays that they move."""

from __future__ import annotations

from gradtx.core import Axes, Fraction, GradientTransformation, LearningRate, Mask, NonNegative, chain, transformation
from gradtx.optimizers.common import decayed, negated
from gradtx.transforms.scaling import scale_by_learning_rate
from gradtx.transforms.trace import trace
from gradtx.transforms.trust_ratio import scale_by_trust_ratio


@transformation
def lars(
    learning_rate: LearningRate,
    trust_coefficient: NonNegative = 0.001,
    eps: NonNegative = 0.0,
    momentum: Fraction = 0.9,
    nesterov: bool = False,
    *,
    axes: Axes | None = None,
    weight_decay: NonNegative | None = None,
    where: Mask | None = None,
    maximize: bool = False,
) -> GradientTransformation:
    """Momentum whose steps are in proportion to the arrays that they move: for large batches.

    r = g + weight_decay p;  v = momentum v + learning_rate trust_coefficient r ||p|| / (||r|| + eps);  p - v

    This is Optax's rule. The paper divides by ||g|| + weight_decay ||p|| instead of ||r||.

    Args:
      trust_coefficient: the length of a step as a fraction of ||p||. The paper's default.
      eps: added to the norm.
      momentum: the fraction of the velocity that is left after a step.
      nesterov: use Nesterov's momentum.
      weight_decay: the fraction of the parameters that joins the gradient before it is given its length, which is what
        the method is. None for no decay.
      axes: as for `scale_by_trust_ratio`.
      learning_rate, where, maximize: as for `adam`.

    Returns:
      A transformation that keeps one velocity per array; its update needs `params`.

    References:
      You, Gitman and Ginsburg, 2017, Large Batch Training of Convolutional Networks.
    """
    return chain(
        *negated(maximize),
        *decayed(weight_decay, where),
        scale_by_trust_ratio(0.0, trust_coefficient, eps, axes=axes),
        scale_by_learning_rate(learning_rate),
        trace(momentum, nesterov),
    )
