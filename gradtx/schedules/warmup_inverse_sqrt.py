"""Warm-up, then inverse square root decay."""

from __future__ import annotations

from jax import Array, lax

from gradtx.core import Count, Finite, PositiveCount, Schedule, transformation
from gradtx.schedules.progress import after
from gradtx.schedules.warmup import after_warmup


@transformation
def warmup_inverse_sqrt(
    peak_value: Finite, warmup_steps: Count, timescale: PositiveCount | None = None, *, init_value: Finite = 0.0
) -> Schedule:
    """Rise to a peak in a straight line, then decay as an inverse square root, without an end.

    peak * s / Tw for s <= Tw = warmup_steps and init_value = 0, then peak / sqrt(1 + (s - Tw) / timescale), which with
    timescale = Tw is peak * sqrt(Tw / s).

    Args:
      peak_value: the value at warmup_steps.
      warmup_steps: the number of steps the warm-up takes; at 0 the peak is at step 0.
      timescale: the number of steps after the peak at which the value has fallen to 1 / sqrt(2) of it, by default
        warmup_steps, or 1 if that is 0.
      init_value: the value at step 0.

    Returns:
      A schedule.

    References:
      Vaswani et al., 2017, Attention Is All You Need.
      Ott et al., 2019, fairseq: A Fast, Extensible Toolkit for Sequence Modeling.

    Example:
      >>> import gradtx
      >>> rate = gradtx.warmup_inverse_sqrt(1.0, warmup_steps=4)
      >>> [float(rate(step)) for step in (0, 2, 4, 16, 64)]
      [0.0, 0.5, 1.0, 0.5, 0.25]
    """
    if timescale is None:
        timescale = max(warmup_steps, 1)
    return after_warmup(_decay_as_root, peak_value, warmup_steps, init_value, timescale=timescale)


def _decay_as_root(step: Array, peak_value: Array, warmup_steps: int, timescale: int) -> Array:
    return peak_value / lax.sqrt(1.0 + after(step, warmup_steps) / float(timescale))
