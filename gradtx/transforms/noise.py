"""Noise added to updates: keys come from the seed, the step and the array, so that nothing is kept."""

from typing import Any

import jax
import jax.numpy as jnp

from gradtx.core import GradientTransformation, ScalarOrSchedule, leafwise, stepwise, transformation
from gradtx.core.checks import at_least, finite, in_range

Array = jax.Array


@transformation
def add_noise(eta: ScalarOrSchedule, gamma: ScalarOrSchedule, key: int) -> GradientTransformation:
    """Add normal noise to updates, less of it with time.

    u + normal(0, eta / t^gamma),  t = 1, 2, ...; of a complex array, in both parts.

    Args:
      eta: the variance at the first step, at least 0; a number or a schedule.
      gamma: how fast it falls; 0 for noise that stays. The paper takes 0.55.
      key: a seed, an int. The noise is a function of it, of the step and of the array's place in its tree: the same
        in every run, and after a restart from a checkpoint.

    Returns:
      A transformation without state.

    Raises:
      ValueError: if an argument is out of range.
      TypeError: if `key` is no int; make one of a JAX key with `int(jax.random.bits(key))`.

    References:
      Neelakantan et al., 2015, Adding Gradient Noise Improves Learning for Very Deep Networks.
    """
    in_range("eta", eta)
    finite("gamma", gamma)
    if isinstance(key, jax.Array):
        raise TypeError("key is a JAX array, which would vary; expected an int: int(jax.random.bits(key)).")
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
    u: Array, s: None, p: None, deviation: Array, key: int, low: Array, high: Array, index: Array
) -> tuple[Array, None]:
    folded = jax.random.key(key)
    for part in (index, high.astype(jnp.int32), low.astype(jnp.int32)):
        folded = jax.random.fold_in(folded, part)
    if jnp.iscomplexobj(u):
        real, imaginary = (jax.random.normal(k, u.shape, u.real.dtype) for k in jax.random.split(folded))
        return u + deviation * jax.lax.complex(real, imaginary), s
    return u + deviation * jax.random.normal(folded, u.shape, u.dtype), s
