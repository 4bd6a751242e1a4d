"""Scion: steps of a fixed spectral norm, for matrices that may be kept within a ball of it."""

from __future__ import annotations

from gradtx.core import (
    Axes,
    Fraction,
    GradientTransformation,
    LearningRate,
    Mask,
    NonNegative,
    Positive,
    PositiveCount,
    transformation,
)
from gradtx.optimizers.common import axes_of_matrices, descend_matrices
from gradtx.transforms.ema import ema
from gradtx.transforms.orthogonalize import Coefficients, Products, orthogonalize
from gradtx.transforms.scaling import scale
from gradtx.transforms.sides import scale_by_sides


@transformation
def scion(
    learning_rate: LearningRate,
    b1: Fraction = 0.9,
    radius: Positive = 50.0,
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
    """Descend by orthogonal steps whose length is that of the matrix in the norm from inputs to outputs.

    m = b1 m + (1 - b1) g = U S V^T;  p - learning_rate (radius sqrt(out / in) U V^T + weight_decay p)

    This is the method without constraint; with `weight_decay=1.0` it is the constrained one, which keeps matrices
    within the radius. For the last layer the authors take signs, with a radius of 3000: leave it to
    `others=sign_sgd(...)`, with a rate of its own.

    Args:
      b1: decay of the average; 1 - b1 is the paper's alpha. The authors' default, as is the radius.
      radius: the norm of a step before the learning rate.
      learning_rate, coefficients, others, axes, iterations, products: as for `muon`.
      stack, chunk, spread: as for `matrixwise`.
      weight_decay, where, maximize: as for `adam`; the decay is that of matrices.

    Returns:
      A transformation that keeps one average per array, and what `others` keeps.

    References:
      Pethick et al., 2025, Training Deep Learning Models with Norm-Constrained LMOs.
    """
    rule = axes_of_matrices(axes, others)
    stages = [
        ema(b1, debias=False),
        orthogonalize(coefficients, iterations, products=products, axes=rule, stack=stack, chunk=chunk, spread=spread),
        scale_by_sides("unit", axes=rule),
        scale(radius),
    ]
    return descend_matrices(stages, others, rule, learning_rate, weight_decay, where, maximize)
