"""Steps left out where a gradient is not finite."""

from __future__ import annotations

from typing import Any, NamedTuple

import jax.numpy as jnp
from jax import Array

from gradtx.core import Count, GradientTransformation, Run, transformation, wrapping
from gradtx.transforms import trees

PyTree = Any


class SkipNonfiniteState(NamedTuple):
    """How many steps have been left out, in a row by now and in all."""

    in_a_row: Array
    skipped: Array


@transformation
def skip_nonfinite(inner: GradientTransformation, at_most: Count | None = None) -> GradientTransformation:
    """Leave a step out where a gradient is infinite or NaN: nothing changes, and no step is counted.

    u = inner(u) if every number in u is finite, else 0

    Args:
      inner: the transformation that takes the other steps.
      at_most: how many steps in a row may be left out; the one after that is taken whatever its gradient is, so that a
        run that cannot go on shows it. None leaves out all of them; the count in the state shows how many.

    Returns:
      A transformation that keeps what `inner` keeps, under the same names, and a `SkipNonfiniteState`.

    Raises:
      TypeError: if `inner` is not a transformation of arrays into arrays.

    Example:
      >>> import gradtx, jax.numpy as jnp
      >>> tx = gradtx.skip_nonfinite(gradtx.adam(0.1))
      >>> updates, state = tx.update(jnp.array([jnp.nan]), tx.init(jnp.zeros(1)))
      >>> print(updates, state["step"], state["skip_nonfinite"].skipped)
      [0.] 0 1
    """

    def init(params: PyTree) -> SkipNonfiniteState:
        return SkipNonfiniteState(jnp.zeros((), jnp.int32), jnp.zeros((), jnp.int32))

    return wrapping(inner, _skip_nonfinite, init, keeps=SkipNonfiniteState, skips=True, at_most=at_most)


def _skip_nonfinite(
    run: Run, g: PyTree, s: SkipNonfiniteState, params: PyTree, at_most: int | None
) -> tuple[PyTree, SkipNonfiniteState]:
    finite = trees.all_finite(g)
    take = finite if at_most is None else finite | (s.in_a_row >= at_most)
    updates = run.when(take, g)
    return updates, SkipNonfiniteState(jnp.where(finite, 0, s.in_a_row + 1), s.skipped + ~take)
