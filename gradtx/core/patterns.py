"""Patterns: which arrays are meant, by their paths and by what they are."""

from __future__ import annotations

import functools
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Annotated, Any

import jax
import jax.numpy as jnp

from gradtx.core.numerics import is_floating
from gradtx.core.source import source
from gradtx.core.trees import array_type, flatten, is_none

PyTree = Any


@dataclass(frozen=True, repr=False)
class Predicate:
    """A condition on an array, which prints as the call that makes it: `ndim(2)`."""

    holds: Callable[..., bool]
    arguments: tuple[tuple[str, Any], ...]

    def __call__(self, path: str, x: Any) -> bool:
        return self.holds(x, *(value for _, value in self.arguments))

    def __repr__(self) -> str:
        shown = (f"{name}={value!r}" if name else repr(value) for name, value in self.arguments if value is not None)
        return f"{self.holds.__name__.strip('_')}({', '.join(shown)})"


def ndim(exactly: int | None = None, *, at_least: int | None = None, at_most: int | None = None) -> Predicate:
    """A pattern for arrays with so many axes.

    Args:
      exactly: the number of axes.
      at_least: the smallest number.
      at_most: the largest number.

    Returns:
      A pattern for `groups`, `overrides`, `where=` and masks.

    Example:
      >>> import gradtx
      >>> gradtx.adamw(3e-4, where=gradtx.ndim(at_least=2)).arguments["where"]
      ndim(at_least=2)
    """
    return Predicate(_ndim, (("", exactly), ("at_least", at_least), ("at_most", at_most)))


def _ndim(x: Any, exactly: int | None, at_least: int | None, at_most: int | None) -> bool:
    found = jnp.ndim(x)
    return (exactly is None or found == exactly) and (at_least or 0) <= found <= (found if at_most is None else at_most)


def shape(*sizes: int | None) -> Predicate:
    """A pattern for arrays of a shape, in which None stands for any size.

    Args:
      *sizes: the size of each axis, or None.

    Returns:
      A pattern for `groups`, `overrides`, `where=` and masks.

    Example:
      >>> import gradtx, jax.numpy as jnp
      >>> gradtx.shape(None, 3)("kernel", jnp.ones((2, 3)))
      True
    """
    return Predicate(_shape, (("", _Sizes(sizes)),))


class _Sizes(tuple[int | None, ...]):
    """Sizes, which print without brackets."""

    __slots__ = ()

    def __repr__(self) -> str:
        return ", ".join(map(repr, self))


def _shape(x: Any, sizes: tuple[int | None, ...]) -> bool:
    found = jnp.shape(x)
    return len(found) == len(sizes) and all(want in (None, size) for want, size in zip(sizes, found, strict=True))


def dtype(name: Any) -> Predicate:
    """A pattern for arrays of a dtype.

    Args:
      name: the dtype, such as "bfloat16" or `jnp.bfloat16`.

    Returns:
      A pattern for `groups`, `overrides`, `where=` and masks.

    Example:
      >>> import gradtx, jax.numpy as jnp
      >>> gradtx.dtype("bfloat16")("kernel", jnp.ones(2, jnp.bfloat16))
      True
    """
    return Predicate(_dtype, (("", jnp.dtype(name).name),))


def _dtype(x: Any, name: str) -> bool:
    return jnp.result_type(x).name == name


# A glob on the path, a compiled regular expression that fits the whole path, a condition such as `ndim(2)`, a function
# of the path and the array, or several of these in a tuple, of which one must fit.
Pattern = str | re.Pattern[str] | Callable[[str, Any], bool] | tuple[Any, ...]


def is_pattern(x: Any) -> bool:
    """Whether this can be nothing else than a pattern; a bare function may also be one of params."""
    if type(x) is tuple:
        return bool(x) and all(map(is_pattern, x))
    return isinstance(x, str | re.Pattern | Predicate)


def fits(pattern: Any, path: str, x: Any) -> bool:
    """Whether an array, or None in the place of one, fits a pattern."""
    if isinstance(pattern, tuple):
        return any(fits(one, path, x) for one in pattern)
    if isinstance(pattern, str):
        return _glob(pattern).fullmatch(path) is not None
    if isinstance(pattern, re.Pattern):
        return pattern.fullmatch(path) is not None
    return x is not None and bool(pattern(path, x))


# What the parts of a glob stand for; a "*/" or "**/" is a part at the front only.
GLOBS = {"/**/": "/(?:.*/)?", "**/": "(?:.*/)?", "*/": "(?:.*/)?", "**": ".*", "*": ".*", "?": "[^/]"}


@functools.lru_cache(maxsize=1024)
def _glob(pattern: str) -> re.Pattern[str]:
    """A glob as a regular expression: "*" is any text, with slashes; "*/" at the front may be nothing at all."""
    parts = re.findall(r"^\*{1,2}/|/\*\*/|\*{1,2}|\?|\[!?[^\]]+\]|.", pattern, re.DOTALL)
    return re.compile("".join(map(_part, parts)), re.DOTALL)


def _part(part: str) -> str:
    if len(part) > 2 and part[0] == "[":
        return part.replace("[!", "[^", 1)
    return GLOBS.get(part) or re.escape(part)


def path_of(keys: Any) -> str:
    """The path of an array as a user would write it: "encoder/layer_0/bias", without the `value` of a Flax variable."""
    if len(keys) > 1 and isinstance(keys[-1], jax.tree_util.GetAttrKey) and keys[-1].name == "value":
        keys = keys[:-1]
    return jax.tree_util.keystr(keys, simple=True, separator="/")


def paths_of(tree: PyTree) -> list[str]:
    """The paths of the leaves of a tree, `None` among them."""
    return [path_of(keys) for keys, _ in jax.tree_util.tree_leaves_with_path(tree, is_leaf=is_none)]


@dataclass(frozen=True)
class FirstMatch:
    """A function from params to a tree of labels, in which each array has that of the first pattern that it fits.

    Attributes:
      patterns: the patterns in order.
      labels: their labels.
      otherwise: the label of what fits none; None to raise.
      allow_unused: whether a pattern may fit nothing.
      source: what an error calls the patterns.
    """

    patterns: tuple[Any, ...]
    labels: tuple[Any, ...]
    otherwise: Any
    allow_unused: bool
    source: str

    def __call__(self, params: PyTree) -> PyTree:
        """The labels.

        Raises:
          ValueError: if a floating array fits no pattern, or if a pattern fits no array; the message lists them.
        """
        leaves, treedef = flatten(params)
        key = tuple(None if x is None else (jnp.shape(x), jnp.result_type(x)) for x in leaves)
        return treedef.unflatten(_first_matches(self, treedef, key))


@functools.lru_cache(maxsize=256)
def _first_matches(match: FirstMatch, treedef: Any, arrays: tuple[Any, ...]) -> tuple[Any, ...]:
    leaves = [None if x is None else jax.ShapeDtypeStruct(*x) for x in arrays]
    paths = [keys for keys, _ in jax.tree_util.tree_flatten_with_path(treedef.unflatten(range(len(leaves))))[0]]
    found, unmatched, used = [], [], set()
    for keys, x in zip(paths, leaves, strict=True):
        short, full = path_of(keys), jax.tree_util.keystr(keys, simple=True, separator="/")
        fitting = [i for i, one in enumerate(match.patterns) if fits(one, short, x) or fits(one, full, x)]
        used.update(fitting)
        if not fitting and match.otherwise is None and is_floating(x):
            unmatched.append(f"{short} {array_type(x)}")
        found.append(match.labels[fitting[0]] if fitting else match.otherwise)
    if unmatched:
        raise ValueError(
            f"{match.source}: no pattern fits {some(unmatched)}. Add a pattern for them, or "
            "'**' as the last one for all that is left."
        )
    unused = [source(one) for i, one in enumerate(match.patterns) if i not in used]
    if unused and found and not match.allow_unused:
        raise ValueError(
            f"{match.source}: {some(unused)} fits no array. The arrays are {some([path_of(x) for x in paths])}. "
            "A glob fits the whole path: '*/bias' fits every bias."
        )
    return tuple(found)


def some(names: list[str], most: int = 12) -> str:
    """The first names of a list, and how many more there are."""
    rest = f" and {len(names) - most} more" if len(names) > most else ""
    return ", ".join(names[:most]) + rest


@jax.tree_util.register_pytree_with_keys_class
class ByPattern(Mapping[Any, Any]):
    """A dict that keeps its order when JAX flattens it."""

    def __init__(self, pairs: Mapping[Any, Any]):
        self._pairs = dict(pairs)

    def __getitem__(self, key: Any) -> Any:
        return self._pairs[key]

    def __iter__(self) -> Iterator[Any]:
        return iter(self._pairs)

    def __len__(self) -> int:
        return len(self._pairs)

    def __repr__(self) -> str:
        return source(self)

    def tree_flatten_with_keys(self) -> tuple[tuple[tuple[Any, Any], ...], tuple[Any, ...]]:
        """The values with their keys, in order."""
        keys = tuple(self._pairs)
        return tuple((jax.tree_util.DictKey(key), self._pairs[key]) for key in keys), keys

    @classmethod
    def tree_unflatten(cls, keys: tuple[Any, ...], values: Any) -> ByPattern:
        """The dict again."""
        return cls(dict(zip(keys, values, strict=True)))


@dataclass(frozen=True)
class _InOrder:
    """A dict whose keys are patterns."""

    def check(self, name: str, x: Any) -> ByPattern:
        """The dict, with its order.

        Raises:
          TypeError: if it is no dict, is empty, or a key is no pattern.
        """
        if not isinstance(x, Mapping):
            x = dict(x) if isinstance(x, list | tuple) and all(isinstance(p, tuple) and len(p) == 2 for p in x) else x
        if not isinstance(x, Mapping) or not x:
            raise TypeError(f"{name} = {source(x)} is no dict of patterns; expected one such as {{'*/bias': ...}}.")
        for key in x:
            if not is_pattern(key) and not callable(key):
                raise TypeError(
                    f"{name} has the key {key!r}, which is no pattern; expected a glob such as '*/bias', "
                    "re.compile(...), ndim(2), or a function of path and array."
                )
        return ByPattern(x)


Patterns = Annotated[Mapping[Any, Any], _InOrder()]


def texts(patterns: Any) -> dict[Any, str]:
    """A name for each pattern that can stand in the path of a state: its text, with dots for slashes.

    Raises:
      TypeError: if two have one name.
    """
    names = {one: _text(one).replace("/", ".") for one in patterns}
    for name in names.values():
        if list(names.values()).count(name) > 1:
            raise TypeError(f"two patterns would both be called {name!r} in the state; write one of them otherwise.")
    return names


def _text(pattern: Any) -> str:
    if isinstance(pattern, tuple):
        return " or ".join(map(_text, pattern))
    if isinstance(pattern, re.Pattern):
        return pattern.pattern
    return pattern if isinstance(pattern, str) else source(pattern)
