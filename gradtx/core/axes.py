"""What the axes of an array mean: inputs, outputs, or several matrices side by side.

One word per axis, in order: "i" for inputs, "o" for outputs, "b" for a batch of matrices. A number before the letter
says that the axis is so many blocks, and that each block belongs to a matrix of its own.

    "i o"       a kernel of Flax or Haiku                          "o i"      a weight of PyTorch or Equinox
    "i i i o"   the kernel of a convolution, HWIO                  "o i i i"  OIHW
    "b i o"     the kernels of layers that are scanned over        "i 3o"     query, key and value in one kernel
    "i b o"     heads, each a matrix                               "i 12o"    twelve heads along one axis
    "b o"       an embedding, each row of which is a matrix        "i o o"    heads, all of them one matrix
"""

from __future__ import annotations

import functools
import inspect
import math
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Annotated, Any, Literal

import jax
import jax.numpy as jnp

from gradtx.core.numerics import is_floating
from gradtx.core.patterns import ByPattern, FirstMatch, is_pattern, paths_of, some
from gradtx.core.source import source
from gradtx.core.trees import array_type, flatten

PyTree = Any
Array = jax.Array


@dataclass(frozen=True, repr=False)
class AxesOfArray:
    """The axes of one array, and the array seen as matrices [*batch, inputs, outputs]."""

    words: tuple[tuple[int, str], ...]

    def matrices(self, x: Array) -> Array:
        """The array as [*batch, inputs, outputs], which is the array itself where its axes already stand so."""
        split, order, shape = self._layout(x.shape)
        return x.reshape(split).transpose(order).reshape(shape)

    def array(self, x: Array, shape: tuple[int, ...]) -> Array:
        """The inverse: matrices as an array of `shape`."""
        split, order, _ = self._layout(shape)
        inverse = tuple(sorted(range(len(order)), key=order.__getitem__))
        return x.reshape(tuple(split[axis] for axis in order)).transpose(inverse).reshape(shape)

    def seen(self, shape: tuple[int, ...]) -> tuple[int, ...]:
        """The shape [*batch, inputs, outputs] in which an array of `shape` is seen."""
        return self._layout(shape)[2]

    def _layout(self, shape: tuple[int, ...]) -> tuple[tuple[int, ...], tuple[int, ...], tuple[int, ...]]:
        """The shape with blocks as axes of their own, the order that brings batch, inputs, outputs; the shape then."""
        split: list[tuple[int, str]] = []
        for size, (blocks, letter) in zip(shape, self.words, strict=True):
            split += [(blocks, "b"), (size // blocks, letter)] if blocks > 1 else [(size, letter)]
        order = tuple(axis for kind in "bio" for axis, (_, letter) in enumerate(split) if letter == kind)
        batch = tuple(size for size, letter in split if letter == "b")
        sides = tuple(math.prod(size for size, letter in split if letter == kind) for kind in "io")
        return tuple(size for size, _ in split), order, (*batch, *sides)

    def __repr__(self) -> str:
        return " ".join(f"{blocks if blocks > 1 else ''}{letter}" for blocks, letter in self.words)


@functools.cache
def parse_axes(words: str) -> AxesOfArray:
    """The axes that words say.

    Raises:
      ValueError: if a word is not one; the message says which.
    """
    found = []
    for word in words.split():
        match = re.fullmatch(r"([1-9]\d*)?([iob])", word)
        if match is None:
            raise ValueError(f"axes = {words!r}: {word!r} is not an axis; expected i, o or b, or blocks as in 3o.")
        found.append((int(match[1] or 1), match[2]))
    return AxesOfArray(tuple(found))


@dataclass(frozen=True)
class _Words:
    """Words for all arrays, a dict of patterns with words or None, or a function of path and array."""

    def check(self, name: str, x: Any) -> Any:
        """What was given, in a form that does not change.

        Raises:
          TypeError: if it is none of these, or if a key is not a pattern.
          ValueError: if a word is not one.
        """
        if isinstance(x, str):
            parse_axes(x)
        if isinstance(x, str | AxesOf) or (callable(x) and not isinstance(x, Mapping)):
            if inspect.isfunction(x):
                _check_call(name, x)
            return x
        if not isinstance(x, Mapping):
            raise TypeError(
                f"{name} = {source(x)} does not say what axes are; expected words such as 'i o', a dict of patterns "
                "such as {'embed/*': None, '*/qkv': 'i 3o'}, or a function of path and array."
            )
        for key, words in x.items():
            if not is_pattern(key) and not callable(key):
                raise TypeError(f"{name} has the key {key!r}, which is no pattern; expected a glob such as '*/qkv'.")
            if words is not None:
                if not isinstance(words, str):
                    raise TypeError(f"{name} has {words!r} for {key!r}; expected words such as 'i o', or None.")
                parse_axes(words)
        return ByPattern(x)


def _check_call(name: str, function: Callable[..., Any]) -> None:
    """Raise unless a function can be called with a path and an array.

    Raises:
      TypeError: if it cannot.
    """
    try:
        inspect.signature(function).bind("path", None)
    except TypeError as error:
        raise TypeError(f"{name} will be called as axes(path, array), but {source(function)}: {error}.") from None


# What the axes of arrays are: words for all of them ("i o"); a dict of patterns, as for `groups`, with words, or None
# for an array that is not a matrix; or a function of the path and the array that gives words or None.
Axes = Annotated[Any, _Words()]

Otherwise = Literal["matrix", "only", "units", "array"]


@dataclass(frozen=True)
class AxesOf:
    """A function from a tree to the axes of each of its arrays, None for one that is not a matrix.

    Attributes:
      given: what the user gave: words, pairs of a pattern and words, or a function; None for nothing.
      otherwise: what an array is that nothing was said about: "matrix" takes two axes for "i o" and four for "i i i o",
        none for fewer than two, and raises for three, or for five and more; "only" does the same, and raises for every
        array that is not a matrix; "units" takes the last axis for outputs and all others for inputs; "array" takes it
        as it is.
    """

    given: Any = None
    otherwise: Otherwise = "matrix"

    def __call__(self, tree: PyTree) -> tuple[AxesOfArray | None, ...]:
        """The axes of each leaf.

        Raises:
          ValueError: if words do not fit an array, if an array needs words, or if a pattern fits no array.
        """
        leaves, treedef = flatten(tree)
        arrays = tuple((jnp.shape(x), jnp.result_type(x)) if is_floating(x) else None for x in leaves)
        return _axes_of(self, treedef, arrays)


@dataclass(frozen=True)
class Known:
    """The axes of the arrays of one tree, in the place of what gave them."""

    axes: tuple[AxesOfArray | None, ...]

    def __call__(self, tree: PyTree) -> tuple[AxesOfArray | None, ...]:
        return self.axes


def axes_of(given: Any, otherwise: Otherwise = "matrix") -> AxesOf:
    """The function that gives axes, from what a user gave."""
    if given is None or isinstance(given, AxesOf):
        return given or AxesOf(None, otherwise)
    given = _Words().check("axes", given)
    return AxesOf(tuple(given.items()) if isinstance(given, Mapping) else given, otherwise)


@functools.lru_cache(maxsize=256)
def _axes_of(rule: AxesOf, treedef: Any, arrays: tuple[Any, ...]) -> tuple[AxesOfArray | None, ...]:
    leaves = [None if x is None else jax.ShapeDtypeStruct(*x) for x in arrays]
    paths = paths_of(treedef.unflatten(range(len(leaves))))
    words: list[str | None] = [""] * len(leaves)
    if isinstance(rule.given, str):
        words = [rule.given] * len(leaves)
    elif callable(rule.given):
        words = [None if x is None else rule.given(path, x) for path, x in zip(paths, leaves, strict=True)]
    elif rule.given:
        patterns, labels = zip(*rule.given, strict=True)
        match = FirstMatch(patterns, labels, "", False, "axes")
        words = treedef.flatten_up_to(match(treedef.unflatten(leaves)))
    found = tuple(
        None if x is None else _axes(rule, one, path, x) for path, one, x in zip(paths, words, leaves, strict=True)
    )
    left = [
        f"{path or 'the array'} {array_type(x)}"
        for path, axes, x in zip(paths, found, leaves, strict=True)
        if axes is None and x is not None
    ]
    if left and rule.otherwise == "only":
        raise ValueError(
            f"no transformation for {some(left)}, which is not a matrix: give one, as in others=adamw(3e-4)."
        )
    return found


def _axes(rule: AxesOf, words: str | None, path: str, x: Any) -> AxesOfArray | None:
    what, ndim = f"{path or 'the array'} {array_type(x)}", len(x.shape)
    if words == "":
        words = _default(rule.otherwise, ndim)
        if words == "":
            raise ValueError(
                f"axes: {what} has {ndim} axes: say what they are, as in "
                f"axes={{{path or '**'!r}: {('b ' * (ndim - 2) + 'i o')!r}}}, where i is inputs, o outputs and b a "
                "batch of matrices; None says that it is not a matrix."
            )
    if words is None:
        return None
    if not isinstance(words, str):
        raise TypeError(f"axes: the function gives {words!r} for {what}; expected words such as 'i o', or None.")
    axes = parse_axes(words)
    if len(axes.words) != ndim:
        if isinstance(rule.given, str) and ndim < 2:  # words for all matrices
            return None
        raise ValueError(f"axes: {words!r} is {len(axes.words)} axes, but {what} has {ndim}.")
    for size, (blocks, letter) in zip(x.shape, axes.words, strict=True):
        if size % blocks:
            raise ValueError(
                f"axes: {words!r} divides an axis of {what} in {blocks}{letter}, but {size} is no multiple of {blocks}."
            )
    return axes


def _default(otherwise: str, ndim: int) -> str | None:
    """The words for an array that nothing was said about; "" if something must be said."""
    if otherwise == "array" or ndim < 2:
        return None
    if otherwise == "units":
        return "i " * (ndim - 1) + "o"
    return {2: "i o", 4: "i i i o"}.get(ndim, "")
