"""Noise added to updates. Its keys are made of the seed, the step and the array, so that nothing is kept."""

from __future__ import annotations

from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jax import Array

from gradtx.core import Finite, GradientTransformation, NonNegative, leafwise, stepwise, transformation
from gradtx.core.numerics import is_key

# The kind of a key that is given as plain words, by their number.
KINDS = {(2,): "threefry2x32", (4,): "rbg"}


@transformation
def add_noise(eta: NonNegative, gamma: Finite, key: int | Array) -> GradientTransformation:
    """Add normal noise to updates, and less of it over time.

    u + normal(0, eta / t^gamma),  t = 1, 2, ...; of a complex array, in both parts.

    Args:
      eta: the variance at the first step.
      gamma: how fast the variance falls; 0 for noise that stays. The paper uses 0.55.
      key: a seed, or a JAX key, which may be traced, with one per member of a population. The noise is a function of
        it, of the step and of the array's place in its tree: the same in every run, and after a restart from a
        checkpoint.

    Returns:
      A transformation without state.

    Raises:
      TypeError: if `key` is neither an int nor a JAX key.

    References:
      Neelakantan et al., 2015, Adding Gradient Noise Improves Learning for Very Deep Networks.
    """
    # The step in two parts, because as a float32 it would lose its last digits.
    parts: dict[str, Any] = {"low": stepwise(_low), "high": stepwise(_high)}
    deviation = stepwise(_deviation, eta=eta, gamma=gamma)
    return leafwise(_add_noise, needs=("index",), deviation=deviation, key=_as_key(key), **parts)


def _as_key(key: Any) -> Any:
    """A JAX key, also from the plain words that `jax.random.PRNGKey` makes; or a seed."""
    words, kind = np.shape(key)[-1:], getattr(key, "dtype", None)
    if is_key(key):
        return key
    if kind == np.uint32 and words in KINDS:
        return jax.random.wrap_key_data(jnp.asarray(key), impl=KINDS[words])
    if isinstance(key, jax.Array) and jnp.issubdtype(key.dtype, jnp.integer):
        return jax.random.key(key)
    if isinstance(key, bool) or not isinstance(key, int | np.integer):
        raise TypeError(f"key = {key!r} is neither a seed, an int, nor a JAX key, as jax.random.key makes one.")
    if not 0 <= key < 2**32:
        raise ValueError(f"key = {key} is no seed: expected a whole number from 0 and below 2^32, or a JAX key.")
    return int(key)


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
