"""Descent for private training."""

from typing import Any

import jax

from gradtx.core import GradientTransformation, ScalarOrSchedule, transformation
from gradtx.core.checks import at_least, in_range
from gradtx.optimizers.common import descend
from gradtx.transforms import (
    add_noise,
    trace,
)


@transformation
def dpsgd(
    learning_rate: ScalarOrSchedule,
    l2_norm_clip: float = 1.0,
    noise_multiplier: float = 1.0,
    batch_size: int = 1,
    key: int | jax.Array = 0,
    momentum: ScalarOrSchedule | None = None,
    nesterov: bool = False,
    *,
    weight_decay: ScalarOrSchedule | None = None,
    where: Any = None,
    maximize: bool = False,
) -> GradientTransformation:
    """Descent for private training: normal noise on the mean of clipped gradients.

    p - learning_rate (g + normal(0, (noise_multiplier l2_norm_clip / batch_size)^2))

    The gradient is `sum / batch_size`, of the sum that `per_example_global_norm_clip` makes. Optax's is given the
    gradients of single examples themselves.

    Args:
      learning_rate: at least 0; a number or a schedule.
      l2_norm_clip: the bound that each example's gradient was clipped to.
      noise_multiplier: deviation of the noise on their sum, in terms of the bound; at least 0.
      batch_size: how many examples the gradient is the mean of, at least 1.
      key: a seed, an int, or a JAX key; keep it secret.
      momentum: what is left of the velocity after a step, in [0, 1); None keeps none.
      nesterov: Nesterov's momentum.
      weight_decay: the part of the parameters that a step takes off beside, times the rate; None for none.
      where: which arrays decay, a mask as for `masked`; all if None.
      maximize: climb instead of descend.

    Returns:
      A transformation that keeps one velocity per array if there is momentum, else nothing.

    Raises:
      ValueError: if an argument is out of range.
      TypeError: if `key` is neither.

    References:
      Abadi et al., 2016, Deep Learning with Differential Privacy.
    """
    in_range("l2_norm_clip", l2_norm_clip)
    in_range("noise_multiplier", noise_multiplier)
    at_least("batch_size", batch_size, 1)
    return descend(
        add_noise((noise_multiplier * l2_norm_clip / batch_size) ** 2, 0.0, key),
        *([] if momentum is None else [trace(momentum, nesterov)]),
        learning_rate=learning_rate,
        weight_decay=weight_decay,
        where=where,
        maximize=maximize,
    )
