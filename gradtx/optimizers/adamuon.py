"""AdaMuon: Muon with a second moment of its orthogonal steps."""

from __future__ import annotations

import math

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
from gradtx.transforms.numerics import rms
from gradtx.transforms.orthogonalize import Coefficients, Products, orthogonalize
from gradtx.transforms.rms import scale_by_rms
from gradtx.transforms.sign import scale_by_sign
from gradtx.transforms.trace import trace


@transformation
def normalize_matrices(
    rms: NonNegative = 0.2, eps: NonNegative = 1e-8, *, axes: Axes | None = None
) -> GradientTransformation:
    """Give the update of each matrix one root mean square.

    u rms sqrt(in out) / (||u|| + eps)

    Args:
      rms: the root mean square; 0.2 is about that of AdamW's updates.
      eps: added to the norm.
      axes: what the axes of arrays are, as for `muon`.

    Returns:
      A transformation without state. Arrays that are not matrices pass unchanged.

    References:
      Liu et al., 2025, Muon is Scalable for LLM Training.
    """
    return leafwise(_normalize, needs=("axes",), axes=axes_of(axes), size=rms, eps=eps)


def _normalize(u: Array, s: None, p: None, axes: AxesOfArray | None, size: Array, eps: Array) -> tuple[Array, None]:
    if axes is None:
        return u, s
    found = rms(u) + eps / math.sqrt(max(u.size, 1))
    return u * (size / jnp.where(found > 0, found, 1)), s


@transformation
def adamuon(
    learning_rate: LearningRate,
    momentum: Fraction = 0.95,
    nesterov: bool = True,
    eps: NonNegative = 1e-8,
    coefficients: Coefficients = "you",
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
    """Descend by the signs of momentum made orthogonal, and divided by the root of an average of their squares.

    v = momentum v + g;  O = U V^T of sign(g + momentum v) = U S V^T;  s = momentum s + (1 - momentum) O^2;
    y = O / (sqrt(s) + eps);  p - learning_rate (0.2 sqrt(in out) y / ||y|| + weight_decay p)

    Args:
      momentum: decay of the velocity, and of the average of squares. The authors' default.
      nesterov: look one step ahead, as the authors' code does.
      eps: added to the root, and to the norm.
      learning_rate, coefficients, others, axes, iterations, products: as for `muon`; the rate is like AdamW's.
      stack, chunk, spread: as for `matrixwise`.
      weight_decay, where, maximize: as for `adam`; the decay is that of matrices.

    Returns:
      A transformation that keeps one velocity and one square per array, and what `others` keeps.

    References:
      Si, Zhang and Shen, 2025, AdaMuon: Adaptive Muon Optimizer.
    """
    rule = axes_of_matrices(axes, others)
    stages = [
        trace(momentum, nesterov),
        scale_by_sign(),
        orthogonalize(coefficients, iterations, products=products, axes=rule, stack=stack, chunk=chunk, spread=spread),
        scale_by_rms(momentum, eps),
        normalize_matrices(0.2, eps, axes=rule),
    ]
    return descend_matrices(stages, others, rule, learning_rate, weight_decay, where, maximize)
