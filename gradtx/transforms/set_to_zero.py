"""Updates replaced by zero."""

from __future__ import annotations

import jax.numpy as jnp
from jax import Array

from gradtx.core import GradientTransformation, leafwise, transformation


@transformation
def set_to_zero() -> GradientTransformation:
    """Replace every update by zero, NaN included, so that parameters stay as they are, bit for bit.

    u = 0

    Returns:
      A transformation without state.

    Example:
      >>> import gradtx, jax.numpy as jnp
      >>> tx = gradtx.set_to_zero()
      >>> float(tx.update(jnp.array(jnp.nan), tx.init(jnp.array(0.0)))[0])
      -0.0
    """
    return leafwise(_zero)


def _zero(u: Array, s: None, p: None) -> tuple[Array, None]:
    # A zero of negative sign: -0 + -0 is -0, while -0 + 0 is 0, which has other bits than before.
    return jnp.full_like(u, -0.0), s
