"""The norm of all arrays together."""

from __future__ import annotations

import functools
from typing import Any

import jax
import jax.numpy as jnp
from jax import Array, lax

from gradtx.core.numerics import is_floating, scalar_dtype, widen
from gradtx.core.trees import map_arrays
from gradtx.transforms.numerics import sqrt

PyTree = Any


def global_norm(tree: PyTree) -> Array:
    """The Euclidean norm of all arrays of a tree together.

    It is summed in float32 or wider whatever the arrays are, and is finite wherever the norm itself is.

    Args:
      tree: pytree of floating arrays of any shapes, real or complex; other leaves do not count.

    Returns:
      A real scalar; 0 for an empty tree, with a derivative of 0 where the norm is 0.

    Example:
      >>> import gradtx, jax.numpy as jnp
      >>> float(gradtx.global_norm({"a": jnp.array([3.0]), "b": jnp.array(4.0)}))
      5.0
    """
    norm, scale = scaled_norm([jnp.asarray(x) for x in jax.tree.leaves(tree) if is_floating(x)])
    return norm / scale


def scaled_norm(arrays: list[Array]) -> tuple[Array, Array]:
    """The norm of all arrays times a scale, and the scale: 1 unless the squares overflow."""
    if not arrays:
        return jnp.zeros((), scalar_dtype()), jnp.ones((), scalar_dtype())
    rows = map_arrays(_square_sums, [(x,) for x in arrays])
    while len(rows) > 1:  # a few at a time: XLA compiles one sum of thousands far more slowly
        rows = [functools.reduce(_add, rows[i : i + 16]) for i in range(0, len(rows), 16)]
    sums = rows[0]
    plain, shrunk = sums[0], sums[1]
    shrink, one = jnp.array(_shrink(sums.dtype), sums.dtype), jnp.ones((), sums.dtype)
    # Not jnp.where: behind a cond XLA computes the norm once. Otherwise it fuses the sums of a thousand arrays into
    # whatever each array is multiplied by afterwards, and compiles for minutes.
    return lax.cond(jnp.isinf(plain), lambda: (sqrt(shrunk), shrink), lambda: (sqrt(plain), one))


def _square_sums(row: tuple[Array], shared: tuple[()]) -> Array:
    """The sum of squares, and the sum of the squares of what is shrunk: beyond 1e19 a square overflows float32."""
    x = widen(row[0])
    if jnp.iscomplexobj(x):
        x = jnp.stack([x.real, x.imag])
    factors = jnp.array([1.0, _shrink(x.dtype)], x.dtype).reshape((2,) + (1,) * x.ndim)
    scaled = x[None] * factors
    if x.size == 1:  # XLA makes (c x)^2 of a single number into c^2 x^2, which overflows after all; not so of a maximum
        scaled = lax.max(lax.abs(scaled), jnp.zeros((), x.dtype))
    return jnp.sum(lax.square(scaled), axis=tuple(range(1, x.ndim + 1)))


def _add(a: Array, b: Array) -> Array:
    return lax.add(a, b) if a.dtype == b.dtype else a + b


def _shrink(dtype: Any) -> float:
    """A power of two that brings the largest number of a dtype below its own square root."""
    return 2.0**-96 if jnp.finfo(dtype).bits == 32 else 2.0**-768
