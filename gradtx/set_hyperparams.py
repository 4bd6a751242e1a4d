"""Hyperparameters that are kept in a state, set to other values there."""

from __future__ import annotations

import itertools
import re
from collections.abc import Mapping
from difflib import get_close_matches
from typing import Any, TypeVar

import jax
import jax.numpy as jnp

from gradtx import optimizers, transforms, wrappers
from gradtx.core.patterns import fits
from gradtx.core.scalars import as_scalar
from gradtx.schedules.adjustable import PLACE

S = TypeVar("S")
# What a stage goes by, unless its chain says otherwise.
STAGES = {*transforms.__all__, *wrappers.__all__, *optimizers.__all__}


def set_hyperparams(state: S, values: Mapping[str, Any]) -> S:
    """A state in which hyperparameters that are `adjustable` have other values.

    Args:
      state: the state of a transformation, or anything that has one in it, such as a Flax `TrainState`.
      values: the new values by name: "adamw/learning_rate", with the names of groups and stages before it where one
        name is not enough; in a glob such as "**/learning_rate", "*" is any text, and all that fit it are set.

    Returns:
      The new state, of the same structure and dtypes.

    Raises:
      ValueError: if a name fits none of them, or, without a "*", several; the message lists what there is.

    Example:
      >>> import gradtx, jax.numpy as jnp
      >>> tx = gradtx.adamw(gradtx.adjustable(3e-4))
      >>> state = gradtx.set_hyperparams(tx.init(jnp.zeros(1)), {"**/learning_rate": 1e-4})
      >>> print(gradtx.hyperparams(tx, state)["adamw/learning_rate"])
      1e-04
    """
    leaves, treedef = jax.tree_util.tree_flatten_with_path(state)
    paths = [tuple(jax.tree_util.keystr((key,), simple=True) for key in keys) for keys, _ in leaves]
    kept = [i for i, path in enumerate(paths) if PLACE in path]
    new = [x for _, x in leaves]
    for name, value in values.items():
        found = [i for i in kept if _is_called(name, paths[i])]
        if not found:
            raise ValueError(_unknown(name, sorted({"/".join(_split(paths[i])[1]) for i in kept})))
        if "*" not in name.partition("[")[0] and any(
            _are_alike(paths[i], paths[j]) for i, j in itertools.combinations(found, 2)
        ):
            places = ", ".join("/".join(_split(paths[i])[0]) for i in found)
            raise ValueError(
                f"set_hyperparams: {name!r} is ambiguous: it stands at {places}. Put the name of a group or stage "
                f"before it, or set all of them with '**/{name}'."
            )
        for i in found:
            new[i] = jnp.asarray(as_scalar(value, name), new[i].dtype)
    return jax.tree.unflatten(treedef, new)


def _split(path: tuple[str, ...]) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Where it stands, and what it is called: the factory, its argument, and the label if it is that of an override."""
    at = len(path) - 1 - path[::-1].index(PLACE)
    label = "".join(part[part.index("[") :] for part in path[:at] if part.endswith("]") and "[" in part)
    return path[:at], (*path[at + 1 : -1], path[-1] + label)


def _is_called(name: str, path: tuple[str, ...]) -> bool:
    place, called = _split(path)
    if "*" in name.partition("[")[0]:
        plain = (*called[:-1], path[-1])
        return any(fits(name, "/".join(parts), None) for parts in (plain, called, (*place, *plain), (*place, *called)))
    rest = iter((*place, *called))
    return name.rsplit("/", maxsplit=1)[-1] == called[-1] and all(part in rest for part in name.split("/"))


def _are_alike(a: tuple[str, ...], b: tuple[str, ...]) -> bool:
    """Whether they are one hyperparameter of one stage in two places, and not one that two stages of one place use."""
    a, b = _split(a)[0], _split(b)[0]
    same = [x for x, _ in itertools.takewhile(lambda pair: pair[0] == pair[1], zip(a[::-1], b[::-1], strict=False))]
    differ = len(a) == len(b) and sum(x != y for x, y in zip(a, b, strict=True)) == 1
    return differ or any(re.sub(r"_\d+$", "", part) in STAGES for part in same)


def _unknown(name: str, known: list[str]) -> str:
    close = get_close_matches(name, known, n=1, cutoff=0.4)
    hint = f" Was {close[0]!r} meant?" if close else ""
    return (
        f"set_hyperparams: no adjustable hyperparameter is called {name!r}; there is {', '.join(known) or 'none'}."
        f"{hint} A number is made adjustable where the transformation is made: adamw(adjustable(3e-4))."
    )
