"""Which arrays a stage is for, by their labels."""

from collections.abc import Sequence
from typing import Any

import jax
import numpy as np

from gradtx.core.primitives import Labels, Selected
from gradtx.core.trees import flatten, flatten_like, leaf_path, spell_array

PyTree = Any


class Selector:
    """The arrays of one tree that a stage is for; each set of labels is worked out once."""

    def __init__(self, name: str, params: PyTree, treedef: Any, active: Sequence[int]):
        self.name, self.params, self.treedef, self.active = name, params, treedef, active
        self._labels: dict[int, list[Any]] = {}

    def chosen(self, selections: Sequence[Selected]) -> Sequence[int]:
        """The positions of those active leaves that every selection takes."""
        active = self.active
        for selection in selections:
            labels = self._labels_of(selection.labels)
            active = [i for i in active if labels[i] == selection.label]
        return active

    def only(self, selections: Sequence[Selected], leaves: Sequence[Any]) -> list[Any]:
        """The leaves that every selection takes, None in the place of all others."""
        chosen = set(self.chosen(selections))
        return [x if i in chosen else None for i, x in enumerate(leaves)]

    def _labels_of(self, labels: Labels) -> list[Any]:
        if id(labels) not in self._labels:
            self._labels[id(labels)] = found = self._spread(labels)
            for i in self.active:
                many = np.shape(found[i]) != ()
                if many or found[i] not in labels.known:
                    spelt = spell_array(found[i]) if many else repr(found[i])
                    raise ValueError(
                        f"{self.name}: {leaf_path(self.treedef, i, 'params')} is {spelt} in {labels.called}; "
                        f"expected {' or '.join(map(repr, labels.known))} for every floating array."
                    )
        return self._labels[id(labels)]

    def _spread(self, labels: Labels) -> list[Any]:
        """A label per leaf. A callable that is itself a pytree, such as an Equinox module, is a tree of labels."""
        tree = labels.source
        if callable(tree) and jax.tree_util.all_leaves([tree]):
            tree = tree(self.params)
        given, labels_treedef = flatten(tree)
        parts = flatten_like(
            labels_treedef,
            self.params,
            name=self.name,
            what="params",
            like=labels.called,
            remedy="Give one for every array or every part of params, or a function that makes them of params.",
        )
        spread = [label for label, part in zip(given, parts, strict=True) for _ in flatten(part)[0]]
        return self.treedef.flatten_up_to(flatten(self.params)[1].unflatten(spread))
