"""Functions as extra arguments, such as the loss: for stages that see a part of the parameters, and for jit."""

from __future__ import annotations

import functools
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import jax
import numpy as np
from jax.tree_util import Partial

from gradtx.core.trees import is_none

PyTree = Any


def is_function(x: Any) -> bool:
    """Whether an extra argument is a function, and not a tree of arrays whose class happens to be callable."""
    if isinstance(x, functools.partial):
        return True
    return callable(x) and not all(map(_varies, jax.tree.leaves(x)))


def _as_tree(function: Any) -> Any:
    """A function as a pytree of what it is bound to, `jax.tree_util.Partial` unless it is a pytree of its own kind."""
    if isinstance(function, Partial) or not jax.tree_util.all_leaves([function]):
        return function
    if isinstance(function, functools.partial):
        return Partial(function.func, *function.args, **function.keywords)
    return Partial(function)


def of_part(function: Any, whole: PyTree, part: PyTree) -> Any:
    """A function of parameters as one of the part that a stage sees, where the others are None; they stay as they are.

    Where `part` is no such part, with other leaves than `whole`, the function is given back as it is.
    """
    treedef: Any
    leaves, treedef = jax.tree.flatten(whole, is_leaf=is_none)
    seen, structure = jax.tree.flatten(part, is_leaf=is_none)
    if structure != treedef:
        return function
    if not any(p is None and x is not None for x, p in zip(leaves, seen, strict=True)):
        return function
    rest = treedef.unflatten([x if p is None else None for x, p in zip(leaves, seen, strict=True)])
    return Partial(_on_whole, _as_tree(function), rest)


def _on_whole(function: Callable[..., Any], rest: PyTree, part: PyTree, *args: Any, **kwargs: Any) -> Any:
    whole = jax.tree.map(lambda p, x: x if p is None else p, part, rest, is_leaf=is_none)
    return function(whole, *args, **kwargs)


@dataclass(frozen=True)
class Code:
    """A function without the arrays that it is bound to: what a compiled program of it depends on."""

    treedef: Any
    fixed: tuple[
        tuple[type, Any] | None, ...
    ]  # per leaf: None for an array; with its type, for 1, 1.0 and True are equal
    owner: Any = field(compare=False)  # the function itself, with which its compiled programs go

    def __call__(self, arrays: list[Any]) -> Any:
        """The function, bound to arrays."""
        rest = iter(arrays)
        return self.treedef.unflatten([next(rest) if x is None else x[1] for x in self.fixed])


def split(function: Any) -> tuple[Code, list[Any]]:
    """A function as its code, and the arrays that it is bound to, which may differ from call to call."""
    tree = _as_tree(function)
    leaves, treedef = jax.tree.flatten(tree)
    fixed = tuple(None if _varies(x) else (type(x), x) for x in leaves)
    return Code(treedef, fixed, _owner(tree)), [x for x in leaves if _varies(x)]


def _varies(x: Any) -> bool:
    return isinstance(x, jax.Array | np.ndarray | np.generic | float)


def _owner(tree: Any) -> Any:
    """The function at the bottom of what is bound to it; None for a pytree of another kind, which is made anew."""
    while isinstance(tree, Partial):
        tree = tree.args[0] if tree.func is _on_whole else tree.func
    return tree if jax.tree_util.all_leaves([tree]) else None
