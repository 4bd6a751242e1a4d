"""Division by the root of an average of squares."""

from __future__ import annotations

from jax import Array

from gradtx.core import Fraction, GradientTransformation, NonNegative, leafwise, transformation
from gradtx.transforms.averages import correction, one_minus
from gradtx.transforms.numerics import average, bounded_square, real_zeros, root


@transformation
def scale_by_rms(
    decay: Fraction = 0.9, eps: NonNegative = 1e-8, *, eps_in_sqrt: bool = False, bias_correction: bool = False
) -> GradientTransformation:
    """Divide by the root of an average of squares, as RMSProp does.

    s = decay * s + (1 - decay) |u|^2, zero at first;  u / (sqrt(s) + eps)

    Args:
      decay: decay of the average; 0.9 is the lecture's, PyTorch's is 0.99.
      eps: added to the root, so that the quotient stays small where s is.
      eps_in_sqrt: divide by sqrt(s + eps) instead, as Optax does by default.
      bias_correction: use s / (1 - decay^t) instead of s, because s began at zero; the stage then keeps its age too.

    Returns:
      A transformation that keeps one real array per array, in float32 or wider.

    References:
      Tieleman and Hinton, 2012, Lecture 6.5: RMSProp.
    """
    return leafwise(
        _scale_by_rms,
        real_zeros,
        keeps="square",
        one_minus_decay=one_minus(decay),
        correction=correction(decay) if bias_correction else 1.0,
        eps=eps,
        eps_in_sqrt=eps_in_sqrt,
    )


def _scale_by_rms(
    u: Array, square: Array, p: None, one_minus_decay: Array, correction: Array, eps: Array, eps_in_sqrt: bool
) -> tuple[Array, Array]:
    square = average(square, bounded_square(u), one_minus_decay)
    return over_root(u, square / correction, eps, eps_in_sqrt), square


def over_root(u: Array, square: Array, eps: Array, eps_in_sqrt: bool) -> Array:
    """U / (sqrt(square) + eps), or u / sqrt(square + eps)."""
    if eps_in_sqrt:
        return u / root(square + eps)
    return u / (root(square) + eps)
