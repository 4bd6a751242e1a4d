"""SGD without a schedule."""

from __future__ import annotations

import jax.numpy as jnp
from jax import Array

from gradtx.core import (
    Count,
    Fraction,
    GradientTransformation,
    LearningRate,
    Mask,
    NonNegative,
    stepwise,
    transformation,
)
from gradtx.optimizers.common import descend
from gradtx.wrappers.schedule_free import schedule_free


@transformation
def schedule_free_sgd(
    learning_rate: LearningRate = 1.0,
    b1: Fraction = 0.9,
    *,
    warmup_steps: Count = 0,
    weight_lr_power: NonNegative = 2.0,
    r: NonNegative = 0.0,
    weight_decay: NonNegative | None = None,
    where: Mask | None = None,
    maximize: bool = False,
) -> GradientTransformation:
    """Descend by gradients without a schedule: train between a sequence and its average, and evaluate with the average.

    z = z - rate (g + weight_decay y),  x = x + c (z - x),  y = b1 x + (1 - b1) z, c and x as in `schedule_free`

    `eval_params(tx, state, params)` gives x; params are y.

    Args:
      b1: how much of y is x; `momentum` in the authors' code, whose numbers these and the defaults are.
      warmup_steps: the rate rises linearly to `learning_rate` over so many steps: learning_rate (t + 1) / warmup_steps.
      weight_lr_power, r: as for `schedule_free`.
      weight_decay: an L2 penalty at y, as in the authors' code.
      learning_rate, where, maximize: as for `adam`.

    Returns:
      A transformation that keeps one array per array; its update needs `params`.

    References:
      Defazio et al., 2024, The Road Less Scheduled.
    """
    rate = warmed_up(learning_rate, warmup_steps)
    inner = descend([], rate, weight_decay, where, maximize)
    return schedule_free(inner, rate, b1=b1, weight_lr_power=weight_lr_power, r=r)


def warmed_up(learning_rate: LearningRate, warmup_steps: int) -> LearningRate:
    """A rate that rises over the first steps, of which the first is not zero."""
    return stepwise(_warmed_up, rate=learning_rate, warmup_steps=warmup_steps) if warmup_steps else learning_rate


def _warmed_up(step: Array, rate: Array, warmup_steps: int) -> Array:
    return rate * jnp.minimum((step + 1).astype(rate.dtype) / warmup_steps, 1.0)
