"""Labels of arrays: masks, and the names of groups."""

from __future__ import annotations

import functools
from dataclasses import dataclass
from typing import Any

import jax
import numpy as np

from gradtx.core.numerics import is_floating
from gradtx.core.patterns import FirstMatch, is_pattern
from gradtx.core.trees import array_type, flatten, flatten_like, leaf_path

PyTree = Any


@functools.partial(jax.tree_util.register_dataclass, data_fields=["given"], meta_fields=["known", "source"])
@dataclass(frozen=True)
class Labels:
    """A label for each leaf of params: `labels(params, name)`, where `name` says who asks.

    Attributes:
      given: a pytree of labels, of the structure of params or a prefix of it, or a function that makes one of params. A
        callable that is itself a pytree, such as an Equinox module, is a pytree of labels. A pattern labels what fits
        it with True, and all else with False.
      known: the labels that there are.
      source: what an error calls them.
    """

    given: Any
    known: tuple[Any, ...]
    source: str

    def __call__(self, params: PyTree, name: str) -> list[Any]:
        """The labels; `None` in params needs none.

        Raises:
          ValueError: if the structures differ, or if a floating array has no label that is known.
        """
        labels = self.given
        if is_pattern(labels) and self.known == (True, False):
            labels = FirstMatch((labels,), (True,), False, False, f"{name}: {self.source}")
        if callable(labels) and jax.tree_util.all_leaves([labels]):
            labels = labels(params)
        given, labels_treedef = flatten(labels)
        parts = flatten_like(
            labels_treedef,
            params,
            name=name,
            what="params",
            like=self.source,
            remedy="Give one for every array or every part of params, or a function that makes them of params.",
        )
        leaves, treedef = flatten(params)
        found = [label for label, part in zip(given, parts, strict=True) for _ in flatten(part)[0]]
        for i, label in enumerate(found):
            many = np.shape(label) != ()
            if is_floating(leaves[i]) and (many or label not in self.known):
                shown = array_type(label) if many else repr(label)
                raise ValueError(
                    f"{name}: {leaf_path(treedef, i, 'params')} is {shown} in {self.source}; "
                    f"expected {' or '.join(map(repr, self.known))} for every floating array."
                )
        return found

    def only(self, label: Any, tree: PyTree, params: PyTree, name: str) -> PyTree:
        """`tree`, which is like params, with the leaves of one label, and None in the place of all others."""
        leaves, treedef = flatten(tree)
        labels = treedef.flatten_up_to(flatten(params)[1].unflatten(self(params, name)))
        return treedef.unflatten([x if other == label else None for x, other in zip(leaves, labels, strict=True)])
