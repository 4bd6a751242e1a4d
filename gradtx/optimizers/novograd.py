"""NovoGrad: momentum of gradients divided by an average of their norms."""

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
    leafwise,
    transformation,
)
from gradtx.optimizers.common import descend
from gradtx.transforms.averages import one_minus
from gradtx.transforms.moments import AgedMoments
from gradtx.transforms.numerics import average, bounded_square, norm, root


@transformation
def scale_by_novograd(
    b1: Fraction = 0.9,
    b2: Fraction = 0.25,
    eps: NonNegative = 1e-8,
    weight_decay: NonNegative = 0.0,
    *,
    axes: Axes | None = None,
) -> GradientTransformation:
    """The step of `novograd` before the learning rate; arguments as there.

    Args:
      weight_decay: the fraction of the parameters that joins the momentum, as in the paper.

    Returns:
      A transformation that keeps `AgedMoments`, the second of which is one number per array; its update needs `params`.
    """
    return leafwise(
        _novograd,
        _zeros,
        keeps=AgedMoments,
        needs=("params",),
        axes=axes,
        b1=b1,
        one_minus_b2=one_minus(b2),
        eps=eps,
        weight_decay=weight_decay,
    )


def _zeros(p: Array) -> AgedMoments:
    return AgedMoments(jnp.zeros_like(p), jnp.zeros((), p.real.dtype))


def _novograd(
    g: Array, s: AgedMoments, p: Array, b1: Array, one_minus_b2: Array, eps: Array, weight_decay: Array
) -> tuple[Array, AgedMoments]:
    square = bounded_square(norm(g))
    second = jnp.where(s.age > 0, average(s.second, square, one_minus_b2), square)
    first = b1 * s.first + g / (root(second) + eps) + weight_decay * p
    return first, AgedMoments(first, second, s.age)


@transformation
def novograd(
    learning_rate: LearningRate,
    b1: Fraction = 0.9,
    b2: Fraction = 0.25,
    eps: NonNegative = 1e-8,
    *,
    axes: Axes | None = None,
    weight_decay: NonNegative | None = None,
    where: Mask | None = None,
    maximize: bool = False,
) -> GradientTransformation:
    """Momentum of gradients divided by an average of their norms, array by array.

    v = b2 v + (1 - b2) ||g||^2;  m = b1 m + g / (sqrt(v) + eps);  p - learning_rate (m + weight_decay p)

    At first v is ||g||^2. Weight decay stands outside the momentum here, as everywhere in gradtx; the paper's and
    Optax's goes through it: `scale_by_novograd(weight_decay=...)`. Optax's eps is 1e-6, its b1 and b2 are these.

    Args:
      b1: the fraction of the momentum that is left after a step.
      b2: decay of the squared norms; the paper uses 0.25 to 0.95.
      axes: as for `scale_by_trust_ratio`.
      learning_rate, eps, weight_decay, where, maximize: as for `adam`.

    Returns:
      A transformation that keeps one momentum, and one number, per array; its update needs `params`.

    References:
      Ginsburg et al., 2019, Stochastic Gradient Methods with Layer-wise Adaptive Moments for Training of Deep Networks.
    """
    return descend([scale_by_novograd(b1, b2, eps, axes=axes)], learning_rate, weight_decay, where, maximize)
