"""Replacement of NaNs."""

from __future__ import annotations

import jax.numpy as jnp
from jax import Array

from gradtx.core import GradientTransformation, leafwise, transformation


@transformation
def zero_nans() -> GradientTransformation:
    """Replace every NaN by zero.

    u = 0 where u is NaN, else u

    Nothing reports that a NaN was there, so it is safer to skip such a step as a whole.

    Returns:
      A transformation without state. Optax's keeps which arrays had NaNs.
    """
    return leafwise(_zero_nans)


def _zero_nans(u: Array, s: None, p: None) -> tuple[Array, None]:
    return jnp.where(jnp.isnan(u), 0, u), s
