"""Complex parameters as pairs of real ones, for any transformation."""

from __future__ import annotations

from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
from jax import Array, lax

from gradtx.core import GradientTransformation, Run, transformation, wrapping
from gradtx.core.numerics import is_floating
from gradtx.core.trees import is_none
from gradtx.core.wrapping import as_inner

PyTree = Any


class Parts(NamedTuple):
    """A complex array as two real ones of its shape."""

    real: Array
    imaginary: Array


@transformation
def split_real_and_imaginary(inner: GradientTransformation) -> GradientTransformation:
    """Update complex arrays as the pairs of real ones that they are, as PyTorch does. Optax's name.

    u = inner(Re g) + i inner(Im g), where a norm or another number that is computed of an array counts two arrays.

    Without it the second moment of a complex number is that of its modulus, one real number for both of its parts.

    Args:
      inner: the transformation; it may be one that refuses complex arrays, such as `rprop`.

    Returns:
      A transformation that keeps the state of `inner`, of `Parts` where a parameter is complex.

    Raises:
      TypeError: if `inner` is not a transformation of arrays into arrays.

    Example:
      >>> import gradtx, jax.numpy as jnp
      >>> tx = gradtx.split_real_and_imaginary(gradtx.sign_sgd(1.0))
      >>> tx.update(jnp.array([3.0 - 4.0j]), tx.init(jnp.zeros(1, complex)))[0]
      Array([-1.+1.j], dtype=complex64)
    """
    tx = as_inner(inner, "split_real_and_imaginary: inner")
    return wrapping(tx, _in_parts, view=_view, reads=lambda run, s, params: _whole(run(params), params))


def _view(tree: PyTree, params: PyTree) -> PyTree:
    return jax.tree.map(_split, tree, is_leaf=is_none)


def _in_parts(run: Run, updates: PyTree, s: None, params: PyTree) -> tuple[PyTree, None]:
    return _whole(run(updates, **{name: _view(x, params) for name, x in run.extra.items()}), updates), s


def _whole(parts: PyTree, like: PyTree) -> PyTree:
    """Numbers put together again. A part of `like` that was itself a pair stays one."""
    return jax.tree.map(lambda _, x: _join(x), like, parts, is_leaf=is_none)


def _split(x: Any) -> Any:
    return Parts(jnp.real(x), jnp.imag(x)) if is_floating(x) and jnp.iscomplexobj(x) else x


def _join(x: Any) -> Any:
    return lax.complex(x.real, x.imaginary) if isinstance(x, Parts) else x
