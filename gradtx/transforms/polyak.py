"""Step sizes from the loss."""

from typing import Any

import jax
import jax.numpy as jnp

from gradtx.core import GradientTransformation, ScalarOrSchedule, transformation
from gradtx.core.checks import finite, in_range
from gradtx.core.numerics import bounded_square
from gradtx.transforms import trees
from gradtx.transforms.clipping import global_norm
from gradtx.transforms.decay import sharing_its_rate

Array = jax.Array
PyTree = Any


@transformation
def scale_by_polyak(
    f_min: ScalarOrSchedule = 0.0,
    max_learning_rate: ScalarOrSchedule = 1.0,
    eps: ScalarOrSchedule = 0.0,
    variant: str = "sps",
    *,
    weight_decay: ScalarOrSchedule | None = None,
    where: Any = None,
    maximize: bool = False,
) -> GradientTransformation:
    """Scale by the step that would reach the least loss, were the loss as steep all the way.

    u min((value - f_min) / (||g||^2 + eps), max_learning_rate)

    Args:
      f_min: the least value that the loss can have; any finite number.
      max_learning_rate: the largest step size, at least 0; a number or a schedule.
      eps: added to the squared norm, at least 0.
      variant: "sps", or "sps+" to take no step uphill where the loss is below `f_min`.
      weight_decay: the part of the parameters that a step takes off beside, times the rate found; None for none.
      where: which arrays decay, a mask as for `masked`; all if None.
      maximize: gradients come turned, for `value` is to grow: take its opposite, of which `f_min` is the least.

    Returns:
      A transformation without state, which needs the extra argument `value`, the loss.

    Raises:
      ValueError: if an argument is out of range.

    References:
      Loizou et al., 2021, Stochastic Polyak Step-size for SGD: An Adaptive Learning Rate for Fast Convergence.
    """
    finite(f_min=f_min)
    in_range("max_learning_rate", max_learning_rate)
    in_range("eps", eps)
    if variant not in ("sps", "sps+"):
        raise ValueError(f'variant = {variant!r} is not known; expected "sps" or "sps+".')
    numbers: dict[str, Any] = {"f_min": f_min, "largest": max_learning_rate, "eps": eps}
    options = {"positive": variant == "sps+", "maximize": maximize}
    return sharing_its_rate(_polyak, None, weight_decay, where, needs=("value",), **options, **numbers)


def _polyak(
    updates: PyTree,
    s: None,
    params: PyTree,
    f_min: Array,
    largest: Array,
    eps: Array,
    positive: bool,
    maximize: bool,
    value: Array,
) -> tuple[PyTree, None]:
    g, decay = trees.apart(updates)
    gap = trees.loss(value, maximize) - f_min
    gap = jnp.maximum(gap, 0) if positive else gap
    square = bounded_square(global_norm(g)) + eps
    defined = square > jnp.finfo(square.dtype).tiny
    step = jnp.where(defined, jnp.minimum(gap / jnp.where(defined, square, 1), largest), 0)
    return trees.scaled(trees.plus(g, decay), step), s
