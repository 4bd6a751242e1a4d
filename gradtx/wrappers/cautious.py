"""Steps that the current gradient agrees with."""

from __future__ import annotations

from typing import Any

import jax.numpy as jnp
from jax import Array

from gradtx.core import GradientTransformation, Run, each, transformation, wrapping

PyTree = Any


@transformation
def cautious(inner: GradientTransformation) -> GradientTransformation:
    """Keep only the parts of a step that the current gradient agrees with, and lengthen those.

    u [u g < 0] size / (count + 1), where size is how many numbers an array has, and count how many of them agree.

    The authors' code divides by the mean of the mask instead, count / size, and by at least 0.001.

    Args:
      inner: an optimizer, whose updates go downhill. Its weight decay is compared with the gradient too, which the
        paper's is not: `chain(cautious(adam(rate)), add_decayed_weights(rate * decay, mode="independent"))`.

    Returns:
      A transformation that keeps what `inner` keeps, under the same names.

    Raises:
      TypeError: if `inner` is not a transformation.
      ValueError: if it maximizes.

    References:
      Liang, Chen, Liu and Liu, 2024, Cautious Optimizers: Improving Training with One Line of Code.

    Example:
      >>> import gradtx
      >>> gradtx.cautious(gradtx.adam(0.001))
      cautious(inner=adam(learning_rate=0.001, b1=0.9, b2=0.999, eps=1e-08))
    """
    check_descends("cautious", inner)
    return wrapping(inner, _cautious)


def _cautious(run: Run, g: PyTree, s: None, params: PyTree) -> tuple[PyTree, None]:
    return each(_agreeing, run(g), g), s


def _agreeing(u: Array, g: Array) -> Array:
    agrees = jnp.real(u * jnp.conj(jnp.sign(g))) < 0
    factor = float(u.size) / (jnp.sum(agrees, dtype=u.real.dtype) + 1)
    return jnp.where(agrees | ~jnp.isfinite(u), u * factor, 0)


def check_descends(name: str, inner: Any) -> None:
    """Raise if a transformation that a wrapper compares with the gradient maximizes."""
    if isinstance(inner, GradientTransformation):
        if inner.arguments.get("maximize"):
            raise ValueError(
                f"{name}: {inner.name} maximizes, but its updates are compared with gradients that they should go "
                f"down. Negate the gradients before it instead: chain(scale(-1.0), {name}({inner.name}(...)))."
            )
        for stage in inner.stages.values():
            check_descends(name, stage)
