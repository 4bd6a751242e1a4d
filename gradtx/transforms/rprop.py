"""Resilient propagation: steps that grow while a gradient keeps its sign, and shrink where it turns."""

from typing import NamedTuple

import jax
import jax.numpy as jnp

from gradtx.core import GradientTransformation, ScalarOrSchedule, leafwise, transformation
from gradtx.core.checks import in_range
from gradtx.transforms.averages import after_first

Array = jax.Array


class Rprop(NamedTuple):
    """The size of each step, and the gradient that it was taken for, 0 where the sign turned."""

    size: Array
    last: Array


@transformation
def scale_by_rprop(
    learning_rate: ScalarOrSchedule,
    eta_minus: ScalarOrSchedule = 0.5,
    eta_plus: ScalarOrSchedule = 1.2,
    min_step_size: ScalarOrSchedule = 1e-6,
    max_step_size: ScalarOrSchedule = 50.0,
) -> GradientTransformation:
    """Step by the sign of the gradient, with a size of its own for each number.

    size = learning_rate at first; times eta_plus where g keeps its sign, times eta_minus where it turns, within
    [min_step_size, max_step_size];  sign(g) size, and no step where the sign turned.

    Args:
      learning_rate: the first size, at least 0; a number or a schedule, of which the first value counts.
      eta_minus: factor where the sign turns, in [0, 1). The paper's default, as are those below.
      eta_plus: factor where it does not, at least 1.
      min_step_size: the least size, at least 0.
      max_step_size: the largest size, at least 0.

    Returns:
      A transformation that keeps an `Rprop`, two arrays per array, float32 or wider. Complex arrays are refused.

    Raises:
      ValueError: if an argument is out of range.
      TypeError: when used, if an array is complex, for it has no sign that turns.

    References:
      Riedmiller and Braun, 1993, A direct adaptive method for faster backpropagation learning: the RPROP algorithm.
      Igel and Husken, 2000, Improving the Rprop Learning Algorithm (iRprop-, as here and in PyTorch).
    """
    in_range("learning_rate", learning_rate)
    in_range("eta_minus", eta_minus, 0.0, 1.0)
    in_range("eta_plus", eta_plus, 1.0)
    in_range("min_step_size", min_step_size)
    in_range("max_step_size", max_step_size)
    return leafwise(
        _rprop,
        keeps=Rprop,
        first=learning_rate,
        later=after_first(),
        shrink=eta_minus,
        grow=eta_plus,
        least=min_step_size,
        largest=max_step_size,
    )


def _rprop(
    g: Array,
    s: Rprop,
    p: None,
    first: Array,
    later: Array,
    shrink: Array,
    grow: Array,
    least: Array,
    largest: Array,
) -> tuple[Array, Rprop]:
    if jnp.iscomplexobj(g):
        raise TypeError(
            "rprop follows the sign of real numbers; split the complex array into real and imaginary part "
            "with gradtx.split_real_and_imaginary(...)."
        )
    turn = jnp.sign(g) * jnp.sign(s.last)
    factor = jnp.where(turn > 0, grow, jnp.where(turn < 0, shrink, 1.0))
    size = jnp.clip(jnp.where(later > 0, s.size * factor, first), least, largest)
    g = jnp.where(turn < 0, 0, g)
    return jnp.sign(g) * size, Rprop(size, g)
