"""Schedules of the Transformer: a rise in a line, then a fall as the inverse square root of the step."""

from typing import Any

import jax
import jax.numpy as jnp
from jax import lax

from gradtx.core import ScalarOrSchedule, Schedule, stepwise, transformation
from gradtx.core.checks import at_least, finite
from gradtx.core.progress import after, as_float, as_step
from gradtx.schedules.warmup import after_warmup

Array = jax.Array


@transformation
def noam(model_size: int, warmup_steps: int = 4000, factor: ScalarOrSchedule = 1.0) -> Schedule:
    """Rise and fall as in the first Transformer, with a peak that follows from its size.

    factor * model_size^-0.5 * min(t^-0.5, t * warmup_steps^-1.5), t = step + 1.

    Args:
      model_size: the width of the model, at least 1.
      warmup_steps: the value rises for so many steps, at least 0; without any it falls from the first. 4000 is the
        paper's.
      factor: what all values are multiplied by; any finite number.

    Returns:
      A schedule.

    Raises:
      ValueError: if an argument is out of range.

    References:
      Vaswani et al., 2017, Attention Is All You Need.

    Example:
      >>> import gradtx
      >>> rate = gradtx.noam(model_size=4, warmup_steps=4)
      >>> [float(rate(step)) for step in (0, 1, 3, 15)]
      [0.0625, 0.125, 0.25, 0.125]
    """
    at_least("model_size", model_size, 1)
    at_least("warmup_steps", warmup_steps, 0)
    finite(factor=factor)
    return stepwise(_noam, model_size=model_size, warmup_steps=warmup_steps, factor=factor)


def _noam(step: Any, model_size: int, warmup_steps: int, factor: Array) -> Array:
    t = as_float(as_step(step)) + 1.0
    value = 1.0 / lax.sqrt(t)
    if warmup_steps:
        value = jnp.minimum(value, t * float(warmup_steps) ** -1.5)
    return factor * model_size**-0.5 * value


@transformation
def warmup_inverse_sqrt(
    peak_value: ScalarOrSchedule,
    warmup_steps: int,
    timescale: int | None = None,
    *,
    init_value: ScalarOrSchedule = 0.0,
) -> Schedule:
    """Rise in a line to a peak, then fall as an inverse square root, without an end.

    peak * s / Tw for s <= Tw = warmup_steps and init_value = 0, then peak / sqrt(1 + (s - Tw) / timescale), which with
    timescale = Tw is peak * sqrt(Tw / s).

    Args:
      peak_value: the value at warmup_steps; any finite number.
      warmup_steps: the number of steps that the rise takes, at least 0; at 0 the peak is there at step 0.
      timescale: the number of steps after which the value has fallen to 1 / sqrt(2) of the peak, at least 1;
        warmup_steps if not said (1 if there are none).
      init_value: the value at step 0; any finite number.

    Returns:
      A schedule.

    Raises:
      ValueError: if an argument is out of range.

    References:
      Vaswani et al., 2017, Attention Is All You Need.
      Ott et al., 2019, fairseq: A Fast, Extensible Toolkit for Sequence Modeling.

    Example:
      >>> import gradtx
      >>> rate = gradtx.warmup_inverse_sqrt(1.0, warmup_steps=4)
      >>> [float(rate(step)) for step in (0, 2, 4, 16, 64)]
      [0.0, 0.5, 1.0, 0.5, 0.25]
    """
    finite(peak_value=peak_value, init_value=init_value)
    at_least("warmup_steps", warmup_steps, 0)
    if timescale is None:
        timescale = max(warmup_steps, 1)
    at_least("timescale", timescale, 1)
    return stepwise(
        _warmup_inverse_sqrt,
        peak_value=peak_value,
        warmup_steps=warmup_steps,
        timescale=timescale,
        init_value=init_value,
    )


def _warmup_inverse_sqrt(step: Any, peak_value: Array, warmup_steps: int, timescale: int, init_value: Array) -> Array:
    step = as_step(step)
    falling = peak_value / lax.sqrt(1.0 + after(step, warmup_steps) / float(timescale))
    return after_warmup(step, init_value, peak_value, warmup_steps, falling)
