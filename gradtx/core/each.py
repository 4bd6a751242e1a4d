"""Mathematics of one array over whole trees, for authors of wrappers."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from gradtx.core.numerics import cast, is_floating, real_dtype, scalar_dtype, widen
from gradtx.core.trees import flatten, flatten_like, map_arrays

PyTree = Any


def each(function: Callable[..., Any], tree: PyTree, *others: PyTree, gives: int = 1, **scalars: Any) -> Any:
    """Apply `function(x, *others, **scalars)` to every array of a tree and its counterparts in other trees.

    It is traced once per distinct shape, computes in float32 or wider, and leaves `None` alone. Outside a trace the
    whole tree is one call.

    Args:
      function: a function of arrays of one shape, and of scalars in their dtype, that returns an array, or a tuple of
        several. Best defined at the top of a module, where its compiled programs are kept.
      tree: the first tree; where it is `None`, so is the result.
      *others: trees of the same structure.
      gives: how many arrays `function` returns, in a tuple if it is more than one.
      **scalars: what every array is given alike.

    Returns:
      A tree of what `function` returns, or a tuple of `gives` trees.

    Raises:
      ValueError: if the structures differ; the message names the first place.

    Example:
      >>> import gradtx, jax.numpy as jnp
      >>> gradtx.each(lambda x, y, by: x + by * y, {"w": jnp.ones(2)}, {"w": jnp.arange(2.0)}, by=0.5)
      {'w': Array([1. , 1.5], dtype=float32)}
    """
    xs, treedef = flatten(tree)
    columns = [xs, *(flatten_like(treedef, x, name="each", what="a tree", like="the first tree") for x in others)]
    active = [i for i, x in enumerate(xs) if x is not None]
    numbers = {name: np.asarray(x, scalar_dtype())[()] if isinstance(x, float) else x for name, x in scalars.items()}
    found = map_arrays(_Each(function), [tuple(column[i] for column in columns) for i in active], (numbers,))
    results: list[list[Any]] = [[None] * len(xs) for _ in range(gives)]
    for i, result in zip(active, found, strict=True):
        for column, x in zip(results, result if gives > 1 else (result,), strict=True):
            column[i] = x
    trees = tuple(map(treedef.unflatten, results))
    return trees if gives > 1 else trees[0]


@dataclass(frozen=True)
class _Each:
    """A function of one array as a program, which compares by that function."""

    function: Callable[..., Any]

    def __call__(self, row: tuple[Any, ...], shared: tuple[dict[str, Any]]) -> Any:
        row = tuple(map(widen, row))
        real = real_dtype(jnp.result_type(*row))
        scalars = {name: cast(x, real) if is_floating(x) else x for name, x in shared[0].items()}
        return jax.tree.map(cast, self.function(*row, **scalars))
