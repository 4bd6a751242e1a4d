"""Arithmetic of whole trees for treewise stages: in float32 or wider, finite, with None left alone."""

from __future__ import annotations

import functools
from typing import Any

import jax
import jax.numpy as jnp
from jax import Array

from gradtx.core.numerics import cast, scalar_dtype, widen
from gradtx.core.scalars import as_scalar
from gradtx.core.trees import map_arrays
from gradtx.transforms.numerics import bounded_square

PyTree = Any


def wide(tree: PyTree) -> PyTree:
    """Every array in the dtype in which it is computed."""
    return jax.tree.map(widen, tree)


def zeros(tree: PyTree) -> PyTree:
    """Zeros like every array, in the dtype in which it is computed."""
    return jax.tree.map(lambda x: jnp.zeros_like(widen(x)), tree)


def real_zeros(tree: PyTree) -> PyTree:
    """Real zeros of the shape of every array."""
    return jax.tree.map(lambda x: jnp.zeros_like(widen(x).real), tree)


def scalar(x: float) -> Array:
    """A number to be kept in a state."""
    return jnp.array(x, scalar_dtype())


def loss(value: Any, maximize: bool) -> Array:
    """The extra argument `value` as a number that is to fall."""
    number = as_scalar(value, "value", "expected one number, such as the mean.")
    return -number if maximize else number


def scaled(tree: PyTree, factor: Array) -> PyTree:
    """Every array times a scalar, in its own dtype."""
    return jax.tree.map(lambda x: cast(factor, x.real.dtype) * x, tree)


def scaled_within(tree: PyTree, factor: Array) -> PyTree:
    """Every array times a scalar; what was finite stays below a quarter of the largest number, so that sums are too."""

    def one(x: Array) -> Array:
        y = cast(factor, x.real.dtype) * x
        quarter = jnp.finfo(x.dtype).max / 4
        return y if jnp.iscomplexobj(x) else jnp.where(jnp.isfinite(x), jnp.clip(y, -quarter, quarter), y)

    return jax.tree.map(one, tree)


def difference(a: PyTree, b: PyTree) -> PyTree:
    """A - b, array by array."""
    return jax.tree.map(jnp.subtract, a, b)


def inner_product(a: PyTree, b: PyTree) -> Array:
    """The real inner product of two trees; what would overflow is bounded."""
    return _total(jax.tree.map(lambda x, y: jnp.real(jnp.conj(x) * y), a, b))


def size(tree: PyTree) -> Array:
    """The sum of the moduli of all numbers."""
    return _total(jax.tree.map(jnp.abs, tree))


def _total(tree: PyTree) -> Array:
    leaves = jax.tree.leaves(tree)
    many = max(sum(x.size for x in leaves), 1)
    total = scalar(0.0)
    for x in leaves:
        bound = jnp.finfo(x.dtype).max / (4 * many)
        total = total + cast(jnp.sum(jnp.clip(x, -bound, bound)), total.dtype)
    return total


def hypot(a: Array, b: Array) -> Array:
    """sqrt(a^2 + b^2) of numbers that are not negative; it overflows nowhere, its derivative is finite at 0."""
    largest = jax.lax.stop_gradient(jnp.maximum(a, b))
    unit = jnp.where(largest > 0, largest, 1)
    square = (a / unit) ** 2 + (b / unit) ** 2
    return unit * jnp.where(square > 0, jnp.sqrt(jnp.where(square > 0, square, 1)), 0)


def bounded_norm(x: Array) -> Array:
    """A norm, and finite where gradients are, though the norm of the largest ones is not."""
    return jnp.where(jnp.isinf(x), jnp.finfo(x.dtype).max / 4, x)


def average_of(old: PyTree, new: PyTree, rate: Array) -> PyTree:
    """An exponential average one step on, array by array."""
    return jax.tree.map(lambda x, y: x + cast(rate, x.real.dtype) * (y - x), old, new)


def squares(tree: PyTree) -> PyTree:
    """|x|^2 of every number, finite."""
    return jax.tree.map(bounded_square, tree)


@functools.partial(jax.jit, inline=True)
def all_finite(tree: PyTree) -> Array:
    """Whether every number is finite."""
    found = map_arrays(_is_finite, [(x,) for x in jax.tree.leaves(tree)])
    return jnp.all(jnp.stack(found)) if found else jnp.array(True)


def _is_finite(row: tuple[Array], shared: tuple[()]) -> Array:
    return jnp.all(jnp.isfinite(row[0]))
