"""Noise added to updates: keys come from the seed, the step and the array, so that nothing is kept."""

from typing import Any

import jax
import jax.numpy as jnp

from gradtx.core import GradientTransformation, ScalarOrSchedule, leafwise, stepwise, transformation
from gradtx.core.checks import at_least, finite, in_range
from gradtx.core.numerics import is_key

Array = jax.Array


@transformation
def add_noise(eta: ScalarOrSchedule, gamma: ScalarOrSchedule, key: int | Array) -> GradientTransformation:
    """Add normal noise to updates, less of it with time.

    u + normal(0, eta / t^gamma),  t = 1, 2, ...; of a complex array, in both parts.

    Args:
      eta: the variance at the first step, at least 0; a number or a schedule.
      gamma: how fast it falls; 0 for noise that stays. The paper takes 0.55.
      key: a seed, an int; or a JAX key, which may be traced, and one per member of a population. The noise is a
        function of it, of the step and of the array's place in its tree: the same in every run, and after a restart
        from a checkpoint.

    Returns:
      A transformation without state.

    Raises:
      ValueError: if an argument is out of range.
      TypeError: if `key` is neither an int nor a JAX key.

    References:
      Neelakantan et al., 2015, Adding Gradient Noise Improves Learning for Very Deep Networks.
    """
    in_range("eta", eta)
    finite(gamma=gamma)
    if isinstance(key, jax.Array) and not is_key(key) and key.dtype == jnp.uint32:  # as jax.random.PRNGKey makes
        key = jax.random.wrap_key_data(key)
    if not is_key(key):
        if isinstance(key, bool) or not isinstance(key, int):
            raise TypeError(f"key = {key!r} is neither a seed, an int, nor a JAX key, as jax.random.key makes one.")
        at_least("key", key, 0)
    # A step in two parts, for as a float32 it would lose its last digits.
    parts: dict[str, Any] = {"low": stepwise(_low), "high": stepwise(_high)}
    deviation = stepwise(_deviation, eta=eta, gamma=gamma)
    return leafwise(_add_noise, needs=("index",), deviation=deviation, key=key, **parts)


def _deviation(step: Array, eta: Array, gamma: Array) -> Array:
    variance = eta * (step + 1.0) ** -gamma
    return jnp.where(variance > 0, jnp.sqrt(jnp.where(variance > 0, variance, 1)), 0)


def _low(step: Array) -> Array:
    return step % 2**16


def _high(step: Array) -> Array:
    return step // 2**16


def _add_noise(
    u: Array, s: None, p: None, deviation: Array, key: int | Array, low: Array, high: Array, index: Array
) -> tuple[Array, None]:
    folded = jax.random.key(key) if isinstance(key, int) else key
    for part in (index, high.astype(jnp.int32), low.astype(jnp.int32)):
        folded = jax.random.fold_in(folded, part)
    if jnp.iscomplexobj(u):
        real, imaginary = (jax.random.normal(k, u.shape, u.real.dtype) for k in jax.random.split(folded))
        return u + deviation * jax.lax.complex(real, imaginary), s
    return u + deviation * jax.random.normal(folded, u.shape, u.dtype), s
