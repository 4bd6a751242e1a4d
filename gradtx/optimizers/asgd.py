"""Averaged SGD: a rate that falls, and the average of the parameters."""

from __future__ import annotations

from jax import Array

from gradtx.core import Count, GradientTransformation, LearningRate, Mask, NonNegative, chain, stepwise, transformation
from gradtx.optimizers.common import decayed, negated
from gradtx.transforms.decay import add_decayed_weights
from gradtx.transforms.scaling import scale_by_learning_rate
from gradtx.transforms.track_average import track_average


@transformation
def asgd(
    learning_rate: LearningRate,
    lambd: NonNegative = 1e-4,
    alpha: NonNegative = 0.75,
    t0: Count = 1_000_000,
    *,
    weight_decay: NonNegative | None = None,
    where: Mask | None = None,
    maximize: bool = False,
) -> GradientTransformation:
    """Descend with a rate that falls, and keep the average of the parameters.

    eta = learning_rate / (1 + lambd learning_rate t)^alpha, t = 0 at first;  p - eta (g + lambd p);
    a = a + (p - a) / max(1, t - t0), in the state as `average`, as in PyTorch

    Args:
      lambd: decay of the parameters and of the rate. PyTorch's default, as are those below.
      alpha: how fast the rate falls.
      t0: the number of steps before the average begins; until then it is the latest parameters.
      learning_rate, weight_decay, where, maximize: as for `adam`.

    Returns:
      A transformation that keeps the average, one array per array; its update needs `params`.

    References:
      Polyak and Juditsky, 1992, Acceleration of stochastic approximation by averaging.
    """
    return chain(
        *negated(maximize),
        add_decayed_weights(lambd),
        *decayed(weight_decay, where),
        scale_by_learning_rate(stepwise(_falling, learning_rate=learning_rate, lambd=lambd, alpha=alpha)),
        track_average(t0 + 1),
    )


def _falling(step: Array, learning_rate: Array, lambd: Array, alpha: Array) -> Array:
    return learning_rate / (1.0 + lambd * learning_rate * step) ** alpha
