"""APOLLO: gradients scaled, channel by channel, as Adam scales a random sketch of them."""

from __future__ import annotations

from typing import Any, Literal, NamedTuple

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
    Positive,
    PositiveCount,
    matrixwise,
    transformation,
)
from gradtx.optimizers.common import axes_of_matrices, descend_matrices
from gradtx.transforms.matrices import Init, adam_numbers, adam_step, noise
from gradtx.transforms.numerics import norm

By = Literal["channel", "matrix"]


class ApolloState(NamedTuple):
    """Adam's moments of the sketch, and the norm of the last step."""

    first: Array
    second: Array
    size: Array
    age: Array | int = 0


@transformation
def scale_by_apollo(
    rank: PositiveCount = 256,
    b1: Fraction = 0.9,
    b2: Fraction = 0.999,
    eps: NonNegative = 1e-6,
    scale: Positive = 1.0,
    update_interval: PositiveCount = 200,
    max_growth: Positive = 1.01,
    by: By = "channel",
    key: Count = 0,
    *,
    axes: Axes | None = None,
    stack: bool | None = None,
    chunk: PositiveCount | None = None,
    spread: str | tuple[str, ...] | None = None,
    state: Literal["array", "stack"] = "array",
) -> GradientTransformation:
    """The step of `apollo` before the learning rate; arguments as there.

    Returns:
      A transformation that keeps an `ApolloState`, in float32 or wider. Arrays that are not matrices pass unchanged.
    """
    return matrixwise(
        _apollo,
        Init(_zeros, (rank,)),
        keeps=ApolloState,
        axes=axes,
        needs=("age", "index"),
        wide=True,
        stack=stack,
        chunk=chunk,
        spread=spread,
        state=state,
        eps=eps,
        scale=scale,
        max_growth=max_growth,
        interval=update_interval,
        by=by,
        key=key,
        **adam_numbers(b1, b2),
    )


def _zeros(rank: int, p: Array) -> ApolloState:
    small = jnp.zeros((min(rank, p.shape[0]), p.shape[1]), p.dtype)
    return ApolloState(small, jnp.zeros_like(small.real), jnp.zeros((), p.real.dtype))


def _apollo(
    g: Array,
    s: ApolloState,
    p: None,
    age: Array,
    index: Array,
    one_minus_b1: Array,
    one_minus_b2: Array,
    correction1: Array,
    correction2: Array,
    eps: Array,
    scale: Array,
    max_growth: Array,
    interval: int,
    by: str,
    key: int,
) -> tuple[Array, ApolloState]:
    rank = s.first.shape[0]
    sketch = noise(key, age // interval, index, jnp.zeros((rank, g.shape[0]), g.dtype)) / rank**0.5 @ g
    one = jnp.ones_like(correction1)
    adam, first, second = adam_step(sketch, s.first, s.second, one_minus_b1, one_minus_b2, one, one, eps)
    axis = 0 if by == "channel" else None
    y = g * (norm(adam, axis) / (norm(sketch, axis) + 1e-8))
    size = norm(y)
    grown = size / (s.size + 1e-8)
    limit = jnp.where((s.size > 0) & (grown > max_growth), grown / max_growth, 1)
    u = y / limit * (jnp.sqrt(scale) * jnp.sqrt(correction2) / correction1)
    return u, s._replace(first=first, second=second, size=size / limit)


@transformation
def apollo(
    learning_rate: LearningRate,
    rank: PositiveCount = 256,
    b1: Fraction = 0.9,
    b2: Fraction = 0.999,
    eps: NonNegative = 1e-6,
    scale: Positive = 1.0,
    update_interval: PositiveCount = 200,
    max_growth: Positive = 1.01,
    by: By = "channel",
    key: Count = 0,
    *,
    others: GradientTransformation | None = None,
    axes: Axes | None = None,
    stack: bool | None = None,
    chunk: PositiveCount | None = None,
    spread: str | tuple[str, ...] | None = None,
    state: Literal["array", "stack"] = "array",
    weight_decay: NonNegative | None = None,
    where: Mask | None = None,
    maximize: bool = False,
) -> GradientTransformation:
    """Descend by gradients scaled, channel by channel, as Adam scales a random sketch of them.

    r = S g, with a random S of `rank` rows;  u = sqrt(scale) g ||Adam(r)|| / ||r||, norms by channel of the longer
    side, and ||u|| at most `max_growth` times what it was in the previous step

    Args:
      learning_rate: the length of a step; 0.01 in the authors' code.
      rank: the rows of the sketch, at most the shorter side. The authors' default, as are the next six.
      b1: decay of the first moment.
      b2: decay of the second moment.
      eps: added to the root.
      scale: the square of a factor of the step.
      update_interval: how many steps lie between two changes of S.
      max_growth: by which factor the norm of a step may grow.
      by: "channel" scales each channel by itself, "matrix" the whole matrix alike.
      key: the seed of S.
      stack, chunk, spread, state: as for `matrixwise`.
      others, axes: as for `muon`.
      weight_decay, where, maximize: as for `adam`; the decay is that of matrices.

    Returns:
      A transformation that keeps an `ApolloState`, in float32 or wider, and what `others` keeps.

    References:
      Zhu et al., 2024, APOLLO: SGD-like Memory, AdamW-level Performance.
    """
    rule = axes_of_matrices(axes, others)
    layout: dict[str, Any] = {"stack": stack, "chunk": chunk, "spread": spread, "state": state}
    step = scale_by_apollo(rank, b1, b2, eps, scale, update_interval, max_growth, by, key, axes=rule, **layout)
    return descend_matrices([step], others, rule, learning_rate, weight_decay, where, maximize)


@transformation
def apollo_mini(
    learning_rate: LearningRate,
    b1: Fraction = 0.9,
    b2: Fraction = 0.999,
    eps: NonNegative = 1e-6,
    scale: Positive = 128.0,
    update_interval: PositiveCount = 200,
    max_growth: Positive = 1.01,
    key: Count = 0,
    *,
    others: GradientTransformation | None = None,
    axes: Axes | None = None,
    weight_decay: NonNegative | None = None,
    where: Mask | None = None,
    maximize: bool = False,
) -> GradientTransformation:
    """Descend as `apollo` with a sketch of one row and one scale for each matrix: a state of almost nothing.

    r = s^T g, with a random vector s;  u = sqrt(scale) g ||Adam(r)|| / ||r||

    Args:
      learning_rate, b1, b2, eps, update_interval, max_growth, key: as for `apollo`.
      scale: the square of a factor of the step. The authors' default.
      others, axes: as for `muon`.
      weight_decay, where, maximize: as for `adam`; the decay is that of matrices.

    Returns:
      A transformation that keeps an `ApolloState`, in float32 or wider, and what `others` keeps.

    References:
      Zhu et al., 2024, APOLLO: SGD-like Memory, AdamW-level Performance.
    """
    rule = axes_of_matrices(axes, others)
    step = scale_by_apollo(1, b1, b2, eps, scale, update_interval, max_growth, "matrix", key, axes=rule)
    return descend_matrices([step], others, rule, learning_rate, weight_decay, where, maximize)
