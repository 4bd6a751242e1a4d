"""Stages that keep, drop or multiply what they are given."""

import jax
import jax.numpy as jnp

from gradtx.core import GradientTransformation, leafwise, transformation

Array = jax.Array


@transformation
def identity() -> GradientTransformation:
    """Pass every update on as it is.

    u = u

    Returns:
      A transformation without state.

    Example:
      >>> import gradtx, jax.numpy as jnp
      >>> gradtx.identity().update(jnp.array(2.0), gradtx.identity().init(jnp.array(0.0)))[0]
      Array(2., dtype=float32)
    """
    return leafwise(_pass)


def _pass(u: Array, s: None, p: None) -> tuple[Array, None]:
    return u, s


@transformation
def set_to_zero() -> GradientTransformation:
    """Put zero in the place of every update, NaN included: parameters stay as they are, bit for bit.

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
    # Of negative sign: -0 + -0 is -0, while -0 + 0 is 0, other bits than before.
    return jnp.full_like(u, -0.0), s
