"""A transformation for each group of arrays, by labels."""

from __future__ import annotations

from collections.abc import Hashable, Mapping

from gradtx.core import GradientTransformation, Mask, transformation
from gradtx.core.chain import in_a_row
from gradtx.core.plan import STEP
from gradtx.core.wrapping import as_inner
from gradtx.transforms.labels import Labels
from gradtx.wrappers.masked import for_label


@transformation
def partition(transforms: Mapping[Hashable, GradientTransformation], labels: Mask) -> GradientTransformation:
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
    _check(list(transforms))
    known = Labels(labels, tuple(transforms), "the labels")
    groups: dict[str, GradientTransformation] = {}
    for label, inner in transforms.items():
        tx = as_inner(inner, f"partition: the transformation for {label!r}")
        if str(label) in (STEP, *groups):
            raise TypeError(f"partition: a group called {label!r} would share its place in the state; rename it.")
        groups[str(label)] = for_label(tx, label, known, "partition")
    return in_a_row(**groups)


def _check(labels: list[Hashable]) -> None:
    """Raise if a label cannot be one."""
    for label in labels:
        if label is None or isinstance(label, tuple) or "/" in str(label):
            raise TypeError(
                f"partition: {label!r} is no label. None and tuples are parts of pytrees, and a '/' stands between the "
                "names in a state: use plain strings."
            )
    try:
        sorted(labels)  # type: ignore[type-var]
    except TypeError:
        raise TypeError(f"partition: the labels {labels!r} do not sort together; use strings.") from None
