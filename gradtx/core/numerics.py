"""Arithmetic that every stage shares: at least float32, finite, and differentiable at zero."""

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
    if isinstance(x, float):
        return True
    return hasattr(x, "dtype") and hasattr(x, "shape") and jnp.issubdtype(x.dtype, jnp.inexact)


def widen(x: Any) -> Any:
    """`x` in the dtype in which it is computed; what is not floating stays as it is."""
    return x.astype(arithmetic_dtype(x.dtype)) if is_floating(x) else x


def strong(x: Any) -> Array:
    """`x` as an array whose dtype is its own and not a Python number's: a weak type in the state costs a second trace."""
    return jnp.asarray(x, jnp.result_type(x))


@jax.custom_jvp
def sqrt(x: Array) -> Array:
    """Square root whose derivative at 0 is 0, so that meta-gradients stay finite where a gradient is zero."""
    return jnp.sqrt(x)


@sqrt.defjvp
def _sqrt_jvp(primals: tuple[Array], tangents: tuple[Array]) -> tuple[Array, Array]:
    root = sqrt(*primals)
    positive = root > 0
    return root, jnp.where(positive, 0.5 / jnp.where(positive, root, 1), 0) * tangents[0]


def abs_square(x: Array) -> Array:
    """|x|^2, elementwise and real, also for complex `x`."""
    if jnp.iscomplexobj(x):
        return jnp.square(x.real) + jnp.square(x.imag)
    return jnp.square(x)


def saturate(x: Array) -> Array:
    """Bound the modulus of `x` by the largest number whose square is finite: 1.8e19 in float32.

    A gradient beyond it would turn a second moment into infinity, and so freeze its parameter for good.
    Infinities and NaN pass unchanged, to be seen.
    """
    limit = float(np.sqrt(jnp.finfo(x.dtype).max)) * 0.99
    if jnp.iscomplexobj(x):
        modulus = jnp.abs(x)
        return jnp.where(modulus > limit, x * (limit / jnp.maximum(modulus, limit)), x)
    return jnp.where(jnp.isinf(x), x, jnp.clip(x, -limit, limit))


def positive(eps: Array) -> Array:
    """`eps`, or the root of the smallest normal number if it is below: a denominator that is never zero.

    An eps of 0 (also 1e-8 rounded to float16) then divides a zero gradient to zero and not to NaN.
    """
    return jnp.maximum(eps, float(np.sqrt(jnp.finfo(jnp.result_type(eps)).tiny)))
