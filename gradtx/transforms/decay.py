"""Stages that pull parameters towards zero."""

import jax

from gradtx.core import GradientTransformation, ScalarOrSchedule, leafwise, transformation
from gradtx.core.checks import in_range

Array = jax.Array


@transformation
def add_decayed_weights(weight_decay: ScalarOrSchedule = 0.0) -> GradientTransformation:
    """Add a part of the parameters to the updates.

    u = u + weight_decay * p

    Where it stands says what it means: before the moments it is an L2 penalty on the loss, between the moments and the
    learning rate it is decoupled weight decay (AdamW).

    Args:
      weight_decay: the part, at least 0; a number or a schedule.

    Returns:
      A transformation without state, whose update needs `params`.

    Raises:
      ValueError: if `weight_decay` is negative or not finite.

    References:
      Loshchilov and Hutter, 2019, Decoupled Weight Decay Regularization.
    """
    in_range("weight_decay", weight_decay)
    return leafwise(_decay, needs=("params",), weight_decay=weight_decay)


def _decay(u: Array, s: None, p: Array, weight_decay: Array) -> tuple[Array, None]:
    return u + weight_decay * p, s
