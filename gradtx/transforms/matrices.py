"""Arithmetic of matrices that methods share: products that stay finite, and inverse roots."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import jax
import jax.numpy as jnp
from jax import Array, lax

from gradtx.core import Fraction
from gradtx.transforms.averages import correction, one_minus
from gradtx.transforms.numerics import abs_square, average, bounded_square, root


@dataclass(frozen=True)
class Init:
    """A function of a parameter with its first arguments given, which compares by what it is, as `partial` does not."""

    function: Callable[..., Any]
    arguments: tuple[Any, ...]

    def __call__(self, p: Array) -> Any:
        return self.function(*self.arguments, p)


def tamed(g: Array) -> Array:
    """A matrix, shrunk if need be so that the sums of its products are finite."""
    largest = jnp.max(jnp.abs(g), initial=0)
    bound = math.sqrt(float(jnp.finfo(g.dtype).max) / 8) / math.sqrt(max(*g.shape, 1))
    return g * jnp.where(largest > bound, bound / jnp.where(largest > bound, largest, 1), 1)


def gather_grams(left: Array, right: Array, g: Array, rate: Array) -> tuple[Array, Array]:
    """The averages of G G^H and G^H G; a side that is not kept, of another size, stays as it is."""
    g = tamed(g)
    if len(left) == g.shape[0]:
        left = average(left, g @ g.conj().T, rate)
    if len(right) == g.shape[1]:
        right = average(right, g.conj().T @ g, rate)
    return left, right


def adam_numbers(b1: Fraction, b2: Fraction, *, previous: bool = False) -> dict[str, Any]:
    """The hyperparameters of a stage that keeps Adam's moments; `previous` corrects as for one step less."""
    return {
        "one_minus_b1": one_minus(b1),
        "one_minus_b2": one_minus(b2),
        "correction1": correction(b1, previous=previous),
        "correction2": correction(b2, previous=previous),
    }


def adam_step(
    g: Array, first: Array, second: Array, rate1: Array, rate2: Array, weight1: Array, weight2: Array, eps: Array
) -> tuple[Array, Array, Array]:
    """The step of Adam, as (m / (1 - b1^t)) sqrt(1 - b2^t) / (sqrt(v) + eps), and the moments."""
    first, second = average(first, g, rate1), average(second, bounded_square(g), rate2)
    return first / (root(second) + eps) * (jnp.sqrt(weight2) / weight1), first, second


def root_by_eigh(a: Array, order: int, eps: Array) -> Array:
    """A^(-1/order) of a positive matrix: eigenvalues below zero are lifted there, and all by eps."""
    values, vectors = jnp.linalg.eigh(a)
    values = values - jnp.minimum(values[0], 0) + eps
    return (vectors * jnp.maximum(values, jnp.finfo(values.dtype).tiny) ** (-1 / order)) @ vectors.conj().T


def root_by_newton(a: Array, order: int, eps: Array, steps: int = 100) -> Array:
    """The same by the coupled Newton iteration, which takes products of matrices only."""
    identity, tolerance = jnp.eye(len(a), dtype=a.dtype), 10 * jnp.finfo(a.dtype).eps
    a = a + eps * identity
    size = jnp.sqrt(jnp.sum(abs_square(a / jnp.max(jnp.abs(a))))) * jnp.max(jnp.abs(a))
    z = (1 + order) / (2 * size)

    def nearer(carry: Any) -> Any:
        i, m, x, error, _ = carry
        t = ((order + 1) * identity - m) / order
        m = jnp.linalg.matrix_power(t, order) @ m
        return i + 1, m, x @ t, jnp.max(jnp.abs(m - identity)), error

    def goes_on(carry: Any) -> Any:  # until it is near enough, or rounding makes it worse; far off, it may come back
        i, _, _, error, previous = carry
        return (i < steps) & (error > tolerance) & ((error < 1.2 * previous) | (error > 0.1))

    m = a * z
    infinite = jnp.array(jnp.inf, m.real.dtype)
    start = (0, m, identity * z ** (1 / order), jnp.max(jnp.abs(m - identity)), infinite)
    return lax.while_loop(goes_on, nearer, start)[2]


def noise(seed: int, step: Array, number: Array, like: Array) -> Array:
    """A matrix of normal numbers that follows from the seed, the step and the number of the matrix."""
    key = jax.random.fold_in(jax.random.fold_in(jax.random.key(seed), step), number)
    return jax.random.normal(key, like.shape, like.dtype)
