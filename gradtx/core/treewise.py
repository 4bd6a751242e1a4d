"""Mathematics that needs all arrays at once."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import jax

from gradtx.core.factory import transformation
from gradtx.core.leafwise import stage_of
from gradtx.core.mathematics import Treewise
from gradtx.core.transformation import GradientTransformation

PyTree = Any


@transformation
def treewise(
    update: Callable[..., tuple[PyTree, Any]],
    init: Callable[[PyTree], Any] | None = None,
    *,
    keeps: type | str | tuple[str, ...] | None = None,
    needs: tuple[str, ...] = (),
    takes: Any = jax.Array,
    last: bool = False,
    **hyperparameters: Any,
) -> GradientTransformation:
    """Mathematics that needs all arrays at once: `update(updates, s, params, **hyperparameters) -> (updates, s)`.

    Args:
      update: a function of the tree of updates (arrays of at least float32; None where a leaf is left alone), what is
        kept `s`, the tree of parameters (None if the caller gave none) and the hyperparameters by name (scalars).
        Returns a tree of the same structure and the new `s`.
      init: `init(params) -> s`, what is kept at first, with params in at least float32. By default zeros: trees like
        the parameters, and scalars.
      keeps: what is kept: the name of one tree like the parameters, the names of several in a tuple, or a NamedTuple
        class, whose fields that are such trees are annotated `gradtx.ParamsLike`, and whose others are arrays of the
        stage's own. None for nothing. A field called `age` is how many updates the stage has seen, counted for it.
      needs: "params", "age" (given as `age=`), or the names of extra arguments of the transformation's `update`, passed
        on as they are. A function among them, such as the loss, takes the tree of parameters that the stage is given.
      takes: the type that flows in, as for `leafwise`.
      last: whether it is to be the last stage, as for `leafwise`.
      **hyperparameters: as for `leafwise`.

    Returns:
      A transformation.

    Raises:
      TypeError: if `update` cannot be called so, or if what is kept is not declared as above.

    Example:
      >>> import gradtx, jax, jax.numpy as jnp
      >>> def by_largest(updates, s, params):
      ...     largest = jnp.max(jnp.stack([jnp.max(jnp.abs(u)) for u in jax.tree.leaves(updates)]))
      ...     return jax.tree.map(lambda u: u / largest, updates), s
      >>> tx = gradtx.treewise(by_largest)
      >>> tx.update({"a": jnp.array([1.0, 4.0]), "b": jnp.array(-2.0)}, tx.init({}))[0]
      {'a': Array([0.25, 1.  ], dtype=float32), 'b': Array(-0.5, dtype=float32)}
    """
    given = update, init, keeps, needs, hyperparameters
    return stage_of(Treewise, ("updates", "s", "params"), *given, takes=takes, last=last)
