"""Arithmetic that stages share: finite, and differentiable at zero."""

import functools
from typing import Any

import jax
import jax.numpy as jnp
from jax import Array, lax


def real_zeros(p: Array) -> Array:
    """Zeros of the shape of `p`, and real also where `p` is complex: what a second moment begins as."""
    return jnp.zeros_like(p.real)


def abs_square(x: Array) -> Array:
    """|x|^2, elementwise and real, also for complex `x`."""
    if jnp.iscomplexobj(x):
        return lax.square(lax.real(x)) + lax.square(lax.imag(x))
    return lax.square(x)


def average(old: Array, new: Array, rate: Array) -> Array:
    """(1 - rate) old + rate new: an exponential average one step on. In this form it loses fewer digits."""
    return old + rate * (new - old)


def norm(x: Array, axis: Any = None) -> Array:
    """The Euclidean norm of one array, or along `axis`, kept: no square overflows, no derivative is infinite."""
    size, root_of_sum = _scaled(x, lambda squares: jnp.sum(squares, axis, keepdims=axis is not None))
    return size * root_of_sum


def rms(x: Array) -> Array:
    """The root of the mean of |x|^2 of one array, 0 if it is empty; finite wherever x is."""
    size, root_of_mean = _scaled(x, lambda squares: jnp.sum(squares) / float(max(squares.size, 1)))
    return size * root_of_mean


def _scaled(x: Array, reduce: Any) -> tuple[Array, Array]:
    largest = lax.stop_gradient(jnp.max(jnp.abs(x), initial=0))
    size = jnp.where(largest > 0, largest, 1)
    return size, sqrt(reduce(abs_square(x / size)))


def bounded(x: Array) -> Array:
    """`x`, or a quarter of the largest number if that is less."""
    return lax.min(x, _quarter_of_max(x.dtype))


def bounded_square(x: Array) -> Array:
    """|x|^2, and finite.

    One gradient beyond 1e19 would otherwise turn a second moment into infinity, and freeze its parameter for good.
    """
    return bounded(abs_square(x))


def root(x: Array) -> Array:
    """The square root of `x` >= 0, and at least 1e-19 (in float32): a denominator that is never zero.

    A zero gradient is then divided to zero and not to NaN, also where eps is 0 or 1e-8 rounded to float16, and the
    derivative with respect to it is finite.
    """
    return lax.sqrt(lax.max(x, _tiny(x.dtype)))


@jax.custom_jvp
def sqrt(x: Array) -> Array:
    """The square root of `x` >= 0, with a derivative of 0 at 0."""
    return lax.sqrt(x)


@sqrt.defjvp
def _sqrt_jvp(primals: tuple[Array], tangents: tuple[Array]) -> tuple[Array, Array]:
    y = sqrt(*primals)
    positive = y > 0
    return y, jnp.where(positive, 0.5 / jnp.where(positive, y, 1), 0) * tangents[0]


@functools.cache
def _quarter_of_max(dtype: Any) -> Any:
    return dtype.type(jnp.finfo(dtype).max / 4)


@functools.cache
def _tiny(dtype: Any) -> Any:
    return dtype.type(jnp.finfo(dtype).tiny)


@jax.custom_jvp
def one_minus_power(x: Array, t: Array) -> Array:
    """1 - (1 - x)^t, with all its digits for small x, and with a derivative at x = 1 too."""
    return -jnp.expm1(t * jnp.log1p(-x))


@one_minus_power.defjvp
def _one_minus_power_jvp(primals: tuple[Array, Array], tangents: tuple[Array, Array]) -> tuple[Array, Array]:
    (x, t), (dx, dt) = primals, tangents
    some = x < 1
    log = jnp.log1p(-jnp.where(some, x, 0))
    before = jnp.where(some, jnp.exp((t - 1) * log), jnp.where(t == 1, 1.0, 0.0))
    return one_minus_power(x, t), t * before * dx - jnp.where(some, log * (1 - x) * before, 0) * dt
