"""Updates reduced to their signs."""

from __future__ import annotations

import jax.numpy as jnp
from jax import Array

from gradtx.core import GradientTransformation, leafwise, transformation


@transformation
def scale_by_sign() -> GradientTransformation:
    """Keep only the sign of each number.

    u / |u|, and 0 where u is 0; for a complex number its direction.

    Returns:
      A transformation without state.

    References:
      Bernstein, Wang, Azizzadenesheli and Anandkumar, 2018, signSGD: Compressed Optimisation for Non-Convex Problems.

    Example:
      >>> import gradtx, jax.numpy as jnp
      >>> tx = gradtx.scale_by_sign()
      >>> tx.update(jnp.array([-3.0, 0.0, 0.5]), tx.init(jnp.zeros(3)))[0]
      Array([-1.,  0.,  1.], dtype=float32)
    """
    return leafwise(_sign)


def _sign(u: Array, s: None, p: None) -> tuple[Array, None]:
    return jnp.sign(u), s
