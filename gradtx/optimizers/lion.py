"""Lion: the sign of a mean of the current gradient and past ones."""

from __future__ import annotations

import jax.numpy as jnp
from jax import Array

from gradtx.core import Fraction, GradientTransformation, LearningRate, Mask, NonNegative, leafwise, transformation
from gradtx.optimizers.common import descend
from gradtx.transforms.averages import one_minus
from gradtx.transforms.numerics import average


@transformation
def scale_by_lion(b1: Fraction = 0.9, b2: Fraction = 0.99) -> GradientTransformation:
    """The step of `lion` before the learning rate; arguments as there.

    Returns:
      A transformation that keeps one average per array, in float32 or wider.
    """
    return leafwise(_lion, keeps="average", one_minus_b1=one_minus(b1), one_minus_b2=one_minus(b2))


def _lion(g: Array, m: Array, p: None, one_minus_b1: Array, one_minus_b2: Array) -> tuple[Array, Array]:
    return jnp.sign(average(m, g, one_minus_b1)), average(m, g, one_minus_b2)


@transformation
def lion(
    learning_rate: LearningRate,
    b1: Fraction = 0.9,
    b2: Fraction = 0.99,
    weight_decay: NonNegative | None = 0.001,
    *,
    where: Mask | None = None,
    maximize: bool = False,
) -> GradientTransformation:
    """Descend by the sign of a mean of the current gradient and past ones.

    p - learning_rate (sign(b1 m + (1 - b1) g) + weight_decay p),  then m = b2 m + (1 - b2) g

    Optax does the same, with the same default decay. With a learning rate below AdamW's the paper uses a larger decay.

    Args:
      learning_rate: the length of a step, a third to a tenth of AdamW's.
      b1: weight of the average in the step. The paper's default, as is `b2`.
      b2: decay of the average.
      weight_decay, where, maximize: as for `adam`.

    Returns:
      A transformation that keeps one average per array.

    References:
      Chen et al., 2023, Symbolic Discovery of Optimization Algorithms.
    """
    return descend([scale_by_lion(b1, b2)], learning_rate, weight_decay, where, maximize)
