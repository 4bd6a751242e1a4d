"""SOAP: Adam in the eigenbasis of Shampoo's preconditioner."""

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
    PositiveCount,
    matrixwise,
    transformation,
)
from gradtx.optimizers.common import axes_of_matrices, descend_matrices
from gradtx.transforms.matrices import Init, adam_numbers, gather_grams, tamed
from gradtx.transforms.numerics import average, bounded_square, root


class SoapState(NamedTuple):
    """Second moments of the sides, the bases, and Adam's moments in those; a side that is too long has one number."""

    left: Array
    right: Array
    left_basis: Array
    right_basis: Array
    first: Array
    second: Array
    age: Array | int = 0


@transformation
def scale_by_soap(
    b1: Fraction = 0.95,
    b2: Fraction = 0.95,
    eps: NonNegative = 1e-8,
    update_interval: PositiveCount = 10,
    max_side: PositiveCount = 10000,
    floor: NonNegative = 1e-5,
    *,
    axes: Axes | None = None,
    stagger: bool = True,
    stack: bool | None = None,
    chunk: PositiveCount | None = None,
    spread: str | tuple[str, ...] | None = None,
    state: Literal["array", "stack"] = "array",
) -> GradientTransformation:
    """The step of `soap` before the learning rate; arguments as there.

    Returns:
      A transformation that keeps a `SoapState`, in float32 or wider. Arrays that are not matrices pass unchanged.
    """
    return matrixwise(
        _soap,
        Init(_zeros, (max_side,)),
        keeps=SoapState,
        axes=axes,
        needs=("age",),
        begin=_first_basis,
        refresh=_turned_basis,
        every=update_interval,
        after=1 if stagger else 1 + update_interval,
        stagger=stagger,
        stack=stack,
        chunk=chunk,
        spread=spread,
        state=state,
        eps=eps,
        floor=floor,
        **adam_numbers(b1, b2, previous=True),
    )


def _zeros(most: int, p: Array) -> SoapState:
    sizes = [size if size <= most else 1 for size in p.shape]
    left, right = (jnp.zeros((size, size), p.dtype) for size in sizes)
    bases = [jnp.eye(size, dtype=p.dtype) for size in sizes]
    return SoapState(left, right, bases[0], bases[1], jnp.zeros_like(p), jnp.zeros_like(p.real))


def _first_basis(g: Array, s: SoapState, p: None, one_minus_b2: Array, **_: Array) -> SoapState:
    left, right = gather_grams(s.left, s.right, g, one_minus_b2)
    bases = [
        jnp.linalg.eigh(lax.stop_gradient(x))[1][:, ::-1] if len(x) > 1 else jnp.ones_like(x) for x in (left, right)
    ]
    return s._replace(left_basis=bases[0], right_basis=bases[1])


def _turned_basis(g: Array, s: SoapState, p: None, **_: Array) -> SoapState:
    """The basis after one step of the power iteration, sorted, and the moments in it."""
    first, second, bases = _back(s, s.first), s.second, []
    for side, (gram, q) in enumerate([(s.left, s.left_basis), (s.right, s.right_basis)]):
        if len(q) != second.shape[side] or len(q) == 1:
            bases.append(q)
            continue
        turned = lax.stop_gradient(gram @ q)
        order = jnp.argsort(-jnp.sum(lax.stop_gradient(q).conj() * turned, 0).real)
        second = jnp.take(second, order, axis=side)
        bases.append(jnp.linalg.qr(turned[:, order])[0])
    s = s._replace(left_basis=bases[0], right_basis=bases[1], second=second)
    return s._replace(first=_into(s, first))


def _into(s: SoapState, x: Array) -> Array:
    """A matrix in the bases; a side that is too long keeps its axes."""
    x = s.left_basis.conj().T @ x if len(s.left_basis) == x.shape[0] else x
    return x @ s.right_basis if len(s.right_basis) == x.shape[1] else x


def _back(s: SoapState, x: Array) -> Array:
    x = s.left_basis @ x if len(s.left_basis) == x.shape[0] else x
    return x @ s.right_basis.conj().T if len(s.right_basis) == x.shape[1] else x


def _soap(
    g: Array,
    s: SoapState,
    p: None,
    age: Array,
    one_minus_b1: Array,
    one_minus_b2: Array,
    correction1: Array,
    correction2: Array,
    eps: Array,
    floor: Array,
) -> tuple[Array, SoapState]:
    g = tamed(g)
    x, later = _into(s, g), age > 0  # the first gradient only makes the basis
    first = jnp.where(later, average(s.first, x, one_minus_b1), s.first)
    second = jnp.where(later, average(s.second, bounded_square(x), one_minus_b2), s.second)
    # Where gradients lack full rank, what is below 1e-5 of the largest is rounding: it is not to become a step.
    least = floor * root(jnp.max(second, initial=0))
    u = _back(s, first / (root(second) + eps + least))
    weight1, weight2 = jnp.where(later, correction1, 1), jnp.where(later, correction2, 1)
    u = u * jnp.where(later, jnp.sqrt(weight2) / weight1, 0)
    left, right = gather_grams(s.left, s.right, g, one_minus_b2)
    return u, s._replace(left=left, right=right, first=first, second=second)


@transformation
def soap(
    learning_rate: LearningRate,
    b1: Fraction = 0.95,
    b2: Fraction = 0.95,
    eps: NonNegative = 1e-8,
    update_interval: PositiveCount = 10,
    max_side: PositiveCount = 10000,
    floor: NonNegative = 1e-5,
    weight_decay: NonNegative | None = 0.01,
    *,
    others: GradientTransformation | None = None,
    axes: Axes | None = None,
    stagger: bool = True,
    stack: bool | None = None,
    chunk: PositiveCount | None = None,
    spread: str | tuple[str, ...] | None = None,
    state: Literal["array", "stack"] = "array",
    where: Mask | None = None,
    maximize: bool = False,
) -> GradientTransformation:
    """Descend by Adam in the eigenbasis of Shampoo's preconditioner.

    L = b2 L + (1 - b2) G G^T and R likewise of G^T G, with eigenvectors P and Q;  Adam's step of P^T G Q, turned back

    The first gradient only makes the basis. After every `update_interval` steps the basis follows L and R by one step
    of the power iteration. Without `floor` it is the authors' code.

    Args:
      learning_rate: the length of a step; 0.003 in the authors' code.
      b1: decay of the first moment. The authors' default, as are the next four.
      b2: decay of the second moment, and of L and R.
      eps: added to the root.
      update_interval: how many steps lie between two changes of a basis.
      max_side: a longer side keeps its own axes.
      floor: the least denominator as a fraction of the largest; gradients of low rank would otherwise become steps of
        rounding noise.
      stagger, stack, chunk, spread, state: as for `matrixwise`.
      others, axes: as for `muon`.
      weight_decay, where, maximize: as for `adam`; the decay is that of matrices.

    Returns:
      A transformation that keeps a `SoapState`, in float32 or wider, and what `others` keeps.

    References:
      Vyas et al., 2024, SOAP: Improving and Stabilizing Shampoo using Adam.
    """
    rule = axes_of_matrices(axes, others)
    layout: dict[str, Any] = {"stagger": stagger, "stack": stack, "chunk": chunk, "spread": spread, "state": state}
    step = scale_by_soap(b1, b2, eps, update_interval, max_side, floor, axes=rule, **layout)
    return descend_matrices([step], others, rule, learning_rate, weight_decay, where, maximize)
