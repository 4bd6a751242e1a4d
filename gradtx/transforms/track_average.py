"""The average of the parameters."""

from __future__ import annotations

import jax.numpy as jnp
from jax import Array

from gradtx.core import Count, GradientTransformation, leafwise, stepwise, transformation


@transformation
def track_average(start: Count = 0) -> GradientTransformation:
    """Keep the mean of the parameters over all steps from `start` on; updates pass unchanged. Put it last in a chain.

    a = a + (p + u - a) / max(1, t - start),  t = 1, 2, ...; it is in the state as `average`.

    Args:
      start: the number of steps to leave out; until then the average is the latest parameters.

    Returns:
      A transformation that keeps one array per array, in float32 or wider; its update needs `params`.

    References:
      Polyak and Juditsky, 1992, Acceleration of stochastic approximation by averaging.
    """
    return leafwise(
        _track_average,
        _itself,
        keeps="average",
        needs=("params",),
        weight=stepwise(_mean_weight, needs=("age",), start=start),
    )


def _mean_weight(step: Array, age: Array, start: int) -> Array:
    return 1 / jnp.maximum(age + 1.0 - start, 1.0)


def _itself(p: Array) -> Array:
    return p


def _track_average(u: Array, a: Array, p: Array, weight: Array) -> tuple[Array, Array]:
    return u, a + weight * (p + u - a)
