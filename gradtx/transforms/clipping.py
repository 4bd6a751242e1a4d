"""Stages that bound updates: each element, the norm of each array, or the norm of them all."""

import functools
from typing import Any

import jax
import jax.numpy as jnp
from jax import lax

from gradtx.core import GradientTransformation, ScalarOrSchedule, leafwise, transformation, treewise
from gradtx.core.checks import in_range
from gradtx.core.numerics import cast, is_floating, rms, scalar_dtype, sqrt, widen
from gradtx.core.numerics import norm as array_norm
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


@transformation
def clip_by_norm(max_norm: ScalarOrSchedule) -> GradientTransformation:
    """Bound the norm of each array's update by itself.

    u min(1, max_norm / ||u||), with ||u|| of the one array.

    Args:
      max_norm: the bound, at least 0; a number or a schedule.

    Returns:
      A transformation without state.

    Raises:
      ValueError: if `max_norm` is negative or not finite.

    Example:
      >>> import gradtx, jax.numpy as jnp
      >>> tx = gradtx.clip_by_norm(1.0)
      >>> tx.update([jnp.array([3.0, 4.0]), jnp.array([0.5])], tx.init([jnp.zeros(2), jnp.zeros(1)]))[0]
      [Array([0.6, 0.8], dtype=float32), Array([0.5], dtype=float32)]
    """
    in_range("max_norm", max_norm)
    return leafwise(_clip_by_norm, bound=max_norm)


def _clip_by_norm(u: Array, s: None, p: None, bound: Array) -> tuple[Array, None]:
    return _within(u, array_norm(u), bound), s


@transformation
def clip_by_block_rms(threshold: ScalarOrSchedule) -> GradientTransformation:
    """Bound the root mean square of each array's update, as Adafactor does.

    u min(1, threshold / rms(u))

    Args:
      threshold: the bound, at least 0; 1 in Adafactor. A number or a schedule.

    Returns:
      A transformation without state.

    Raises:
      ValueError: if `threshold` is negative or not finite.

    References:
      Shazeer and Stern, 2018, Adafactor: Adaptive Learning Rates with Sublinear Memory Cost.
    """
    in_range("threshold", threshold)
    return leafwise(_clip_by_block_rms, bound=threshold)


def _clip_by_block_rms(u: Array, s: None, p: None, bound: Array) -> tuple[Array, None]:
    return _within(u, rms(u), bound), s


@transformation
def adaptive_grad_clip(
    clipping: ScalarOrSchedule, eps: ScalarOrSchedule = 1e-3, axis: int | tuple[int, ...] | None = None
) -> GradientTransformation:
    """Bound the norm of each unit's update by a part of the norm of its parameters.

    u min(1, clipping max(||p||, eps) / ||u||), the norms unit by unit.

    Args:
      clipping: the part, at least 0; a number or a schedule. The paper takes 0.01 to 0.16.
      eps: the least norm of a parameter, so that what is zero can move; at least 0.
      axis: the axes over which a unit extends. None infers them as Optax does: none for a scalar and a vector, the
        first of a matrix, all but the last of a convolution's kernel.

    Returns:
      A transformation without state, whose update needs `params`.

    Raises:
      ValueError: if an argument is out of range.

    References:
      Brock, De, Smith and Simonyan, 2021, High-Performance Large-Scale Image Recognition Without Normalization.
    """
    in_range("clipping", clipping)
    in_range("eps", eps)
    return leafwise(_adaptive_grad_clip, needs=("params",), clipping=clipping, eps=eps, axis=axis)


def _adaptive_grad_clip(
    u: Array, s: None, p: Array, clipping: Array, eps: Array, axis: int | tuple[int, ...] | None
) -> tuple[Array, None]:
    if axis is None:
        # Of a vector all numbers together: a bias is one unit of its layer.
        axis = tuple(range(u.ndim)) if u.ndim < 2 else tuple(range(u.ndim - 1))
    of_u, of_p = (array_norm(x, axis) for x in (u, p))
    return _within(u, of_u, clipping * jnp.maximum(of_p, eps)), s


def _within(u: Array, size: Array, bound: Array) -> Array:
    """`u`, shrunk so that its size is within the bound; bit for bit where it is already."""
    within = size <= bound
    return jnp.where(within, u, u * (bound / jnp.where(within, 1, size)))


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


def per_example_global_norm_clip(grads: PyTree, l2_norm_clip: float | Array) -> tuple[PyTree, Array]:
    """The sum of gradients of single examples, each bounded in its global norm first; for private training.

    sum over examples of g min(1, l2_norm_clip / ||g||)

    Args:
      grads: pytree of arrays with the examples along their first axis, as `jax.vmap(jax.grad(loss))` gives them.
      l2_norm_clip: the bound, at least 0.

    Returns:
      A pytree of arrays without that axis, and the number of examples that were clipped.

    References:
      Abadi et al., 2016, Deep Learning with Differential Privacy.

    Example:
      >>> import gradtx, jax.numpy as jnp
      >>> gradtx.per_example_global_norm_clip(jnp.array([[3.0, 4.0], [0.0, 0.5]]), 1.0)
      (Array([0.6, 1.3], dtype=float32), Array(1, dtype=int32))
    """

    def clipped(g: PyTree) -> tuple[PyTree, Array]:
        leaves, treedef = jax.tree.flatten(g)
        norm = global_norm(g)
        bound = jnp.asarray(l2_norm_clip)
        return jax.tree.unflatten(treedef, [_within(widen(x), norm, bound) for x in leaves]), norm

    bounded, norms = jax.vmap(clipped)(grads)
    return jax.tree.map(lambda x: jnp.sum(x, 0), bounded), jnp.sum(norms > l2_norm_clip)


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
