"""Trees of arrays: aligning them leaf by leaf, naming a leaf in an error, mapping one program over many arrays."""

from collections import defaultdict
from collections.abc import Callable, Hashable, Sequence
from functools import partial
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jax.experimental.shard_alike import shard_alike

from gradtx.core.compiled import per_program
from gradtx.core.meshes import back, is_explicit

PyTree = Any


def is_none(x: Any) -> bool:
    """Whether a leaf is None, which stands for an array that is left alone."""
    return x is None


def flatten(tree: PyTree) -> tuple[list[Any], Any]:
    """The leaves of `tree`, `None` among them, and its structure."""
    return jax.tree.flatten(tree, is_leaf=is_none)


def flatten_like(treedef: Any, tree: PyTree, *, name: str, what: str, like: str, remedy: str = "") -> list[Any]:
    """The parts of `tree` that stand where `treedef` has its leaves; `name` says who asks.

    Raises:
      ValueError: if the structures differ; the message names the first place.
    """
    try:
        return treedef.flatten_up_to(tree)
    except (ValueError, TypeError) as error:
        expected = treedef.unflatten([None] * treedef.num_leaves)
        raise ValueError(
            f"{name}: {what} and {like} must have the same structure; {_first_difference(expected, tree, what, like)}"
            f"{remedy and ' '}{remedy}"
        ) from error


def _first_difference(expected: PyTree, tree: PyTree, what: str, like: str) -> str:
    paths = dict.fromkeys(path for path, _ in jax.tree_util.tree_leaves_with_path(expected, is_leaf=is_none))
    given = dict.fromkeys(path for path, _ in jax.tree_util.tree_leaves_with_path(tree, is_leaf=is_none))
    for path in paths:
        if path not in given:
            return f"{like}{jax.tree_util.keystr(path)} has no counterpart in {what}."
    for path in given:
        if path not in paths:
            return f"{what}{jax.tree_util.keystr(path)} has no counterpart in {like}."
    return f"{like} is {type(expected).__name__}, {what} is {type(tree).__name__} (or they differ so further down)."


def leaf_path(treedef: Any, index: int, root: str) -> str:
    """How a user would write the leaf `index` of a tree called `root`: "params['dense']['kernel']"."""
    marks = treedef.unflatten(range(treedef.num_leaves))
    return root + jax.tree_util.keystr(jax.tree_util.tree_leaves_with_path(marks)[index][0])


def array_type(x: Any) -> str:
    """An array's type in a word: "float32[3,4]"."""
    if not hasattr(x, "dtype"):
        return type(x).__name__
    return f"{np.dtype(x.dtype).name}[{','.join(map(str, x.shape))}]"


def check_pair(result: Any, whose: str) -> None:
    """Raise unless an update returned a pair of the updates and what it keeps.

    Raises:
      TypeError: if it did not; the message says whose update it was.
    """
    if type(result) is not tuple or len(result) != 2:
        raise TypeError(
            f"the update of {whose} returned {array_type(result)}; expected a pair: the updates, and what it keeps "
            "(None if that is nothing)."
        )


# Inside a trace, arrays of one shape are handed to a compiled program in bundles of this many. Most of what a call
# costs there is per call, not per array; past a dozen the gain is spent.
BUNDLE = 8
# Outside a trace a call takes many, to be one call; more than this would only take longer to compile.
LARGE_BUNDLE = 256


def map_arrays(
    program: Callable[..., Any], rows: Sequence[tuple], shared: tuple = (), where: Callable[[int], str] | None = None
) -> list[Any]:
    """`[program(*row, *shared) for row in rows]`, with `program` traced once per distinct shape and dtype.

    Args:
      program: mathematics of one array; hashable, for its traces are kept from one call to the next.
      rows: what belongs to one array each, the array itself first.
      shared: what every array is given alike, such as a learning rate.
      where: what an error in row `i` adds to its message.

    Returns:
      The results in the order of `rows`.
    """
    tracing = any(isinstance(x, jax.core.Tracer) for x in jax.tree.leaves((rows, shared)))
    results: list[Any] = [None] * len(rows)
    for members in _groups(rows, tracing).values():
        size = BUNDLE if tracing else LARGE_BUNDLE
        try:
            for start in range(0, len(members), size):
                bundle = members[start : start + size]
                for index, result in zip(
                    bundle, _call(program, [rows[i] for i in bundle], shared, tracing), strict=True
                ):
                    results[index] = result
        except Exception as error:
            if where is not None:
                error.add_note(where(_first_failure(program, rows, shared, members)))
            raise
    return results


def _groups(rows: Sequence[tuple], tracing: bool) -> dict[Hashable, list[int]]:
    """Rows that one program may take together: inside a trace those of one shape, outside those placed alike."""
    groups: dict[Hashable, list[int]] = defaultdict(list)
    for index, (x, *_) in enumerate(rows):
        if isinstance(x, tuple):  # several arrays of one shape
            x = x[0]  # noqa: PLW2901
        groups[(x.shape, x.dtype) if tracing else x.sharding if x.committed else None].append(index)
    return groups


def _call(program: Callable[..., Any], rows: list[tuple], shared: tuple, tracing: bool) -> list[Any]:
    if not tracing or len(rows) == BUNDLE:
        return _on_bundle(program, rows, shared)
    # Too few for a bundle: one call each; and a program for a single use is written in place, for it would only cost.
    call = program if len(rows) == 1 else partial(_on_array, program)
    return [call(row, shared) for row in rows]


def _first_failure(program: Callable[..., Any], rows: Sequence[tuple], shared: tuple, members: list[int]) -> int:
    for index in members:
        try:
            jax.eval_shape(program, rows[index], shared)
        except Exception:
            return index
    return members[0]


@per_program
def _on_array(program: Callable[..., Any], row: tuple, shared: tuple) -> Any:
    return program(row, shared)


@per_program
def _on_bundle(program: Callable[..., Any], rows: list[tuple], shared: tuple) -> list[Any]:
    return [_on_array(program, row, shared) for row in rows]


def mapped(function: Callable[..., Any], depth: int) -> Callable[..., Any]:
    """A function that maps over the first `depth` axes of all that it is given."""
    for _ in range(depth):
        function = jax.vmap(function)
    return function


def placed_like(p: Any, kept: Any) -> Any:
    """Arrays sharded as `p` is. Compiled, zeros know nothing of the array they are for, and would lie everywhere."""
    if p is None:
        return kept
    if is_explicit():
        return jax.tree.map(lambda x: back(p, x) if x.shape == p.shape and x.ndim else x, kept)
    if not isinstance(p, jax.core.Tracer):
        return kept
    return jax.tree.map(lambda x: shard_alike(p, x)[1] if x.shape == p.shape and x.ndim else x, kept)


def on_devices_of(p: Any, kept: Any) -> Any:
    """Arrays of other shapes than that of `p` on the devices that it lies on, each whole."""
    if not isinstance(p, jax.core.Tracer) or is_explicit():
        return kept
    nothing = jnp.sum(placed_like(p, jnp.zeros_like(p)))  # which is known to lie where p does
    return jax.tree.map(lambda x: x if x.shape == p.shape else x + nothing.astype(x.dtype), kept)
