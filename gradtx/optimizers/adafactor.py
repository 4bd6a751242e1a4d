"""Adafactor: Adam's second moment in factors, and steps in proportion to the parameters."""

from __future__ import annotations

from typing import NamedTuple

import jax.numpy as jnp
from jax import Array

from gradtx.core import (
    Axes,
    Count,
    Fraction,
    GradientTransformation,
    LearningRate,
    Mask,
    NonNegative,
    PositiveCount,
    chain,
    leafwise,
    stepwise,
    transformation,
)
from gradtx.core.trees import placed_like
from gradtx.optimizers.common import decayed, descend, negated
from gradtx.schedules.numbers import times
from gradtx.transforms.clip import clip_by_block_rms
from gradtx.transforms.ema import ema
from gradtx.transforms.numerics import average, bounded_square, real_zeros, root
from gradtx.transforms.param_block import scale_by_param_block_rms
from gradtx.transforms.scaling import scale_by_learning_rate


class AdafactorState(NamedTuple):
    """Averages of squares: along the rows and columns of an array that is factored, otherwise of every number.

    What is not kept is an array of one zero.
    """

    row: Array
    column: Array
    full: Array
    age: Array | int = 0


@transformation
def scale_by_factored_rms(
    factored: bool = True,
    decay_rate: Fraction = 0.8,
    step_offset: Count = 0,
    min_dim_size_to_factor: PositiveCount = 128,
    epsilon: NonNegative = 1e-30,
    *,
    axes: Axes | None = None,
) -> GradientTransformation:
    """Divide by the root of an average of squares, kept in factors for large matrices.

    With d = 1 - t^(-decay_rate):  row = d row + (1 - d) mean_columns(|g|^2 + epsilon), column likewise, and
    v = row column / mean(row);  u = g / sqrt(v). An array of fewer than two large axes keeps v itself.

    Args:
      factored: keep factors; False keeps every square.
      decay_rate: how fast old squares are forgotten; the paper's default.
      step_offset: the number of steps to leave out of t, for fine-tuning.
      min_dim_size_to_factor: an array is factored along its two longest axes if both are at least this long.
      epsilon: added to squares; the paper's default.
      axes: what the axes of arrays are, as for `muon`: a matrix is factored along its inputs and outputs.

    Returns:
      A transformation that keeps an `AdafactorState`, in float32 or wider.

    References:
      Shazeer and Stern, 2018, Adafactor: Adaptive Learning Rates with Sublinear Memory Cost.
    """
    least = min_dim_size_to_factor if factored else None

    def init(p: Array) -> AdafactorState:
        axes, none = _factored_axes(p.shape, least), jnp.zeros((1,), p.real.dtype)
        if axes is None:
            return AdafactorState(none, none, real_zeros(p))
        square = placed_like(p, real_zeros(p))  # so that the factors are sharded as the axes that they keep
        return AdafactorState(square.sum(axes[0]), square.sum(axes[1]), none)

    weight = stepwise(_weight, needs=("age",), decay_rate=decay_rate, offset=step_offset)
    return leafwise(_factored_rms, init, keeps=AdafactorState, axes=axes, weight=weight, epsilon=epsilon, least=least)


def _weight(step: Array, age: Array, decay_rate: Array, offset: int) -> Array:
    return jnp.maximum(age + 1.0 - offset, 1.0) ** -decay_rate


def _factored_axes(shape: tuple[int, ...], least: int | None) -> tuple[int, int] | None:
    """The longest axis and the next, the ones that are averaged over for `row` and `column`; None if not factored."""
    if least is None or len(shape) < 2:
        return None
    *_, second, first = sorted(range(len(shape)), key=lambda axis: shape[axis])
    return (first, second) if shape[second] >= least else None


def _factored_rms(
    g: Array, s: AdafactorState, p: None, weight: Array, epsilon: Array, least: int | None
) -> tuple[Array, AdafactorState]:
    axes, square = _factored_axes(g.shape, least), bounded_square(g) + epsilon
    if axes is None:
        s = s._replace(full=average(s.full, square, weight))
        return g / root(s.full), s
    longest, second = axes
    s = s._replace(
        row=average(s.row, square.mean(longest), weight), column=average(s.column, square.mean(second), weight)
    )
    row, column = jnp.expand_dims(s.row, longest), jnp.expand_dims(s.column, second)
    # Root by root, because the product of two large squares is beyond the largest number.
    mean = root(row.mean(second, keepdims=True))
    return g * (mean / root(row)) / root(column), s


@transformation
def adafactor(
    learning_rate: LearningRate,
    min_dim_size_to_factor: PositiveCount = 128,
    decay_rate: Fraction = 0.8,
    multiply_by_parameter_scale: bool = True,
    clipping_threshold: NonNegative | None = 1.0,
    momentum: Fraction | None = None,
    eps: NonNegative = 1e-30,
    factored: bool = True,
    *,
    axes: Axes | None = None,
    weight_decay: NonNegative | None = None,
    where: Mask | None = None,
    maximize: bool = False,
) -> GradientTransformation:
    """Adam's second moment in factors, bounded steps in proportion to the parameters, and no first moment.

    u = g / sqrt(v), within rms(u) <= clipping_threshold, times max(rms(p), 0.001);  p - learning_rate u, with v as in
    `scale_by_factored_rms`.

    Optax's weight decay is not multiplied by the rate. PyTorch's rate is min(learning_rate, 1 / sqrt(t)), and it
    factors along the last two axes.

    Args:
      learning_rate: the length of a step; the paper uses min(0.01, 1 / sqrt(t)).
      multiply_by_parameter_scale: make steps in proportion to parameters.
      clipping_threshold: bound of the root mean square of a step; None for none. The paper's default.
      momentum: decay of an average of the steps, the rate included, as in the paper's code and Optax; None keeps none.
      eps: added to squares; the paper's default.
      min_dim_size_to_factor, decay_rate, factored, axes: as for `scale_by_factored_rms`.
      weight_decay, where, maximize: as for `adam`.

    Returns:
      A transformation that keeps an `AdafactorState`; its update needs `params`.

    References:
      Shazeer and Stern, 2018, Adafactor: Adaptive Learning Rates with Sublinear Memory Cost.
    """
    stages = [
        scale_by_factored_rms(factored, decay_rate, 0, min_dim_size_to_factor, eps, axes=axes),
        *([] if clipping_threshold is None else [clip_by_block_rms(clipping_threshold, axes=axes)]),
        *([scale_by_param_block_rms(axes=axes)] if multiply_by_parameter_scale else []),
    ]
    if momentum is None:
        return descend(stages, learning_rate, weight_decay, where, maximize)
    averaged = scale_by_learning_rate(learning_rate), ema(momentum, debias=False)
    decay = None if weight_decay is None else times(learning_rate, weight_decay)
    return chain(*negated(maximize), *stages, *averaged, *decayed(decay, where, independent=True))
