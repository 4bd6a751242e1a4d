"""Trees as vectors: products and lengths in which neither huge nor tiny numbers over- or underflow."""

from __future__ import annotations

import functools
from typing import Any

import jax
import jax.numpy as jnp
from jax import Array

from gradtx.core.numerics import cast, real_dtype, scalar_dtype, widen
from gradtx.transforms.numerics import sqrt

PyTree = Any


def dtype_of(tree: PyTree) -> Any:
    """The widest real dtype in which the arrays of a tree are computed; that of scalars if there are none."""
    dtypes = [real_dtype(widen(x).dtype) for x in jax.tree.leaves(tree)]
    return jnp.result_type(*dtypes) if dtypes else scalar_dtype()


def refuse_complex(tree: PyTree, name: str) -> None:
    """Raise if an array is complex.

    Raises:
      TypeError: if so; the message says what to do.
    """
    if any(map(jnp.iscomplexobj, jax.tree.leaves(tree))):
        raise TypeError(
            f"{name} asks the loss for values along a line, and is for real parameters only. Give the real and the "
            "imaginary part as parameters of their own, and put them together in the loss."
        )


def dot(a: PyTree, b: PyTree) -> Array:
    """The inner product of two trees of real arrays, as it is: of directions, which have length one."""
    dtype = dtype_of((a, b))
    # A sum, for a contraction of arrays on an explicit mesh asks where its result is to be.
    products = [cast(jnp.sum(x * y), dtype) for x, y in zip(jax.tree.leaves(a), jax.tree.leaves(b), strict=True)]
    return functools.reduce(jnp.add, products, jnp.zeros((), dtype))


def plus(a: PyTree, factor: Array, b: PyTree) -> PyTree:
    """A + factor b."""
    return jax.tree.map(lambda x, y: x + cast(factor, x.dtype) * y, a, b)


def largest(tree: PyTree) -> Array:
    """The largest modulus of all numbers of a tree, 0 without any."""
    dtype = dtype_of(tree)
    moduli = [cast(jnp.max(jnp.abs(x), initial=0), dtype) for x in jax.tree.leaves(tree)]
    return functools.reduce(jnp.maximum, moduli, jnp.zeros((), dtype))


def polar(tree: PyTree) -> tuple[PyTree, Array]:
    """The direction of a tree, which has length one, and its length; both 0 where it is 0.

    The length is finite wherever the numbers are.
    """
    size = jax.lax.stop_gradient(largest(tree))
    some = ~(size < jnp.finfo(size.dtype).tiny)  # what is not finite has no length that is
    unit = jax.tree.map(lambda x: x / cast(jnp.where(some, size, 1), x.dtype), tree)
    root = jnp.where(some, sqrt(dot(unit, unit)), 1)
    bounded = jnp.where(jnp.isfinite(size), jnp.minimum(size, jnp.finfo(size.dtype).max / 4 / root), size)
    length = jnp.where(some, bounded * root, 0)
    by = jnp.where(some, 1 / root, 0)
    return jax.tree.map(lambda x: x * cast(by, x.dtype), unit), length
