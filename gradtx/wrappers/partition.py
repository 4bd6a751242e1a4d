"""A transformation for each group of arrays, by labels."""

from __future__ import annotations

from collections.abc import Hashable, Mapping
from typing import Any

from gradtx.core import GradientTransformation, transformation
from gradtx.core.mathematics import Chain, Mathematics
from gradtx.core.plan import STEP
from gradtx.core.wrapping import check_inner
from gradtx.transforms.labels import Labels
from gradtx.wrappers.masked import for_label

PyTree = Any


@transformation
def partition(transforms: Mapping[Hashable, GradientTransformation], labels: PyTree) -> GradientTransformation:
    """Apply to each array the transformation of its label.

    u = transforms[label](u)

    Args:
      transforms: a transformation for each label. Arrays under `set_to_zero()` are held still, and have no state.
      labels: a pytree of labels, of the structure of params or a prefix of it; or a function that makes one of params,
        as for `masked`.

    Returns:
      A transformation that keeps, under each label, what its transformation keeps for its arrays.

    Raises:
      TypeError: if one of `transforms` is not a transformation of arrays into arrays.
      ValueError: when used, if an array has a label that is not among those of `transforms`.

    Example:
      >>> import gradtx, jax.numpy as jnp
      >>> tx = gradtx.partition({"fit": gradtx.adam(0.1), "hold": gradtx.set_to_zero()}, {"w": "fit", "b": "hold"})
      >>> state = tx.init({"w": jnp.zeros(2), "b": jnp.zeros(2)})
      >>> state["fit"]["track_moments"].first
      {'b': None, 'w': Array([0., 0.], dtype=float32)}
    """
    known = Labels(labels, tuple(transforms), "the labels")
    groups: dict[str, Mathematics] = {}
    for label, inner in transforms.items():
        check_inner("partition", f"the transformation for {label!r}", inner)
        if str(label) in (STEP, *groups):
            raise TypeError(f"partition: a group called {label!r} would share its place in the state; rename it.")
        groups[str(label)] = for_label(inner, label, known, "partition").mathematics
    record: Any = Chain(groups)
    return record
