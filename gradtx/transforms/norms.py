"""Stages that bring an update into proportion: to its parameter's size, or to a norm of its own."""

import jax
import jax.numpy as jnp

from gradtx.core import GradientTransformation, ScalarOrSchedule, leafwise, transformation, treewise
from gradtx.core.checks import at_least, finite, in_range
from gradtx.core.numerics import norm, rms
from gradtx.transforms.clipping import global_norm

Array = jax.Array


@transformation
def scale_by_trust_ratio(
    min_norm: ScalarOrSchedule = 0.0, trust_coefficient: ScalarOrSchedule = 1.0, eps: ScalarOrSchedule = 0.0
) -> GradientTransformation:
    """Make each array's update as long as the array itself, times a coefficient.

    u * trust_coefficient ||p|| / (||u|| + eps), and u where either norm is 0.

    Args:
      min_norm: norms below this count as this, at least 0.
      trust_coefficient: the part of ||p||, at least 0; LARS takes 0.001, LAMB 1.
      eps: added to the norm of the update, at least 0.

    Returns:
      A transformation without state, whose update needs `params`.

    Raises:
      ValueError: if an argument is out of range.

    References:
      You, Gitman and Ginsburg, 2017, Large Batch Training of Convolutional Networks.
    """
    in_range("min_norm", min_norm)
    in_range("trust_coefficient", trust_coefficient)
    in_range("eps", eps)
    return leafwise(_trust_ratio, needs=("params",), min_norm=min_norm, coefficient=trust_coefficient, eps=eps)


def _trust_ratio(u: Array, s: None, p: Array, min_norm: Array, coefficient: Array, eps: Array) -> tuple[Array, None]:
    of_p, of_u = jnp.maximum(norm(p), min_norm), jnp.maximum(norm(u), min_norm)
    defined = (of_p > 0) & (of_u > 0)
    ratio = coefficient * of_p / jnp.where(defined, of_u + eps, 1)
    return jnp.where(defined, ratio, 1) * u, s


@transformation
def scale_by_param_block_norm(min_scale: ScalarOrSchedule = 1e-3) -> GradientTransformation:
    """Scale each array's update by the norm of its parameter.

    u * max(||p||, min_scale)

    Args:
      min_scale: the least factor, so that parameters can leave zero; at least 0.

    Returns:
      A transformation without state, whose update needs `params`.

    Raises:
      ValueError: if `min_scale` is out of range.
    """
    in_range("min_scale", min_scale)
    return leafwise(_by_norm, needs=("params",), min_scale=min_scale)


@transformation
def scale_by_param_block_rms(min_scale: ScalarOrSchedule = 1e-3) -> GradientTransformation:
    """Scale each array's update by the root mean square of its parameter, as Adafactor does.

    u * max(rms(p), min_scale)

    Args:
      min_scale: the least factor, so that parameters can leave zero; at least 0.

    Returns:
      A transformation without state, whose update needs `params`.

    Raises:
      ValueError: if `min_scale` is out of range.

    References:
      Shazeer and Stern, 2018, Adafactor: Adaptive Learning Rates with Sublinear Memory Cost.
    """
    in_range("min_scale", min_scale)
    return leafwise(_by_rms, needs=("params",), min_scale=min_scale)


def _by_norm(u: Array, s: None, p: Array, min_scale: Array) -> tuple[Array, None]:
    return jnp.maximum(norm(p), min_scale) * u, s


def _by_rms(u: Array, s: None, p: Array, min_scale: Array) -> tuple[Array, None]:
    return jnp.maximum(rms(p), min_scale) * u, s


@transformation
def normalize_by_update_norm(
    scale_factor: ScalarOrSchedule = 1.0, eps: ScalarOrSchedule = 1e-6
) -> GradientTransformation:
    """Divide all updates by the norm of them all.

    u * scale_factor / (||u|| + eps), with ||u|| over the whole tree.

    Args:
      scale_factor: the norm of the new updates; any finite number or a schedule.
      eps: added to the norm, at least 0.

    Returns:
      A transformation without state.

    Raises:
      ValueError: if an argument is out of range.

    Example:
      >>> import gradtx, jax.numpy as jnp
      >>> tx = gradtx.normalize_by_update_norm(eps=0.0)
      >>> tx.update(jnp.array([3.0, 4.0]), tx.init(jnp.zeros(2)))[0]
      Array([0.6, 0.8], dtype=float32)
    """
    finite(scale_factor=scale_factor)
    in_range("eps", eps)
    return treewise(_normalize, scale_factor=scale_factor, eps=eps)


def _normalize(updates: object, s: None, params: object, scale_factor: Array, eps: Array) -> tuple[object, None]:
    size = global_norm(updates) + eps
    factor = jnp.where(size > 0, scale_factor / jnp.where(size > 0, size, 1), 0)
    return jax.tree.map(lambda u: factor.astype(u.real.dtype) * u, updates), s


@transformation
def centralize(unit_axis: int = 0) -> GradientTransformation:
    """Take off the mean of the updates of each unit, as gradient centralization does.

    u - mean(u) over all axes but one; arrays of fewer than two axes pass.

    Args:
      unit_axis: the axis of the units. 0 is Optax's, and right for PyTorch's weights; kernels of Flax and Haiku have
        their outputs last, -1.

    Returns:
      A transformation without state.

    Raises:
      TypeError: if `unit_axis` is no int.

    References:
      Yong et al., 2020, Gradient Centralization: A New Optimization Technique for Deep Neural Networks.
    """
    at_least("unit_axis", unit_axis, -1)
    return leafwise(_centralize, unit_axis=unit_axis)


def _centralize(u: Array, s: None, p: None, unit_axis: int) -> tuple[Array, None]:
    if u.ndim < 2:
        return u, s
    others = tuple(axis for axis in range(u.ndim) if axis != unit_axis % u.ndim)
    return u - jnp.mean(u, axis=others, keepdims=True), s
