"""Wrappers that hold an update against the gradient that it was made of."""

from typing import Any

import jax
import jax.numpy as jnp

from gradtx.core import GradientTransformation, beside, leafwise, transformation
from gradtx.core.primitives import Pair

Array = jax.Array


@transformation
def cautious(inner: GradientTransformation) -> GradientTransformation:
    """Take only those parts of a step that the present gradient agrees with, and lengthen these.

    u [u g < 0] size / (count + 1), with size and count those of one array: how many numbers it has, and how many of
    them agree.

    Args:
      inner: an optimizer, whose updates go downhill. Weight decay in it is held against the gradient too; the paper's
        is not: `chain(cautious(adam(rate)), add_decayed_weights(rate * decay, mode="independent"))`.

    Returns:
      A transformation that keeps what `inner` keeps, under the same names.

    Raises:
      TypeError: if `inner` is no transformation.
      ValueError: if it maximizes.

    References:
      Liang, Chen, Liu and Liu, 2024, Cautious Optimizers: Improving Training with One Line of Code.

    Example:
      >>> import gradtx
      >>> gradtx.cautious(gradtx.adam(0.001))
      cautious(inner=adam(learning_rate=0.001, b1=0.9, b2=0.999, eps=1e-08))
    """
    check_descends("cautious", inner)
    return beside(inner, leafwise(_agreeing, takes=Pair))


def check_descends(name: str, inner: Any) -> None:
    """Raise if a transformation that a wrapper holds against the gradient was told to maximize."""
    if isinstance(inner, GradientTransformation):
        if inner.arguments.get("maximize"):
            raise ValueError(
                f"{name}: {inner.name} maximizes, but is held against gradients that it should go down. Turn these "
                f"before it instead: chain(scale(-1.0), {name}({inner.name}(...)))."
            )
        for stage in inner.stages.values():
            check_descends(name, stage)


def _agreeing(pair: Pair, s: None, p: None) -> tuple[Array, None]:
    u, g = pair
    agrees = jnp.real(u * jnp.conj(jnp.sign(g))) < 0
    factor = u.size / (jnp.sum(agrees, dtype=u.real.dtype) + 1)
    return jnp.where(agrees | ~jnp.isfinite(u), u * factor, 0), s
