"""Bounds on updates: on each number, on the norm of each array, on the norm of all, and on norms as they used to be."""

from __future__ import annotations

from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
from jax import Array, lax

from gradtx.core import (
    Axes,
    Fraction,
    GradientTransformation,
    NonNegative,
    Positive,
    PositiveCount,
    leafwise,
    transformation,
    treewise,
)
from gradtx.core.axes import AxesOfArray, axes_of
from gradtx.core.numerics import cast, widen
from gradtx.core.trees import map_arrays
from gradtx.transforms import trees
from gradtx.transforms.global_norm import global_norm, scaled_norm
from gradtx.transforms.numerics import norm, rms

PyTree = Any


@transformation
def clip(max_delta: NonNegative) -> GradientTransformation:
    """Bound each number, by value.

    u = min(max(u, -max_delta), max_delta); of a complex number, both the real and the imaginary part.

    Args:
      max_delta: the bound.

    Returns:
      A transformation without state.

    Example:
      >>> import gradtx, jax.numpy as jnp
      >>> tx = gradtx.clip(1.0)
      >>> tx.update(jnp.array([-3.0, 0.5]), tx.init(jnp.zeros(2)))[0]
      Array([-1. ,  0.5], dtype=float32)
    """
    return leafwise(_clip, max_delta=max_delta)


def _clip(u: Array, s: None, p: None, max_delta: Array) -> tuple[Array, None]:
    if jnp.iscomplexobj(u):
        return lax.complex(jnp.clip(u.real, -max_delta, max_delta), jnp.clip(u.imag, -max_delta, max_delta)), s
    return jnp.clip(u, -max_delta, max_delta), s


@transformation
def clip_by_global_norm(max_norm: NonNegative) -> GradientTransformation:
    """Bound the norm of all updates together, and keep their direction.

    u = u if ||u|| <= max_norm, else (max_norm / ||u||) u, with ||u|| over the whole tree.

    An infinite or NaN update turns all of them into NaN, so that it is seen and does not pass for a small step.

    Args:
      max_norm: the bound.

    Returns:
      A transformation without state.

    References:
      Pascanu, Mikolov and Bengio, 2013, On the difficulty of training recurrent neural networks.

    Example:
      >>> import gradtx, jax.numpy as jnp
      >>> tx = gradtx.clip_by_global_norm(1.0)
      >>> tx.update(jnp.array([3.0, 4.0]), tx.init(jnp.zeros(2)))[0]
      Array([0.6, 0.8], dtype=float32)
    """
    return treewise(_clip_by_global_norm, max_norm=max_norm)


def _clip_by_global_norm(updates: PyTree, s: None, params: PyTree, max_norm: Array) -> tuple[PyTree, None]:
    leaves, treedef = jax.tree.flatten(updates)
    size, scale = scaled_norm(leaves)
    within = size <= max_norm * scale
    factor = jnp.where(within, 1.0, max_norm / jnp.where(within, 1.0, size))
    factor = jnp.where(jnp.isfinite(size), factor, jnp.nan)
    # In two factors, because the norm of arrays of the largest numbers is beyond the largest number.
    factors = jnp.where(within, 1.0, scale), factor
    return jax.tree.unflatten(treedef, map_arrays(_times, [(u,) for u in leaves], factors)), s


def _times(row: tuple[Array], shared: tuple[Array, Array]) -> Array:
    u = row[0]
    first, second = (cast(factor, u.real.dtype) for factor in shared)
    return second * (first * u)


@transformation
def clip_by_norm(max_norm: NonNegative, *, axes: Axes | None = None) -> GradientTransformation:
    """Bound the norm of each array's update by itself.

    u min(1, max_norm / ||u||), with ||u|| of the one array.

    Args:
      max_norm: the bound.
      axes: what the axes of arrays are, as for `muon`: each matrix then counts as an array. By default each array does.

    Returns:
      A transformation without state.

    Example:
      >>> import gradtx, jax.numpy as jnp
      >>> tx = gradtx.clip_by_norm(1.0)
      >>> tx.update([jnp.array([3.0, 4.0]), jnp.array([0.5])], tx.init([jnp.zeros(2), jnp.zeros(1)]))[0]
      [Array([0.6, 0.8], dtype=float32), Array([0.5], dtype=float32)]
    """
    return leafwise(_clip_by_norm, axes=axes, bound=max_norm)


def _clip_by_norm(u: Array, s: None, p: None, bound: Array) -> tuple[Array, None]:
    return _shrink_to(u, norm(u), bound), s


@transformation
def clip_by_block_rms(threshold: NonNegative, *, axes: Axes | None = None) -> GradientTransformation:
    """Bound the root mean square of each array's update, as Adafactor does.

    u min(1, threshold / rms(u))

    Args:
      threshold: the bound; 1 in Adafactor.
      axes: what the axes of arrays are, as for `muon`: each matrix then counts as an array. By default each array does.

    Returns:
      A transformation without state.

    References:
      Shazeer and Stern, 2018, Adafactor: Adaptive Learning Rates with Sublinear Memory Cost.
    """
    return leafwise(_clip_by_block_rms, axes=axes, bound=threshold)


def _clip_by_block_rms(u: Array, s: None, p: None, bound: Array) -> tuple[Array, None]:
    return _shrink_to(u, rms(u), bound), s


@transformation
def adaptive_grad_clip(
    clipping: NonNegative, eps: NonNegative = 1e-3, *, axes: Axes | None = None
) -> GradientTransformation:
    """Bound the norm of each unit's update by a fraction of the norm of its parameters.

    u min(1, clipping max(||p||, eps) / ||u||), the norms unit by unit.

    Args:
      clipping: the fraction; the paper uses 0.01 to 0.16.
      eps: the least norm of a parameter, so that what is zero can move.
      axes: what the axes of arrays are, as for `muon`; each output of a matrix is a unit, and an array without axes is
        one. By default the last axis is the outputs and all others are inputs.

    Returns:
      A transformation without state, whose update needs `params`.

    References:
      Brock, De, Smith and Simonyan, 2021, High-Performance Large-Scale Image Recognition Without Normalization.
    """
    return leafwise(
        _adaptive_grad_clip, needs=("params", "axes"), axes=axes_of(axes, "units"), clipping=clipping, eps=eps
    )


def _adaptive_grad_clip(
    u: Array, s: None, p: Array, axes: AxesOfArray | None, clipping: Array, eps: Array
) -> tuple[Array, None]:
    axis = None if axes is None else 0  # all numbers of a vector together: a bias is one unit of its layer
    of_u, of_p = (norm(x, axis) for x in (u, p))
    return _shrink_to(u, of_u, clipping * jnp.maximum(of_p, eps)), s


def _shrink_to(u: Array, size: Array, bound: Array) -> Array:
    """`u`, shrunk so that its size is within the bound; bit for bit as it was if it already is."""
    within = size <= bound
    return jnp.where(within, u, u * (bound / jnp.where(within, 1, size)))


def per_example_global_norm_clip(grads: PyTree, l2_norm_clip: float | Array) -> tuple[PyTree, Array]:
    """The sum of the gradients of single examples, each clipped by its global norm first, for private training.

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
        size = global_norm(g)
        bound = jnp.asarray(l2_norm_clip)
        return jax.tree.unflatten(treedef, [_shrink_to(widen(x), size, bound) for x in leaves]), size

    bounded, norms = jax.vmap(clipped)(grads)
    return jax.tree.map(lambda x: jnp.sum(x, 0), bounded), jnp.sum(norms > l2_norm_clip)


class ClipByNormQuantileState(NamedTuple):
    """The most recent norms, in no order, and how many there have been."""

    last: Array
    seen: Array


@transformation
def clip_by_norm_quantile(quantile: Fraction = 0.1, window: PositiveCount = 1000) -> GradientTransformation:
    """Bound the norm of all updates by a quantile of recent norms, as AutoClip does.

    u min(1, q / ||u||), with q the quantile of the norms of the last steps, this one included.

    Args:
      quantile: which quantile; the paper's 0.1 clips nine steps in ten.
      window: how many norms are kept; the paper keeps all.

    Returns:
      A transformation that keeps a `ClipByNormQuantileState`.

    References:
      Seetharaman, Wichern, Pardo and Le Roux, 2020, AutoClip: Adaptive Gradient Clipping for Source
      Separation Networks.
    """

    def init(params: PyTree) -> ClipByNormQuantileState:
        return ClipByNormQuantileState(jnp.full(window, jnp.inf, trees.scalar(0.0).dtype), jnp.zeros((), jnp.int32))

    return treewise(_clip_by_norm_quantile, init, keeps=ClipByNormQuantileState, quantile=quantile)


def _clip_by_norm_quantile(
    updates: PyTree, s: ClipByNormQuantileState, params: PyTree, quantile: Array
) -> tuple[PyTree, ClipByNormQuantileState]:
    size = trees.bounded_norm(global_norm(updates))
    window = s.last.size
    # A step that is not finite leaves no trace.
    finite = jnp.isfinite(size)
    last = jnp.where(finite, s.last.at[s.seen % window].set(size), s.last)
    seen = jnp.where(finite, jnp.minimum(s.seen, jnp.iinfo(jnp.int32).max - window) + 1, s.seen)
    ordered = jnp.sort(last)
    position = quantile * (jnp.clip(seen, 1, window) - 1)
    low = jnp.floor(position).astype(jnp.int32)
    high = jnp.minimum(low + 1, jnp.maximum(jnp.minimum(seen, window) - 1, low))
    below, above = ordered[low], ordered[high]
    below, above = (jnp.where(jnp.isfinite(x), x, size) for x in (below, above))
    bound = below + (position - low) * (above - below)
    return _shrink_tree_to(updates, size, bound), ClipByNormQuantileState(last, seen)


def _shrink_tree_to(updates: PyTree, size: Array, bound: Array) -> PyTree:
    within = size <= bound
    return trees.scaled(updates, jnp.where(within, 1, bound / jnp.where(within, 1, size)))


class ClipByNormZscoreState(NamedTuple):
    """The mean and variance of norms, and how many have entered them."""

    mean: Array
    variance: Array
    seen: Array


@transformation
def clip_by_norm_zscore(
    threshold: Positive = 2.5, decay: Fraction = 0.97, warmup_steps: PositiveCount = 25
) -> GradientTransformation:
    """Clip the norm of all updates when its z-score against recent norms exceeds a threshold, as ZClip does.

    z = (||u|| - mean) / deviation;  where z > threshold the norm becomes mean + deviation threshold^2 / z.

    Mean and variance are those of the first `warmup_steps` norms, which are not clipped, and afterwards exponential
    averages of the norms that were let through.

    Args:
      threshold: the largest z-score that passes. The paper's default, as are the others.
      decay: decay of the averages.
      warmup_steps: how many norms are gathered first.

    Returns:
      A transformation that keeps a `ClipByNormZscoreState`.

    References:
      Kumar et al., 2025, ZClip: Adaptive Spike Mitigation for LLM Pre-Training.
    """

    def init(params: PyTree) -> ClipByNormZscoreState:
        return ClipByNormZscoreState(trees.scalar(0.0), trees.scalar(0.0), jnp.zeros((), jnp.int32))

    return treewise(
        _clip_by_norm_zscore,
        init,
        keeps=ClipByNormZscoreState,
        threshold=threshold,
        decay=decay,
        warmup_steps=warmup_steps,
    )


def _clip_by_norm_zscore(
    updates: PyTree, s: ClipByNormZscoreState, params: PyTree, threshold: Array, decay: Array, warmup_steps: int
) -> tuple[PyTree, ClipByNormZscoreState]:
    size = trees.bounded_norm(global_norm(updates))
    warm = s.seen >= warmup_steps
    deviation = jnp.sqrt(jnp.maximum(s.variance, jnp.finfo(size.dtype).tiny))
    z = (size - s.mean) / deviation
    far = warm & (z > threshold)
    bound = jnp.where(far, s.mean + deviation * (threshold / jnp.where(far, z, 1)) * threshold, size)
    # The running mean and variance of the first norms; averages of what was let through afterwards.
    weight = jnp.where(warm, 1 - decay, 1 / (s.seen + 1.0))
    change = jnp.clip(bound - s.mean, -1e18, 1e18)  # beyond, the square would overflow
    finite = jnp.isfinite(size)
    new = ClipByNormZscoreState(
        jnp.where(finite, s.mean + weight * change, s.mean),
        jnp.where(finite, (1 - weight) * (s.variance + weight * change**2), s.variance),
        jnp.where(finite, jnp.minimum(s.seen, warmup_steps) + 1, s.seen),
    )
    return _shrink_tree_to(updates, size, bound), new
