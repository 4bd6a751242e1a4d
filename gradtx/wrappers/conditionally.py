"""Steps under a condition."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import jax.numpy as jnp
from jax import Array

from gradtx.core import GradientTransformation, Run, transformation, wrapping

PyTree = Any


class ConditionallyState(NamedTuple):
    """How many updates have been asked for, whether they were taken or not."""

    calls: Array


@transformation
def conditionally(
    inner: GradientTransformation,
    should: Callable[..., Any],
    *,
    needs: tuple[str, ...] = (),
    passing: bool = False,
) -> GradientTransformation:
    """Take a step only where a condition holds; otherwise nothing inside changes, and time stands still there.

    u = inner(u) if should(calls), else 0; with `passing`, else u

    Args:
      inner: the transformation.
      should: `should(calls, **needs) -> bool`, a function of the number of updates asked for so far, 0 at first.
      needs: names of extra arguments of `update` that `should` is given by name.
      passing: whether updates pass unchanged where the condition does not hold, instead of being zero.

    Returns:
      A transformation that keeps what `inner` keeps, under the same names, and a `ConditionallyState`.

    Raises:
      TypeError: if `inner` is not a transformation of arrays into arrays.

    Example:
      >>> import gradtx, jax.numpy as jnp
      >>> tx = gradtx.conditionally(gradtx.sgd(1.0), lambda calls: calls % 2 == 1)
      >>> state = tx.init(jnp.zeros(1))
      >>> for _ in range(2):
      ...     updates, state = tx.update(jnp.ones(1), state)
      ...     print(updates)
      [0.]
      [-1.]
    """

    def init(params: PyTree) -> ConditionallyState:
        return ConditionallyState(jnp.zeros((), jnp.int32))

    options: dict[str, Any] = {"should": should, "passing": passing}
    return wrapping(inner, _conditionally, init, keeps=ConditionallyState, needs=needs, skips=True, **options)


def _conditionally(
    run: Run, g: PyTree, s: ConditionallyState, params: PyTree, should: Any, passing: bool, **given: Any
) -> tuple[PyTree, ConditionallyState]:
    updates = run.when(should(s.calls, **given), g, passing=passing)
    if passing:
        run.taken = True  # what passes is a step too, for all around
    return updates, ConditionallyState(s.calls + 1)
