"""Stages that bound updates: each element, or the norm of them all."""

import functools
from typing import Any

import jax
import jax.numpy as jnp
from jax import lax

from gradtx.core import GradientTransformation, ScalarOrSchedule, leafwise, transformation, treewise
from gradtx.core.checks import in_range
from gradtx.core.numerics import cast, is_floating, scalar_dtype, sqrt, widen
from gradtx.core.trees import map_arrays

Array = jax.Array
PyTree = Any


@transformation
def clip(max_delta: ScalarOrSchedule) -> GradientTransformation:
    """Bound each element, by value.

    u = min(max(u, -max_delta), max_delta); of a complex element, the real and the imaginary part.

    Args:
      max_delta: the bound, at least 0; a number or a schedule.

    Returns:
      A transformation without state.

    Raises:
      ValueError: if `max_delta` is negative or not finite.

    Example:
      >>> import gradtx, jax.numpy as jnp
      >>> tx = gradtx.clip(1.0)
      >>> tx.update(jnp.array([-3.0, 0.5]), tx.init(jnp.zeros(2)))[0]
      Array([-1. ,  0.5], dtype=float32)
    """
    in_range("max_delta", max_delta)
    return leafwise(_clip, max_delta=max_delta)


def _clip(u: Array, s: None, p: None, max_delta: Array) -> tuple[Array, None]:
    if jnp.iscomplexobj(u):
        return lax.complex(jnp.clip(u.real, -max_delta, max_delta), jnp.clip(u.imag, -max_delta, max_delta)), s
    return jnp.clip(u, -max_delta, max_delta), s


@transformation
def clip_by_global_norm(max_norm: ScalarOrSchedule) -> GradientTransformation:
    """Bound the norm of all updates together, and keep their direction.

    u = u if ||u|| <= max_norm, else (max_norm / ||u||) u, with ||u|| over the whole tree.

    An infinite or NaN update makes all of them NaN: it is seen, and does not pass for a small step.

    Args:
      max_norm: the bound, at least 0; a number or a schedule.

    Returns:
      A transformation without state.

    Raises:
      ValueError: if `max_norm` is negative or not finite.

    References:
      Pascanu, Mikolov and Bengio, 2013, On the difficulty of training recurrent neural networks.

    Example:
      >>> import gradtx, jax.numpy as jnp
      >>> tx = gradtx.clip_by_global_norm(1.0)
      >>> tx.update(jnp.array([3.0, 4.0]), tx.init(jnp.zeros(2)))[0]
      Array([0.6, 0.8], dtype=float32)
    """
    in_range("max_norm", max_norm)
    return treewise(_clip_by_global_norm, max_norm=max_norm)


def _clip_by_global_norm(updates: PyTree, s: None, params: PyTree, max_norm: Array) -> tuple[PyTree, None]:
    leaves, treedef = jax.tree.flatten(updates)
    norm, scale = _scaled_norm(leaves)
    within = norm <= max_norm * scale
    factor = jnp.where(within, 1.0, max_norm / jnp.where(within, 1.0, norm))
    factor = jnp.where(jnp.isfinite(norm), factor, jnp.nan)
    # In two factors, for the norm of arrays of the largest numbers is beyond the largest number.
    factors = jnp.where(within, 1.0, scale), factor
    return jax.tree.unflatten(treedef, map_arrays(_times, [(u,) for u in leaves], factors)), s


def _times(row: tuple[Array], shared: tuple[Array, Array]) -> Array:
    u = row[0]
    first, second = (cast(factor, u.real.dtype) for factor in shared)
    return second * (first * u)


def global_norm(tree: PyTree) -> Array:
    """The Euclidean norm of all arrays of a tree together.

    Gathered in float32 or wider whatever the arrays are, and finite wherever the norm itself is.

    Args:
      tree: pytree of floating arrays of any shapes, real or complex; other leaves do not count.

    Returns:
      A real scalar; 0 for an empty tree, with a derivative of 0 where the norm is 0.

    Example:
      >>> import gradtx, jax.numpy as jnp
      >>> float(gradtx.global_norm({"a": jnp.array([3.0]), "b": jnp.array(4.0)}))
      5.0
    """
    norm, scale = _scaled_norm([jnp.asarray(x) for x in jax.tree.leaves(tree) if is_floating(x)])
    return norm / scale


def _scaled_norm(arrays: list[Array]) -> tuple[Array, Array]:
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
    """The sum of squares, and that of the squares of what is shrunk: beyond 1e19 a square overflows float32."""
    x = widen(row[0])
    if jnp.iscomplexobj(x):
        x = jnp.stack([x.real, x.imag])
    factors = jnp.array([1.0, _shrink(x.dtype)], x.dtype).reshape((2,) + (1,) * x.ndim)
    scaled = x[None] * factors
    if x.size == 1:  # of a single number XLA makes (c x)^2 into c^2 x^2, which overflows after all; not so of a maximum
        scaled = lax.max(lax.abs(scaled), jnp.zeros((), x.dtype))
    return jnp.sum(lax.square(scaled), axis=tuple(range(1, x.ndim + 1)))


def _add(a: Array, b: Array) -> Array:
    return lax.add(a, b) if a.dtype == b.dtype else a + b


def _shrink(dtype: Any) -> float:
    """A power of two that brings the largest number of a dtype below the root of itself."""
    return 2.0**-96 if jnp.finfo(dtype).bits == 32 else 2.0**-768
