"""Shampoo: gradients by the inverse roots of the second moments of both sides."""

from __future__ import annotations

from typing import Any, Literal, NamedTuple

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
from gradtx.transforms.matrices import adam_numbers, gather_grams, root_by_eigh, root_by_newton, tamed
from gradtx.transforms.numerics import average, bounded_square, norm, root

Inverse = Literal["eigh", "newton"]


class ShampooState(NamedTuple):
    """An average of gradients, second moments of the sides, their inverse roots, and Adam's second moment."""

    first: Array
    left: Array
    right: Array
    left_root: Array
    right_root: Array
    second: Array
    age: Array | int = 0


@transformation
def scale_by_shampoo(
    b1: Fraction = 0.9,
    b2: Fraction = 0.999,
    eps: NonNegative = 1e-12,
    update_interval: PositiveCount = 10,
    start_step: Count = 0,
    block_size: PositiveCount | None = 1024,
    inverse: Inverse = "eigh",
    graft_eps: NonNegative = 1e-8,
    *,
    axes: Axes | None = None,
    stagger: bool = True,
    stack: bool | None = None,
    chunk: PositiveCount | None = None,
    spread: str | tuple[str, ...] | None = None,
    state: Literal["array", "stack"] = "array",
) -> GradientTransformation:
    """The step of `shampoo` before the learning rate; arguments as there.

    Returns:
      A transformation that keeps a `ShampooState`, in float32 or wider. Arrays that are not matrices pass unchanged.
    """
    return matrixwise(
        _shampoo,
        _zeros,
        keeps=ShampooState,
        axes=axes,
        needs=("age",),
        refresh=_roots,
        every=update_interval,
        after=start_step,
        stagger=stagger,
        block=block_size,
        stack=stack,
        chunk=chunk,
        spread=spread,
        state=state,
        eps=eps,
        graft_eps=graft_eps,
        inverse=inverse,
        start_step=start_step,
        **adam_numbers(b1, b2),
    )


def _zeros(p: Array) -> ShampooState:
    sides = [jnp.zeros((size, size), p.dtype) for size in p.shape]
    roots = [jnp.eye(size, dtype=p.dtype) for size in p.shape]
    return ShampooState(jnp.zeros_like(p), sides[0], sides[1], roots[0], roots[1], jnp.zeros_like(p.real))


def _roots(
    g: Array, s: ShampooState, p: None, one_minus_b2: Array, correction2: Array, eps: Array, inverse: str, **_: Array
) -> ShampooState:
    order = 2 * max(sum(side > 1 for side in g.shape), 1)
    of = root_by_eigh if inverse == "eigh" else root_by_newton
    grams = gather_grams(s.left, s.right, g, one_minus_b2)  # with this gradient, which the update is about to gather
    roots = [
        of(lax.stop_gradient(gram / correction2), order, eps) if len(gram) > 1 else jnp.ones_like(gram)
        for gram in grams
    ]
    return s._replace(left_root=roots[0], right_root=roots[1])


def _shampoo(
    g: Array,
    s: ShampooState,
    p: None,
    age: Array,
    one_minus_b1: Array,
    one_minus_b2: Array,
    correction1: Array,
    correction2: Array,
    eps: Array,
    graft_eps: Array,
    inverse: str,
    start_step: int,
) -> tuple[Array, ShampooState]:
    g = tamed(g)
    first, second = average(s.first, g, one_minus_b1), average(s.second, bounded_square(g), one_minus_b2)
    m = first / correction1
    adam = m / (root(second / correction2) + graft_eps)
    u = s.left_root @ m @ s.right_root
    size = norm(u)
    u = u / jnp.where(size > 0, size, 1) * norm(adam)
    left, right = gather_grams(s.left, s.right, g, one_minus_b2)
    s = s._replace(first=first, second=second, left=left, right=right)
    return jnp.where(age >= start_step, u, adam), s


@transformation
def shampoo(
    learning_rate: LearningRate,
    b1: Fraction = 0.9,
    b2: Fraction = 0.999,
    eps: NonNegative = 1e-12,
    update_interval: PositiveCount = 10,
    start_step: Count = 0,
    block_size: PositiveCount | None = 1024,
    inverse: Inverse = "eigh",
    graft_eps: NonNegative = 1e-8,
    *,
    others: GradientTransformation | None = None,
    axes: Axes | None = None,
    stagger: bool = True,
    stack: bool | None = None,
    chunk: PositiveCount | None = None,
    spread: str | tuple[str, ...] | None = None,
    state: Literal["array", "stack"] = "array",
    weight_decay: NonNegative | None = None,
    where: Mask | None = None,
    maximize: bool = False,
) -> GradientTransformation:
    """Descend by gradients that the second moments of both sides have preconditioned, with steps as long as Adam's.

    L = b2 L + (1 - b2) G G^T and R likewise of G^T G;  u = L^(-1/4) m R^(-1/4), as long as the step of Adam

    m, L and R are divided by 1 - b^t. Where one side is 1 the other has the power -1/2. Until `start_step` the step is
    Adam's own.

    Args:
      learning_rate: the length of a step, as for Adam.
      b1: decay of the average of gradients.
      b2: decay of L and R, and of Adam's second moment.
      eps: added to the eigenvalues.
      update_interval: how many steps lie between two computations of the roots.
      start_step: the first step that they are computed in.
      block_size: the largest side; larger matrices are cut into equal blocks, each for itself. None for no bound.
      inverse: how roots are found: "eigh" by eigenvalues, "newton" by the coupled Newton iteration.
      graft_eps: added to the root in Adam's step.
      stagger, stack, chunk, spread, state: as for `matrixwise`.
      others, axes: as for `muon`.
      weight_decay, where, maximize: as for `adam`; the decay is that of matrices.

    Returns:
      A transformation that keeps a `ShampooState`, in float32 or wider, and what `others` keeps.

    References:
      Gupta, Koren and Singer, 2018, Shampoo: Preconditioned Stochastic Tensor Optimization.
      Shi et al., 2023, A Distributed Data-Parallel PyTorch Implementation of the Distributed Shampoo Optimizer for
      Training Neural Networks At-Scale.
    """
    rule = axes_of_matrices(axes, others)
    layout: dict[str, Any] = {"stagger": stagger, "stack": stack, "chunk": chunk, "spread": spread, "state": state}
    step = scale_by_shampoo(
        b1, b2, eps, update_interval, start_step, block_size, inverse, graft_eps, axes=rule, **layout
    )
    return descend_matrices([step], others, rule, learning_rate, weight_decay, where, maximize)
