"""PSGD Kron: a preconditioner for each side, fitted so that gradients become white."""

from __future__ import annotations

from typing import Any, Literal, NamedTuple

import jax.numpy as jnp
from jax import Array, lax

from gradtx.core import (
    Axes,
    Count,
    CountOrSchedule,
    Fraction,
    GradientTransformation,
    LearningRate,
    Mask,
    NonNegative,
    Positive,
    PositiveCount,
    Schedule,
    matrixwise,
    stepwise,
    transformation,
)
from gradtx.optimizers.common import axes_of_matrices, descend_matrices
from gradtx.transforms.averages import correction, one_minus
from gradtx.transforms.matrices import Init, noise, tamed
from gradtx.transforms.numerics import abs_square, average, norm, rms

# How many fits lie between two in which the factors of a matrix are made equally large.
BALANCE = 100


class KronState(NamedTuple):
    """An average of gradients, and a factor for each side: upper triangular, or the diagonal where the side is long."""

    first: Array
    left: Array
    right: Array
    age: Array | int = 0


@transformation
def kron_interval(
    least: Positive = 1.0, most: Positive = 33.0, growth: NonNegative = 0.001, flat: Count = 500
) -> Schedule:
    """The interval between two fits of the preconditioner in `psgd_kron`: each step at first, then ever more rarely.

    least exp(growth (step - flat)), within [least, most]

    It is one over the authors' probability of a fit, which falls from 1 to 0.03.

    Args:
      least: the interval at first.
      most: the interval at last.
      growth: by what fraction it grows in a step.
      flat: how many steps it stays as it is at first.

    Returns:
      A schedule.

    Example:
      >>> import gradtx
      >>> [round(float(gradtx.kron_interval()(step)), 1) for step in (0, 1500, 10000)]
      [1.0, 2.7, 33.0]
    """
    return stepwise(_interval, least=least, most=most, growth=growth, flat=flat)


def _interval(step: Array, least: Array, most: Array, growth: Array, flat: int) -> Array:
    # The exponent is bounded, so that the derivative is finite too.
    return jnp.minimum(least * jnp.exp(jnp.minimum(growth * jnp.maximum(step - flat, 0), 60)), most)


@transformation
def scale_by_kron(
    b1: Fraction = 0.9,
    fit_rate: NonNegative = 0.1,
    max_rms: Positive = 1.1,
    update_interval: CountOrSchedule = 1,
    max_side: PositiveCount = 8192,
    key: Count = 0,
    *,
    axes: Axes | None = None,
    stack: bool | None = None,
    chunk: PositiveCount | None = None,
    spread: str | tuple[str, ...] | None = None,
    state: Literal["array", "stack"] = "array",
) -> GradientTransformation:
    """The step of `psgd_kron` before the learning rate; arguments as there, with a fit at every step by default.

    Returns:
      A transformation that keeps a `KronState`, in float32 or wider. Arrays that are not matrices pass unchanged.
    """
    return matrixwise(
        _kron,
        Init(_identities, (max_side,)),
        keeps=KronState,
        axes=axes,
        needs=("age", "index"),
        refresh=_fitted,
        every=update_interval,
        stagger=False,
        stack=stack,
        chunk=chunk,
        spread=spread,
        state=state,
        one_minus_b1=one_minus(b1),
        correction1=correction(b1),
        fit_rate=fit_rate,
        max_rms=max_rms,
        key=key,
    )


def _identities(most: int, p: Array) -> KronState:
    if jnp.iscomplexobj(p):
        raise TypeError(
            "psgd_kron fits real factors; split the complex array into real and imaginary part "
            "with gradtx.split_real_and_imaginary(...)."
        )
    sides = [jnp.ones(n, p.dtype) if n > most or n == 1 else jnp.eye(n, dtype=p.dtype) for n in p.shape]
    return KronState(jnp.zeros_like(p), *sides)


def _by(q: Array, x: Array, side: int) -> Array:
    """Q x of the rows, or x Q^T of the columns."""
    if q.ndim == 1:
        return q[:, None] * x if side == 0 else x * q
    return q @ x if side == 0 else x @ q.T


def _by_inverse(q: Array, x: Array, side: int) -> Array:
    """Q^-T x of the rows, or x Q^-1 of the columns."""
    if q.ndim == 1:
        return x / q[:, None] if side == 0 else x / q
    q, x = (y.astype(jnp.result_type(q, x)) for y in (q, x))  # which the solver does not do by itself
    if side == 0:
        return lax.linalg.triangular_solve(q, x, left_side=True, lower=False, transpose_a=True)
    return lax.linalg.triangular_solve(q, x, left_side=False, lower=False)


def _fitted(
    g: Array,
    s: KronState,
    p: None,
    age: Array,
    index: Array,
    one_minus_b1: Array,
    correction1: Array,
    fit_rate: Array,
    key: int,
    **_: Any,
) -> KronState:
    """The factors after a step of their own, downhill in E[x^T P x + v^T P^-1 v] for noise v."""
    left, right = _balanced(s, age)
    x = average(s.first, tamed(g), one_minus_b1) / correction1
    # Whatever its scale is: the fit only asks for the quotient of x and the factors.
    v = noise(key, age, index, x)
    x = x + jnp.sqrt(jnp.finfo(jnp.float32).eps).astype(x.dtype) * jnp.mean(jnp.abs(x)) * v
    a = _by(right, _by(left, x, 0), 1)
    b = _by_inverse(right, _by_inverse(left, v, 0), 1)
    return s._replace(left=_step(left, a, b, 0, fit_rate), right=_step(right, a, b, 1, fit_rate))


def _step(q: Array, a: Array, b: Array, side: int, rate: Array) -> Array:
    # What is beyond the root of the largest number would have an infinite square: a common factor changes nothing.
    largest = jnp.maximum(jnp.max(jnp.abs(a)), jnp.max(jnp.abs(b)))
    largest = jnp.where(largest > 0, largest, 1)
    a, b = a / largest, b / largest
    tiny = jnp.finfo(q.dtype).tiny
    if q.ndim == 1:
        aa, bb = (jnp.sum(abs_square(y), 1 - side) for y in (a, b))
        return q - rate / jnp.maximum(jnp.max(aa + bb), tiny) * (aa - bb) * q
    aa, bb = ((y @ y.T if side == 0 else y.T @ y) for y in (a, b))
    return q - rate / jnp.maximum(_norm_at_least(aa + bb), tiny) * jnp.triu(aa - bb) @ q


def _norm_at_least(a: Array) -> Array:
    """A lower bound of the spectral norm of a symmetric matrix, near it, for two products with a vector."""
    largest = jnp.max(jnp.abs(a))
    some = largest > 0
    a = a / jnp.where(some, largest, 1)
    column = a[:, jnp.argmax(jnp.sum(abs_square(a), 0))]
    x = column @ a
    size = norm(x)
    return jnp.where(some, norm(a @ (x / jnp.where(size > 0, size, 1))) * largest, 0)


def _balanced(s: KronState, age: Array) -> tuple[Array, Array]:
    """The factors, made equally large now and then, which changes nothing but their rounding."""
    sizes = [jnp.max(jnp.abs(q)) for q in (s.left, s.right)]
    both = jnp.sqrt(sizes[0]) * jnp.sqrt(sizes[1])
    due = (age % BALANCE == BALANCE - 1) & (both > 0)
    left, right = (jnp.where(due, both / jnp.where(size > 0, size, 1), 1) for size in sizes)
    return left * s.left, right * s.right


def _kron(
    g: Array, s: KronState, p: None, one_minus_b1: Array, correction1: Array, max_rms: Array, **_: Any
) -> tuple[Array, KronState]:
    first = average(s.first, tamed(g), one_minus_b1)
    u = first / correction1
    for side, q in enumerate((s.left, s.right)):
        u = _by(q if q.ndim == 1 else q.T, _by(q, u, side), side)
    size = rms(u)
    return u * jnp.where(size > max_rms, max_rms / jnp.where(size > 0, size, 1), 1), s._replace(first=first)


@transformation
def psgd_kron(
    learning_rate: LearningRate,
    b1: Fraction = 0.9,
    fit_rate: NonNegative = 0.1,
    max_rms: Positive = 1.1,
    update_interval: CountOrSchedule | None = None,
    max_side: PositiveCount = 8192,
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
    """Descend by gradients that a preconditioner for each side makes white, which is fitted step by step.

    u = P^T P m Q^T Q, within rms(u) <= max_rms, with the average m, debiased, and triangular P and Q that are fitted so
    that P m Q^T has no correlations

    Args:
      learning_rate: the length of a step; about a third of Adam's.
      b1: decay of the average. The authors' default, as are the next four.
      fit_rate: the length of a step of the fit.
      max_rms: bound of the root mean square of a step.
      update_interval: how many steps lie between two fits: a number, or a schedule. None for `kron_interval()`, the
        authors' probability of a fit as an interval.
      max_side: a longer side has a diagonal only.
      key: the seed of the noise that fits take.
      stack, chunk, spread, state: as for `matrixwise`.
      others, axes: as for `muon`.
      weight_decay, where, maximize: as for `adam`; the decay is that of matrices.

    Returns:
      A transformation that keeps a `KronState`, in float32 or wider, and what `others` keeps.

    References:
      Li, 2018, Preconditioned Stochastic Gradient Descent.
    """
    rule = axes_of_matrices(axes, others)
    layout: dict[str, Any] = {"stack": stack, "chunk": chunk, "spread": spread, "state": state}
    interval = kron_interval() if update_interval is None else update_interval
    step = scale_by_kron(b1, fit_rate, max_rms, interval, max_side, key, axes=rule, **layout)
    return descend_matrices([step], others, rule, learning_rate, weight_decay, where, maximize)
