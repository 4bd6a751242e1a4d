"""A transformation of some of the arrays, by a mask."""

from __future__ import annotations

from typing import Any

import jax

from gradtx.core import GradientTransformation, Mask, Run, transformation, wrapping
from gradtx.core.trees import is_none
from gradtx.core.wrapping import as_inner
from gradtx.transforms.labels import Labels

PyTree = Any


@transformation
def masked(inner: GradientTransformation, mask: Mask) -> GradientTransformation:
    """Apply a transformation to some of the arrays; all others pass unchanged, and have no state.

    u = inner(u) where the mask is True, else u

    What passes is the raw gradient, as in Optax. To hold arrays still, `freeze` them, or give them a group of their own
    in `partition`.

    Args:
      inner: the transformation; a norm that it computes is that of the chosen arrays alone.
      mask: a pytree of bools, of the structure of params or a prefix of it; or a function that makes one of params
        (of the updates, where `update` is given no params); or a pattern, as for `groups`. A callable pytree, such as
        an Equinox module of bools, is used as the pytree that it is.

    Returns:
      A transformation that keeps what `inner` keeps, for the chosen arrays.

    Raises:
      TypeError: if `inner` is not a transformation of arrays into arrays.
      ValueError: when used, if the mask does not fit the parameters; the message names the place.

    Example:
      >>> import gradtx, jax, jax.numpy as jnp
      >>> params = {"kernel": jnp.ones((2, 2)), "bias": jnp.ones(2)}
      >>> tx = gradtx.masked(gradtx.add_decayed_weights(0.1), lambda p: jax.tree.map(lambda x: x.ndim > 1, p))
      >>> updates, _ = tx.update(jax.tree.map(jnp.zeros_like, params), tx.init(params), params)
      >>> updates["bias"], updates["kernel"][0]
      (Array([0., 0.], dtype=float32), Array([0.1, 0.1], dtype=float32))
    """
    return for_label(as_inner(inner, "masked: inner"), True, Labels(mask, (True, False), "the mask"), "masked")


def for_label(inner: GradientTransformation, label: Any, labels: Labels, name: str) -> GradientTransformation:
    """A transformation of the arrays of one label; all others pass. `name` says who asks for it."""

    def view(tree: PyTree, params: PyTree) -> PyTree:
        return labels.only(label, tree, params, name)

    return wrapping(inner, _others_pass, view=view, reads=_others_as_they_are)


def _others_pass(run: Run, updates: PyTree, s: None, params: PyTree) -> tuple[PyTree, None]:
    passed = _others_as_they_are(run, s, updates)
    run.taken = True  # whatever happened inside, all others have gone on
    return passed, s


def _others_as_they_are(run: Any, s: None, tree: PyTree) -> PyTree:
    return jax.tree.map(lambda x, other: other if x is None else x, run(tree), tree, is_leaf=is_none)
