"""AdamW without a schedule."""

from __future__ import annotations

from gradtx.core import Count, Fraction, GradientTransformation, LearningRate, Mask, NonNegative, transformation
from gradtx.optimizers.common import descend
from gradtx.optimizers.schedule_free_sgd import warmed_up
from gradtx.transforms.rms import scale_by_rms
from gradtx.wrappers.schedule_free import schedule_free


@transformation
def schedule_free_adamw(
    learning_rate: LearningRate = 0.0025,
    b1: Fraction = 0.9,
    b2: Fraction = 0.999,
    eps: NonNegative = 1e-8,
    *,
    warmup_steps: Count = 0,
    weight_lr_power: NonNegative = 2.0,
    r: NonNegative = 0.0,
    weight_decay: NonNegative | None = None,
    where: Mask | None = None,
    maximize: bool = False,
) -> GradientTransformation:
    """Adam without a schedule: train between a sequence and its average, and evaluate with the average.

    v = b2 v + (1 - b2) g^2,  z = z - rate (g / (sqrt(v / (1 - b2^t)) + eps) + weight_decay y),
    x = x + c (z - x),  y = b1 x + (1 - b1) z, c and x as in `schedule_free`

    `eval_params(tx, state, params)` gives x; params are y.

    Args:
      b1: how much of y is x; the average stands for the first moment. The defaults are those of the authors' code.
      b2: decay of the average of squares.
      eps: added to the root, so that the quotient stays small where v is.
      warmup_steps: the rate rises linearly to `learning_rate` over so many steps: learning_rate (t + 1) / warmup_steps.
      weight_lr_power, r: as for `schedule_free`.
      weight_decay: the fraction of y, times the rate, that z is pulled back by.
      learning_rate, where, maximize: as for `adam`.

    Returns:
      A transformation that keeps two arrays per array; its update needs `params`.

    References:
      Defazio et al., 2024, The Road Less Scheduled.
    """
    rate = warmed_up(learning_rate, warmup_steps)
    inner = descend([scale_by_rms(b2, eps, bias_correction=True)], rate, weight_decay, where, maximize)
    return schedule_free(inner, rate, b1=b1, weight_lr_power=weight_lr_power, r=r)
