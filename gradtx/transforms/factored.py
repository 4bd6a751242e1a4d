"""Second moments in little memory: of a matrix its rows' and its columns' alone."""

import functools
from typing import NamedTuple

import jax
import jax.numpy as jnp

from gradtx.core import GradientTransformation, ScalarOrSchedule, leafwise, stepwise, transformation
from gradtx.core.checks import at_least, in_range
from gradtx.core.numerics import average, bounded, bounded_square, real_zeros, root

Array = jax.Array


class FactoredSquare(NamedTuple):
    """Averages of squares: along the rows and columns of an array that is factored, else of every number.

    What is not kept is an array of one zero.
    """

    row: Array
    column: Array
    full: Array


@transformation
def scale_by_factored_rms(
    factored: bool = True,
    decay_rate: ScalarOrSchedule = 0.8,
    step_offset: int = 0,
    min_dim_size_to_factor: int = 128,
    epsilon: ScalarOrSchedule = 1e-30,
) -> GradientTransformation:
    """Divide by the root of an average of squares, kept in factors for large matrices.

    With d = 1 - t^(-decay_rate):  row = d row + (1 - d) mean_columns(|g|^2 + epsilon), column likewise, and
    v = row column / mean(row);  u = g / sqrt(v). An array of fewer than two large axes keeps v itself.

    Args:
      factored: keep factors; False keeps every square.
      decay_rate: how fast old squares are forgotten, in [0, 1); the paper's 0.8.
      step_offset: steps to be left out of t, at least 0, for fine-tuning.
      min_dim_size_to_factor: an array is factored along its two longest axes if both are at least this long.
      epsilon: added to squares, at least 0.

    Returns:
      A transformation that keeps a `FactoredSquare`, float32 or wider.

    Raises:
      ValueError: if an argument is out of range.

    References:
      Shazeer and Stern, 2018, Adafactor: Adaptive Learning Rates with Sublinear Memory Cost.
    """
    in_range("decay_rate", decay_rate, 0.0, 1.0)
    at_least("step_offset", step_offset, 0)
    at_least("min_dim_size_to_factor", min_dim_size_to_factor, 1)
    in_range("epsilon", epsilon)
    least = min_dim_size_to_factor if factored else None

    def init(p: Array) -> FactoredSquare:
        axes, none = _factored_axes(p.shape, least), jnp.zeros((1,), p.real.dtype)
        if axes is None:
            return FactoredSquare(none, none, real_zeros(p))
        square = real_zeros(p)
        return FactoredSquare(square.sum(axes[0]), square.sum(axes[1]), none)

    rate = stepwise(_forgetting, decay_rate=decay_rate, offset=step_offset)
    return leafwise(_factored_rms, init, keeps=FactoredSquare, rate=rate, epsilon=epsilon, least=least)


def _forgetting(step: Array, decay_rate: Array, offset: int) -> Array:
    return jnp.maximum(step + 1.0 - offset, 1.0) ** -decay_rate


def _factored_axes(shape: tuple[int, ...], least: int | None) -> tuple[int, int] | None:
    """The longest axis and the next, the ones that are averaged over for `row` and `column`; None if not factored."""
    if least is None or len(shape) < 2:
        return None
    *_, second, first = sorted(range(len(shape)), key=lambda axis: shape[axis])
    return (first, second) if shape[second] >= least else None


def _factored_rms(
    g: Array, s: FactoredSquare, p: None, rate: Array, epsilon: Array, least: int | None
) -> tuple[Array, FactoredSquare]:
    axes, square = _factored_axes(g.shape, least), bounded_square(g) + epsilon
    if axes is None:
        s = s._replace(full=average(s.full, square, rate))
        return g / root(s.full), s
    longest, second = axes
    s = s._replace(row=average(s.row, square.mean(longest), rate), column=average(s.column, square.mean(second), rate))
    row, column = jnp.expand_dims(s.row, longest), jnp.expand_dims(s.column, second)
    # Root by root, for the product of two large squares is beyond the largest number.
    mean = root(row.mean(second, keepdims=True))
    return g * (mean / root(row)) / root(column), s


@transformation
def scale_by_sm3(
    b1: ScalarOrSchedule = 0.9, b2: ScalarOrSchedule = 1.0, eps: ScalarOrSchedule = 1e-8
) -> GradientTransformation:
    """AdaGrad in the memory of one number for each row, column, ... of an array, with momentum.

    nu = b2 min(of the covers that a number lies in) + (1 - b2 or 1, where b2 = 1) |g|^2;  u = g / sqrt(nu + eps);
    each cover becomes the largest nu in it;  m = b1 m + (1 - b1) u, zero at first, is the new update.

    Args:
      b1: decay of the momentum, in [0, 1); a number or a schedule.
      b2: decay of the covers, in [0, 1]; 1, the paper's, adds squares up.
      eps: keeps the quotient small where nu is; at least 0.

    Returns:
      A transformation that keeps `Covered`: one array for the momentum, and a vector for each axis.

    Raises:
      ValueError: if an argument is out of range.

    References:
      Anil, Gupta, Koren and Singer, 2019, Memory-Efficient Adaptive Optimization.
    """
    in_range("b1", b1, 0.0, 1.0)
    in_range("b2", b2, 0.0, 1.0 + 1e-9)
    in_range("eps", eps)
    return leafwise(_sm3, _uncovered, keeps=Covered, b1=b1, b2=b2, eps=eps)


class Covered(NamedTuple):
    """The momentum, and a cover for each axis, a tuple of vectors; of a scalar none."""

    momentum: Array
    covers: tuple[Array, ...]


def _uncovered(p: Array) -> Covered:
    square = real_zeros(p)
    return Covered(jnp.zeros_like(p), tuple(square.sum(_others(p.ndim, axis)) for axis in range(max(p.ndim, 1))))


def _others(ndim: int, axis: int) -> tuple[int, ...]:
    return tuple(other for other in range(ndim) if other != axis)


def _sm3(g: Array, s: Covered, p: None, b1: Array, b2: Array, eps: Array) -> tuple[Array, Covered]:
    spread = [jnp.expand_dims(cover, _others(g.ndim, axis)) for axis, cover in enumerate(s.covers)]
    least = functools.reduce(jnp.minimum, spread)
    nu = b2 * bounded(least) + jnp.where(b2 < 1, 1 - b2, 1) * bounded_square(g)
    covers = tuple(jnp.max(nu, axis=_others(g.ndim, axis), initial=0) for axis in range(max(g.ndim, 1)))
    momentum = b1 * s.momentum + (1 - b1) * (g / root(nu + eps))
    return momentum, Covered(momentum, covers)
