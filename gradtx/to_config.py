"""A transformation as a configuration."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

from gradtx.core import GradientTransformation
from gradtx.core.source import source
from gradtx.parse import DEEPEST, TOO_DEEP, parse


def to_config(tx: GradientTransformation) -> dict[str, Any]:
    """Write a transformation as a mapping that JSON and YAML can hold, and that `parse` reads back.

    parse(to_config(tx)) == tx

    The mapping has the name of the factory as `_target_` and the arguments by name. What JSON does not know, such as an
    array, a tuple or a key that is no string, is written as a string that begins with "=" and goes on as in Python.

    Args:
      tx: a transformation that gradtx's own factories made.

    Returns:
      Nested dicts and lists of numbers, strings, bools and None.

    Raises:
      ValueError: if `parse` would not read it back, because it holds a Python function, an object of another library,
        or a number that is being traced.

    Example:
      >>> import gradtx
      >>> gradtx.to_config(gradtx.sgd(gradtx.constant(0.1)))
      {'_target_': 'sgd', 'learning_rate': {'_target_': 'constant', 'value': 0.1}}
    """
    config: dict[str, Any] = _value(tx, 0)
    try:
        again = parse(config)
    except (TypeError, ValueError) as error:
        raise ValueError(f"to_config: {tx.name} cannot be written: {str(error).removeprefix('parse: ')}") from None
    if again != tx:
        raise ValueError(f"to_config: {tx.name} cannot be written, for it would be read back as {again!r}.")
    return config


def _value(x: Any, depth: int) -> Any:
    if depth > DEEPEST:
        raise ValueError(f"to_config: the transformation {TOO_DEEP}")
    if isinstance(x, GradientTransformation):
        return {"_target_": x.name, **{name: _value(part, depth + 1) for name, part in x._shown().items()}}
    if type(x) is list:
        return [_value(part, depth + 1) for part in x]
    if isinstance(x, Mapping):
        return {_key(key): _value(part, depth + 1) for key, part in x.items()}
    plain = type(x) in (bool, int, type(None)) or (type(x) is float and math.isfinite(x))
    return x if plain else _key(x)


def _key(x: Any) -> str:
    plain = type(x) is str and not x.startswith("=") and x not in ("_target_", "_args_")
    return x if plain else f"={source(x)}"
