"""An exponential moving average of updates."""

from __future__ import annotations

from jax import Array

from gradtx.core import Fraction, GradientTransformation, leafwise, transformation
from gradtx.transforms.averages import correction as correction_of
from gradtx.transforms.averages import one_minus
from gradtx.transforms.numerics import average


@transformation
def ema(decay: Fraction, debias: bool = True) -> GradientTransformation:
    """Average updates with weights that fall exponentially into the past.

    m = decay * m + (1 - decay) u, zero at first; the new update is m / (1 - decay^t), or m if not debiased.

    Args:
      decay: the weight of the previous average.
      debias: divide by the weight gathered so far, so that the first average is the first update.

    Returns:
      A transformation that keeps one average per array, in float32 or wider.

    Example:
      >>> import gradtx, jax.numpy as jnp
      >>> tx = gradtx.ema(0.5)
      >>> first, state = tx.update(jnp.array(1.0), tx.init(jnp.array(0.0)))
      >>> second, state = tx.update(jnp.array(4.0), state)
      >>> float(first), float(second)
      (1.0, 3.0)
    """
    return leafwise(
        _ema, keeps="average", one_minus_decay=one_minus(decay), correction=correction_of(decay) if debias else 1.0
    )


def _ema(u: Array, m: Array, p: None, one_minus_decay: Array, correction: Array) -> tuple[Array, Array]:
    m = average(m, u, one_minus_decay)
    return m / correction, m
