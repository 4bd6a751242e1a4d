"""Any function of updates and parameters as a stage."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from gradtx.core import GradientTransformation, transformation, treewise


@transformation
def stateless(f: Callable[[Any, Any], Any]) -> GradientTransformation:
    """Apply a function of updates and parameters.

    u = f(updates, params)

    Args:
      f: a function of the tree of updates and the tree of params (None if `update` is given none) that returns a tree
        like the updates. Best defined at the top of a module, so that the stage can be pickled and compared.

    Returns:
      A transformation without state.

    Example:
      >>> import gradtx, jax, jax.numpy as jnp
      >>> halve = gradtx.stateless(lambda updates, params: jax.tree.map(lambda u: u / 2, updates))
      >>> halve.update([jnp.array(3.0)], halve.init([jnp.array(0.0)]))[0]
      [Array(1.5, dtype=float32)]
    """
    return treewise(_call, f=f)


def _call(updates: Any, s: None, params: Any, f: Callable[[Any, Any], Any]) -> tuple[Any, None]:
    return f(updates, params), s
