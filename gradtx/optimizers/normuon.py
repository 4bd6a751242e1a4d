"""NorMuon: Muon whose neurons all take steps of one length."""

from __future__ import annotations

import jax.numpy as jnp
from jax import Array

from gradtx.core import (
    Axes,
    Fraction,
    GradientTransformation,
    LearningRate,
    Mask,
    NonNegative,
    PositiveCount,
    leafwise,
    transformation,
)
from gradtx.core.axes import AxesOfArray, axes_of
from gradtx.optimizers.common import axes_of_matrices, descend_matrices
from gradtx.transforms.averages import one_minus
from gradtx.transforms.numerics import average, bounded_square, norm, root
from gradtx.transforms.orthogonalize import Coefficients, Products, orthogonalize
from gradtx.transforms.sides import Sides, scale_by_sides
from gradtx.transforms.trace import trace


@transformation
def normalize_neurons(
    b2: Fraction = 0.95, eps: NonNegative = 1e-10, *, axes: Axes | None = None
) -> GradientTransformation:
    """Divide the update of each neuron by the root of an average of its squares, and keep the norm of each matrix.

    v = b2 v + (1 - b2) mean over inputs of |u|^2;  y = u / (sqrt(v) + eps);  y ||u|| / (||y|| + eps)

    Args:
      b2: decay of the average.
      eps: added to roots.
      axes: what the axes of arrays are, as for `muon`; the outputs of a matrix are its neurons.

    Returns:
      A transformation that keeps one number per neuron. Arrays that are not matrices pass unchanged.

    References:
      Li et al., 2025, NorMuon: Making Muon more efficient and scalable.
    """
    return leafwise(
        _normalize, _zeros, keeps="square", needs=("axes",), axes=axes_of(axes), one_minus_b2=one_minus(b2), eps=eps
    )


def _zeros(p: Array) -> Array:
    return jnp.zeros(p.shape[-1:] if p.ndim > 1 else (), p.real.dtype)


def _normalize(
    u: Array, v: Array, p: None, axes: AxesOfArray | None, one_minus_b2: Array, eps: Array
) -> tuple[Array, Array]:
    if axes is None:
        return u, v
    v = average(v, jnp.sum(bounded_square(u) / max(u.shape[0], 1), 0), one_minus_b2)
    y = u / (root(v) + eps)
    return y * (norm(u) / (norm(y) + eps)), v


@transformation
def normuon(
    learning_rate: LearningRate,
    momentum: Fraction = 0.95,
    b2: Fraction = 0.95,
    nesterov: bool = True,
    coefficients: Coefficients = "you",
    sides: Sides = "width",
    *,
    others: GradientTransformation | None = None,
    axes: Axes | None = None,
    iterations: PositiveCount | None = None,
    products: Products = "float32",
    stack: bool | None = None,
    chunk: PositiveCount | None = None,
    spread: str | tuple[str, ...] | None = None,
    weight_decay: NonNegative | None = None,
    where: Mask | None = None,
    maximize: bool = False,
) -> GradientTransformation:
    """Descend by Muon's steps, in which all neurons take steps of one length.

    O as in `muon`;  v = b2 v + (1 - b2) mean over inputs of O^2;  y = O / sqrt(v);
    p - learning_rate (sides y ||O|| / ||y|| + weight_decay p)

    Args:
      b2: decay of the average of squares. The authors' default.
      learning_rate, momentum, nesterov, coefficients, sides, others, axes, iterations, products: as for `muon`.
      stack, chunk, spread: as for `matrixwise`.
      weight_decay, where, maximize: as for `adam`; the decay is that of matrices.

    Returns:
      A transformation that keeps one velocity per array and one number per neuron, and what `others` keeps.

    References:
      Li et al., 2025, NorMuon: Making Muon more efficient and scalable.
    """
    rule = axes_of_matrices(axes, others)
    stages = [
        trace(momentum, nesterov),
        orthogonalize(coefficients, iterations, products=products, axes=rule, stack=stack, chunk=chunk, spread=spread),
        normalize_neurons(b2, axes=rule),
        scale_by_sides(sides, axes=rule),
    ]
    return descend_matrices(stages, others, rule, learning_rate, weight_decay, where, maximize)
