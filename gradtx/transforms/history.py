"""Clipping by what norms used to be: the bound follows the run."""

from typing import Any, NamedTuple

import jax
import jax.numpy as jnp

from gradtx.core import GradientTransformation, ScalarOrSchedule, transformation, treewise
from gradtx.core.checks import at_least, in_range
from gradtx.transforms import trees
from gradtx.transforms.clipping import global_norm

Array = jax.Array
PyTree = Any


class Norms(NamedTuple):
    """The last norms, in no order, and how many there have been."""

    last: Array
    seen: Array


@transformation
def clip_by_norm_quantile(quantile: ScalarOrSchedule = 0.1, window: int = 1000) -> GradientTransformation:
    """Bound the norm of all updates by a quantile of what it has been, as AutoClip does.

    u min(1, q / ||u||), with q the quantile of the norms of the last steps, this one among them.

    Args:
      quantile: in [0, 1); the paper's 0.1 clips nine steps in ten. A number or a schedule.
      window: how many norms are kept, at least 1; the paper keeps all.

    Returns:
      A transformation that keeps `Norms`.

    Raises:
      ValueError: if an argument is out of range.

    References:
      Seetharaman, Wichern, Pardo and Le Roux, 2020, AutoClip: Adaptive Gradient Clipping for Source
      Separation Networks.
    """
    in_range("quantile", quantile, 0.0, 1.0)
    at_least("window", window, 1)

    def init(params: PyTree) -> Norms:
        return Norms(jnp.full(window, jnp.inf, trees.scalar(0.0).dtype), jnp.zeros((), jnp.int32))

    return treewise(_by_quantile, init, quantile=quantile)


def _by_quantile(updates: PyTree, s: Norms, params: PyTree, quantile: Array) -> tuple[PyTree, Norms]:
    norm = trees.bounded_norm(global_norm(updates))
    window = s.last.size
    # A step that is not finite leaves no trace.
    finite = jnp.isfinite(norm)
    last = jnp.where(finite, s.last.at[s.seen % window].set(norm), s.last)
    seen = jnp.where(finite, jnp.minimum(s.seen, jnp.iinfo(jnp.int32).max - window) + 1, s.seen)
    ordered = jnp.sort(last)
    position = quantile * (jnp.clip(seen, 1, window) - 1)
    low = jnp.floor(position).astype(jnp.int32)
    high = jnp.minimum(low + 1, jnp.maximum(jnp.minimum(seen, window) - 1, low))
    below, above = ordered[low], ordered[high]
    below, above = (jnp.where(jnp.isfinite(x), x, norm) for x in (below, above))
    bound = below + (position - low) * (above - below)
    return _within(updates, norm, bound), Norms(last, seen)


def _within(updates: PyTree, norm: Array, bound: Array) -> PyTree:
    within = norm <= bound
    return trees.scaled(updates, jnp.where(within, 1, bound / jnp.where(within, 1, norm)))


class NormMoments(NamedTuple):
    """The mean and the variance of norms, and how many have entered them."""

    mean: Array
    variance: Array
    seen: Array


@transformation
def clip_by_norm_zscore(
    threshold: ScalarOrSchedule = 2.5, decay: ScalarOrSchedule = 0.97, warmup_steps: int = 25
) -> GradientTransformation:
    """Bound the norm of all updates where it lies far above what norms have been, as ZClip does.

    z = (||u|| - mean) / deviation;  where z > threshold the norm becomes mean + deviation threshold^2 / z. Mean and
    variance are those of the first `warmup_steps` norms, which are not clipped, and averages with `decay` from then on.

    Args:
      threshold: how many deviations are too far, above 0. The paper's default, as are those below.
      decay: of the averages, in [0, 1); a number or a schedule.
      warmup_steps: how many norms are gathered first, at least 1.

    Returns:
      A transformation that keeps `NormMoments`.

    Raises:
      ValueError: if an argument is out of range.

    References:
      Kumar et al., 2025, ZClip: Adaptive Spike Mitigation for LLM Pre-Training.
    """
    in_range("threshold", threshold)
    in_range("decay", decay, 0.0, 1.0)
    at_least("warmup_steps", warmup_steps, 1)

    def init(params: PyTree) -> NormMoments:
        return NormMoments(trees.scalar(0.0), trees.scalar(0.0), jnp.zeros((), jnp.int32))

    return treewise(_by_zscore, init, threshold=threshold, decay=decay, warmup_steps=warmup_steps)


def _by_zscore(
    updates: PyTree, s: NormMoments, params: PyTree, threshold: Array, decay: Array, warmup_steps: int
) -> tuple[PyTree, NormMoments]:
    norm = trees.bounded_norm(global_norm(updates))
    warm = s.seen >= warmup_steps
    deviation = jnp.sqrt(jnp.maximum(s.variance, jnp.finfo(norm.dtype).tiny))
    z = (norm - s.mean) / deviation
    far = warm & (z > threshold)
    bound = jnp.where(far, s.mean + deviation * (threshold / jnp.where(far, z, 1)) * threshold, norm)
    # The running mean and variance of the first norms; averages of what was let through afterwards.
    rate = jnp.where(warm, 1 - decay, 1 / (s.seen + 1.0))
    ahead = jnp.clip(bound - s.mean, -1e18, 1e18)  # beyond, the square would overflow
    finite = jnp.isfinite(norm)
    new = NormMoments(
        jnp.where(finite, s.mean + rate * ahead, s.mean),
        jnp.where(finite, (1 - rate) * (s.variance + rate * ahead**2), s.variance),
        jnp.where(finite, jnp.minimum(s.seen, warmup_steps) + 1, s.seen),
    )
    return _within(updates, norm, bound), new
