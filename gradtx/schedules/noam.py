"""The schedule of the original Transformer."""

from __future__ import annotations

import jax.numpy as jnp
from jax import Array, lax

from gradtx.core import Count, Finite, PositiveCount, Schedule, stepwise, transformation
from gradtx.schedules.progress import as_float, as_step


@transformation
def noam(model_size: PositiveCount, warmup_steps: Count = 4000, factor: Finite = 1.0) -> Schedule:
    """Rise and then fall as in the original Transformer, with a peak that depends on the width of the model.

    factor * model_size^-0.5 * min(t^-0.5, t * warmup_steps^-1.5), t = step + 1.

    Args:
      model_size: the width of the model.
      warmup_steps: the number of steps the rise takes; at 0 the value falls from the start. 4000 is the paper's value.
      factor: a factor on all values.

    Returns:
      A schedule.

    References:
      Vaswani et al., 2017, Attention Is All You Need.

    Example:
      >>> import gradtx
      >>> rate = gradtx.noam(model_size=4, warmup_steps=4)
      >>> [float(rate(step)) for step in (0, 1, 3, 15)]
      [0.0625, 0.125, 0.25, 0.125]
    """
    return stepwise(_noam, model_size=model_size, warmup_steps=warmup_steps, factor=factor)


def _noam(step: Array, model_size: int, warmup_steps: int, factor: Array) -> Array:
    t = as_float(as_step(step)) + 1.0
    value = 1.0 / lax.sqrt(t)
    if warmup_steps:
        value = jnp.minimum(value, t * float(warmup_steps) ** -1.5)
    return factor * model_size**-0.5 * value
