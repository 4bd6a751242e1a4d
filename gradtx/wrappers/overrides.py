"""Other numbers for some of the arrays."""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

import jax
import numpy as np

from gradtx.core import GradientTransformation, Varied, transformation
from gradtx.core.mathematics import (
    Chain,
    Keeps,
    Leafwise,
    Mathematics,
    Matrixwise,
    Stepwise,
    Treewise,
    inner_of,
    is_numeric,
)
from gradtx.core.patterns import FirstMatch, Patterns, texts
from gradtx.core.plan import multiply
from gradtx.core.source import number_key, source
from gradtx.core.wrapping import as_inner
from gradtx.transforms.labels import Labels

REST = ""  # the label of arrays that fit no pattern


@transformation
def overrides(
    inner: GradientTransformation, changes: Patterns, *, allow_unused: bool = False
) -> GradientTransformation:
    """A transformation with other numbers for some of the arrays, by patterns.

    u = inner.replace(**changes[pattern])(u) for the first pattern that an array fits, else inner(u)

    The stages are those of `inner`, and so are the names in the state, whatever the changes are. Arrays of one shape
    share their program.

    Args:
      inner: the transformation.
      changes: for each pattern, which is as for `groups`, a dict of arguments of `inner` and the numbers or schedules
        that they are there. The arguments of a stage or of a wrapped transformation stand in a dict under its name:
        `{"*/bias": {"adamw": {"weight_decay": 0.0}}}`.
      allow_unused: whether a pattern may fit no array.

    Returns:
      A transformation that keeps what `inner` keeps, under the same names.

    Raises:
      TypeError: if `inner` has no such argument, or if the change is more than another number of each array.
      ValueError: when used, if a pattern fits no array; the message lists them.

    Example:
      >>> import gradtx
      >>> tx = gradtx.overrides(
      ...     gradtx.adamw(3e-4), {"*/bias": {"weight_decay": 0.0}, "embed/*": {"learning_rate": 1e-4}}
      ... )
    """
    tx = as_inner(inner, "overrides: inner")
    names = texts(changes)
    variants = {REST: tx, **{names[pattern]: _changed(tx, change) for pattern, change in changes.items()}}
    labels = Labels(
        FirstMatch(tuple(names), tuple(names.values()), REST, allow_unused, "overrides"), tuple(variants), "overrides"
    )
    record: Any = vary(variants, labels)
    return record


def _changed(tx: GradientTransformation, change: Any) -> GradientTransformation:
    if not isinstance(change, Mapping):
        raise TypeError(f"{source(change)} is no dict of arguments; expected one such as {{'weight_decay': 0.0}}.")
    arguments = {}
    for name, x in change.items():
        if isinstance(tx.arguments.get(name), GradientTransformation) and isinstance(x, Mapping):
            arguments[name] = _changed(tx.arguments[name], x)
        elif isinstance(x, int | float | np.generic | jax.Array) or callable(x):
            arguments[name] = x
        else:
            raise TypeError(f"{name} = {source(x)} is no number, and only numbers can be overridden; use groups.")
    return tx.replace(**arguments)


Variants = Mapping[str, Any]  # what stands in one place, for each label


def vary(variants: Mapping[str, GradientTransformation], labels: Callable[..., Any]) -> Mathematics:
    """One transformation of several that differ in numbers only: each array has the numbers of its label.

    Raises:
      TypeError: if they differ in more; the message says in what.
    """
    first, *others = variants.values()
    if all(other == first for other in others):
        return first.mathematics
    if all(isinstance(tx.mathematics, Chain) for tx in variants.values()) and first.stages:
        if any(list(tx.stages) != list(first.stages) for tx in others):
            names = sorted({name for tx in others for name in set(tx.stages) ^ set(first.stages)})
            raise TypeError(
                f"the changes make other stages ({', '.join(names)}), and only numbers can be overridden: give the "
                "base a number there too, such as weight_decay=0.0, or use groups."
            )
        return Chain({name: vary({k: tx.stages[name] for k, tx in variants.items()}, labels) for name in first.stages})
    return _vary({label: tx.mathematics for label, tx in variants.items()}, labels, first.name)


def _vary(variants: Variants, labels: Callable[..., Any], name: str) -> Any:
    first, *others = variants.values()
    if _same(first, others):
        return first
    if any(type(other) is not type(first) for other in others):
        raise TypeError(f"{name}: the changes make other stages, and only numbers can be overridden; use groups.")
    if isinstance(first, Chain):
        if any(list(other.stages) != list(first.stages) for other in others):
            raise TypeError(f"{name}: the changes make other stages, and only numbers can be overridden; use groups.")
        return Chain({k: _vary({x: v.stages[k] for x, v in variants.items()}, labels, k) for k in first.stages})
    if isinstance(first, Stepwise):
        return Leafwise(multiply, None, Keeps(), (), {"value": Varied(variants, labels)})
    if isinstance(first, Treewise) and first.inner is not None:
        within = _vary({k: v.inner.mathematics for k, v in variants.items()}, labels, first.inner.name)
        first = replace(first, inner=first.inner._replace(mathematics=within))
    numbers = {}
    for key in first.hyperparameters:
        values = {label: x.hyperparameters[key] for label, x in variants.items()}
        numbers[key] = values[REST]
        if not _same(values[REST], list(values.values())):
            if not all(map(is_numeric, values.values())):
                raise TypeError(
                    f"{name}: {key} is an option and no number, so that it cannot differ between arrays; use groups."
                )
            if isinstance(first, Treewise) and not isinstance(first, Matrixwise):
                raise TypeError(
                    f"{name}: {key} is one number for all arrays together, so that it cannot differ between them; use "
                    "groups."
                )
            numbers[key] = Varied(values, labels)
    if any(_functions(other) != _functions(first) for other in variants.values()):
        raise TypeError(
            f"{name}: the changes make another function of its mathematics, and only numbers can be overridden; use "
            "groups."
        )
    return replace(first, hyperparameters=numbers)


def _functions(x: Leafwise) -> Any:
    return _function(x.update), _function(x.init)


def _function(f: Any) -> Any:
    """What a function is compared by: one that is made inside another is made anew each time."""
    if isinstance(f, functools.partial):
        return _function(f.func), tuple(map(_key, f.args)), {name: _key(x) for name, x in f.keywords.items()}
    if not inspect.isfunction(f) or "<locals>" not in f.__qualname__:
        return f
    return f.__code__, tuple(_key(cell.cell_contents) for cell in f.__closure__ or ()), f.__defaults__


def _same(first: Any, others: list[Any]) -> bool:
    """Whether numbers, schedules or stages are one and the same."""
    return all(other is first or _key(other) == _key(first) for other in others)


def _key(x: Any) -> Any:
    """What mathematics, a hyperparameter or an option is compared by."""
    if isinstance(x, Chain):
        return {name: _key(stage) for name, stage in x.stages.items()}
    if isinstance(x, Varied):
        return id(x.labels), {label: _key(value) for label, value in x.values.items()}
    if isinstance(x, Stepwise | Leafwise):
        what = (_function(x.value),) if isinstance(x, Stepwise) else (_function(x.update), x.keeps)
        inner = inner_of(x)
        within = None if inner is None else (_key(inner.mathematics), *inner[1:])
        return (
            type(x),
            what,
            _function(x.init),
            x.needs,
            within,
            {name: _key(y) for name, y in x.hyperparameters.items()},
        )
    return number_key(x) if isinstance(x, float | np.generic) or hasattr(x, "dtype") else x
