"""A wrapper for complex parameters: any transformation, for the real and the imaginary parts side by side."""

from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
from jax import lax

from gradtx.core import GradientTransformation, transformation
from gradtx.core.chain import foreign
from gradtx.core.numerics import is_floating
from gradtx.core.trees import is_none
from gradtx.wrappers.groups import check

Array = jax.Array
PyTree = Any


class Parts(NamedTuple):
    """A complex array in two real ones, of its shape."""

    real: Array
    imaginary: Array


@transformation
def split_real_and_imaginary(inner: GradientTransformation) -> GradientTransformation:
    """Update complex arrays as the pairs of real ones that they are, as PyTorch does. Optax's name.

    u = inner(Re g) + i inner(Im g), where a norm or another number that is taken of an array counts two arrays.

    Without it the second moment of a complex number is that of its modulus, one real number for both of its parts.

    Args:
      inner: the transformation; also one that refuses complex arrays, such as `rprop`.

    Returns:
      A transformation that keeps the state of `inner`, of `Parts` where a parameter is complex.

    Raises:
      TypeError: if `inner` is no transformation of arrays into arrays.

    Example:
      >>> import gradtx, jax.numpy as jnp
      >>> tx = gradtx.split_real_and_imaginary(gradtx.sign_sgd(1.0))
      >>> tx.update(jnp.array([3.0 - 4.0j]), tx.init(jnp.zeros(1, complex)))[0]
      Array([-1.+1.j], dtype=complex64)
    """
    check("split_real_and_imaginary", "inner", inner)
    return foreign(_Split(inner))


class _Split(NamedTuple):
    inner: GradientTransformation

    def init(self, params: PyTree) -> PyTree:
        return self.inner.init(_split(params))

    def update(self, updates: PyTree, state: PyTree, params: PyTree, **extra: Any) -> tuple[PyTree, PyTree]:
        parts, state = self.inner.update(_split(updates), state, _split(params), **_split(extra))
        return jax.tree.map(_join, parts, is_leaf=lambda x: isinstance(x, Parts)), state


def _split(tree: PyTree) -> PyTree:
    return jax.tree.map(_apart, tree, is_leaf=is_none)


def _apart(x: Any) -> Any:
    return Parts(jnp.real(x), jnp.imag(x)) if is_floating(x) and jnp.iscomplexobj(x) else x


def _join(x: Any) -> Any:
    return lax.complex(x.real, x.imaginary) if isinstance(x, Parts) else x
