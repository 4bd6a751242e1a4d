"""GaLore: Adam of what gradients are in their leading directions."""

from __future__ import annotations

from typing import Any, Literal, NamedTuple

import jax.numpy as jnp
from jax import Array, lax

from gradtx.core import (
    Axes,
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
from gradtx.transforms.matrices import Init, adam_numbers, adam_step, tamed


class GaloreState(NamedTuple):
    """The basis, and Adam's moments in it."""

    basis: Array
    first: Array
    second: Array
    age: Array | int = 0


@transformation
def scale_by_galore(
    rank: PositiveCount = 128,
    b1: Fraction = 0.9,
    b2: Fraction = 0.999,
    eps: NonNegative = 1e-6,
    scale: Positive = 0.25,
    update_interval: PositiveCount = 200,
    *,
    axes: Axes | None = None,
    stagger: bool = False,
    stack: bool | None = None,
    chunk: PositiveCount | None = None,
    spread: str | tuple[str, ...] | None = None,
    state: Literal["array", "stack"] = "array",
) -> GradientTransformation:
    """The step of `galore` before the learning rate; arguments as there.

    Returns:
      A transformation that keeps a `GaloreState`, in float32 or wider. Arrays that are not matrices pass unchanged.
    """
    return matrixwise(
        _galore,
        Init(_zeros, (rank,)),
        keeps=GaloreState,
        axes=axes,
        begin=_leading if stagger else None,
        refresh=_leading,
        every=update_interval,
        after=1 if stagger else 0,
        stagger=stagger,
        wide=True,
        stack=stack,
        chunk=chunk,
        spread=spread,
        state=state,
        eps=eps,
        scale=scale,
        **adam_numbers(b1, b2),
    )


def _zeros(rank: int, p: Array) -> GaloreState:
    small = jnp.zeros((min(rank, p.shape[0]), p.shape[1]), p.dtype)
    return GaloreState(jnp.eye(p.shape[0], len(small), dtype=p.dtype), small, jnp.zeros_like(small.real))


def _leading(g: Array, s: GaloreState, p: None, **_: Any) -> GaloreState:
    # Of the products of the shorter side, which is less to compute than a decomposition of the gradient itself.
    g = lax.stop_gradient(tamed(g))
    return s._replace(basis=jnp.linalg.eigh(g @ g.conj().T)[1][:, ::-1][:, : s.basis.shape[1]])


def _galore(
    g: Array,
    s: GaloreState,
    p: None,
    one_minus_b1: Array,
    one_minus_b2: Array,
    correction1: Array,
    correction2: Array,
    eps: Array,
    scale: Array,
) -> tuple[Array, GaloreState]:
    small = s.basis.conj().T @ g
    u, first, second = adam_step(small, s.first, s.second, one_minus_b1, one_minus_b2, correction1, correction2, eps)
    return scale * s.basis @ u, s._replace(first=first, second=second)


@transformation
def galore(
    learning_rate: LearningRate,
    rank: PositiveCount = 128,
    b1: Fraction = 0.9,
    b2: Fraction = 0.999,
    eps: NonNegative = 1e-6,
    scale: Positive = 0.25,
    update_interval: PositiveCount = 200,
    *,
    others: GradientTransformation | None = None,
    axes: Axes | None = None,
    stagger: bool = False,
    stack: bool | None = None,
    chunk: PositiveCount | None = None,
    spread: str | tuple[str, ...] | None = None,
    state: Literal["array", "stack"] = "array",
    weight_decay: NonNegative | None = None,
    where: Mask | None = None,
    maximize: bool = False,
) -> GradientTransformation:
    """Descend by Adam's steps of what gradients are in their leading directions: moments of low rank.

    u = scale P Adam(P^T g), with the leading left vectors P of the gradient at every `update_interval`-th step

    P is that of the shorter side. Moments are kept when P changes, as in the authors' code.

    Args:
      learning_rate: the length of a step; 0.01 in the authors' code.
      rank: how many directions are kept, at most the shorter side. The authors' default, as are the next five.
      b1: decay of the first moment.
      b2: decay of the second moment.
      eps: added to the root.
      scale: a factor of the step.
      update_interval: how many steps lie between two changes of P.
      stagger, stack, chunk, spread, state: as for `matrixwise`.
      others, axes: as for `muon`.
      weight_decay, where, maximize: as for `adam`; the decay is that of matrices.

    Returns:
      A transformation that keeps a `GaloreState`, in float32 or wider, and what `others` keeps.

    References:
      Zhao et al., 2024, GaLore: Memory-Efficient LLM Training by Gradient Low-Rank Projection.
    """
    rule = axes_of_matrices(axes, others)
    layout: dict[str, Any] = {"stagger": stagger, "stack": stack, "chunk": chunk, "spread": spread, "state": state}
    step = scale_by_galore(rank, b1, b2, eps, scale, update_interval, axes=rule, **layout)
    return descend_matrices([step], others, rule, learning_rate, weight_decay, where, maximize)
