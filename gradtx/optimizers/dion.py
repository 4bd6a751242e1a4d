"""Dion: orthogonal steps of low rank, by one power iteration a step."""

from __future__ import annotations

from typing import Any, Literal, NamedTuple

import jax
import jax.numpy as jnp
from jax import Array, lax

from gradtx.core import (
    Axes,
    Count,
    Fraction,
    GradientTransformation,
    LearningRate,
    Mask,
    NonNegative,
    PositiveCount,
    matrixwise,
    transformation,
)
from gradtx.optimizers.common import axes_of_matrices, descend_matrices
from gradtx.transforms.matrices import Init, tamed
from gradtx.transforms.numerics import norm


class DionState(NamedTuple):
    """The velocity, in which what no step has used is left, and the right factor."""

    velocity: Array
    right: Array


@transformation
def scale_by_dion(
    momentum: Fraction = 0.95,
    rank: PositiveCount = 128,
    eps: NonNegative = 1e-8,
    floor: NonNegative = 1e-5,
    key: Count = 0,
    *,
    axes: Axes | None = None,
    stack: bool | None = None,
    chunk: PositiveCount | None = None,
    spread: str | tuple[str, ...] | None = None,
    state: Literal["array", "stack"] = "array",
) -> GradientTransformation:
    """The step of `dion` before the learning rate; arguments as there.

    Returns:
      A transformation that keeps a `DionState`, in float32 or wider. Arrays that are not matrices pass unchanged.
    """
    return matrixwise(
        _dion,
        Init(_start, (rank, key)),
        keeps=DionState,
        axes=axes,
        stack=stack,
        chunk=chunk,
        spread=spread,
        state=state,
        momentum=momentum,
        eps=eps,
        floor=floor,
    )


def _start(rank: int, key: int, p: Array) -> DionState:
    right = jax.random.normal(jax.random.key(key), (p.shape[0], min(rank, *p.shape)), p.real.dtype)
    return DionState(jnp.zeros_like(p), right.astype(p.dtype))


def _dion(g: Array, s: DionState, p: None, momentum: Array, eps: Array, floor: Array) -> tuple[Array, DionState]:
    m = s.velocity + tamed(g)  # [inputs, outputs]
    left = jnp.linalg.qr(lax.stop_gradient(m.conj().T @ s.right))[0]  # [outputs, rank]
    right = m @ left  # [inputs, rank]
    m = m - (1 - momentum) * right @ left.conj().T
    sizes = norm(right, 0)
    # Where the velocity has a lower rank than the step, what is left of it is rounding, which is not to become a step.
    step = right / (jnp.maximum(sizes, floor * jnp.max(sizes)) + eps)
    return (g.shape[1] / g.shape[0]) ** 0.5 * step @ left.conj().T, DionState(m, right / (sizes + eps))


@transformation
def dion(
    learning_rate: LearningRate,
    momentum: Fraction = 0.95,
    rank: PositiveCount = 128,
    eps: NonNegative = 1e-8,
    floor: NonNegative = 1e-5,
    key: Count = 0,
    weight_decay: NonNegative | None = 0.01,
    *,
    others: GradientTransformation | None = None,
    axes: Axes | None = None,
    stack: bool | None = None,
    chunk: PositiveCount | None = None,
    spread: str | tuple[str, ...] | None = None,
    state: Literal["array", "stack"] = "array",
    where: Mask | None = None,
    maximize: bool = False,
) -> GradientTransformation:
    """Descend by the orthogonal form of the leading part of the momentum; what is left stays in the momentum.

    M = M + g;  P = orthonormal(M^T Q);  R = M P;  M = M - (1 - momentum) R P^T;  Q = R with columns of length 1;
    p - learning_rate (sqrt(out / in) Q P^T + weight_decay p)

    Args:
      learning_rate: the length of a step; 0.01 in the authors' code.
      momentum: the fraction of the leading part that is left in the momentum. The paper's default.
      rank: the rank of a step, at most the shorter side.
      eps: added to the lengths of columns.
      floor: the least length of a column as a fraction of the longest; gradients of a lower rank than that of a step
        would otherwise become steps of rounding noise. The paper has none.
      key: the seed of the first Q, a normal matrix.
      stack, chunk, spread, state: as for `matrixwise`.
      others, axes: as for `muon`.
      weight_decay, where, maximize: as for `adam`; the decay is that of matrices.

    Returns:
      A transformation that keeps a `DionState`, in float32 or wider, and what `others` keeps.

    References:
      Ahn et al., 2025, Dion: Distributed Orthonormalized Updates.
    """
    rule = axes_of_matrices(axes, others)
    layout: dict[str, Any] = {"stack": stack, "chunk": chunk, "spread": spread, "state": state}
    step = scale_by_dion(momentum, rank, eps, floor, key, axes=rule, **layout)
    return descend_matrices([step], others, rule, learning_rate, weight_decay, where, maximize)
