"""Dtypes: what is computed in which, and conversions that never leave a weak type behind."""

import functools
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

Array = jax.Array


def arithmetic_dtype(dtype: Any) -> np.dtype:
    """The dtype in which an array of `dtype` is computed: itself if 32 bits or wider, else float32."""
    dtype = np.dtype(dtype)
    if jnp.issubdtype(dtype, jnp.complexfloating) or dtype == np.float64:
        return dtype
    return np.dtype(np.float32)


def real_dtype(dtype: Any) -> np.dtype:
    """The dtype of the modulus of an array of `dtype`: complex64 gives float32."""
    return jnp.finfo(dtype).dtype


def scalar_dtype() -> np.dtype:
    """The dtype of hyperparameters and schedules: float32, or float64 under `jax_enable_x64`."""
    return jnp.result_type(float)


def is_floating(x: Any) -> bool:
    """Whether a leaf is a real or complex floating array (or a Python float), so that it can be trained."""
    if isinstance(x, jax.Array):
        return _is_inexact(x.dtype)
    return isinstance(x, float) or (hasattr(x, "shape") and hasattr(x, "dtype") and _is_inexact(x.dtype))


def is_key(x: Any) -> bool:
    """Whether a value is a JAX key, or an array of such, as `jax.random.key` makes."""
    return isinstance(x, jax.Array) and _is_of_keys(x.dtype)


# Kept from one call to the next, for every array of every step is asked for these.
@functools.cache
def _is_of_keys(dtype: Any) -> bool:
    return jnp.issubdtype(dtype, jax.dtypes.prng_key)


@functools.cache
def _is_inexact(dtype: Any) -> bool:
    return jnp.issubdtype(dtype, jnp.inexact)


@functools.cache
def is_narrow(dtype: Any) -> bool:
    """Whether a dtype is that of floating numbers of less than 32 bits; None is not."""
    return dtype is not None and _is_inexact(dtype) and np.dtype(dtype).itemsize < 4


def widen(x: Any) -> Any:
    """`x` in the dtype in which it is computed; what is not floating stays as it is."""
    return cast(x, arithmetic_dtype(x.dtype)) if is_floating(x) else x


def cast(x: Any, dtype: Any = None) -> Array:
    """`x` as an array of `dtype`, its own if not said; never of a weak type, which in a state costs a second trace.

    A JAX key is no number and stays as it is.
    """
    if is_key(x):
        return x
    dtype = jnp.result_type(x) if dtype is None else dtype
    if isinstance(x, jax.Array) and x.dtype == dtype and not x.weak_type:
        return x
    return jnp.asarray(x, dtype)
