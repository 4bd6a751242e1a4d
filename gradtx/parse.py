"""Transformations from text and from configuration files. Nothing in them is evaluated as code."""

from __future__ import annotations

import ast
import difflib
import functools
import inspect
import json
import math
import operator
import re
from collections.abc import Callable, Iterable, Mapping
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np

from gradtx import core, optimizers, schedules, transforms, wrappers
from gradtx.core import GradientTransformation, Schedule

Fail = Callable[[str], ValueError]

LONGEST, DEEPEST, WIDEST = 100_000, 100, 1024  # characters, parts within parts, bits of a power
TOO_DEEP = f"is nested too deeply; expected at most {DEEPEST} parts within parts."

ROOMS: tuple[Any, ...] = (core, schedules, transforms, wrappers, optimizers)
PUBLIC = {name: x for room in ROOMS for name in room.__all__ if inspect.isfunction(x := getattr(room, name))}
# The public functions that may be called. The others may be named.
MAKERS = {
    name: x
    for name, x in PUBLIC.items()
    if name in ("ndim", "shape", "dtype") or x.__annotations__.get("return") in ("GradientTransformation", "Schedule")
}
# What else stands in a repr: calls that make data, and data that have a name.
DTYPES = {name: x for name, x in vars(jnp).items() if isinstance(x, type(jnp.float32))}
DATA: dict[str, Callable[..., Any]] = {
    **{f"jnp.{name}": x for name, x in DTYPES.items()},
    **{f"np.{name}": np.dtype(x).type for name, x in DTYPES.items()},
    "jnp.array": lambda entries, dtype=None: jnp.array(entries, _dtype(dtype)),
    "np.array": lambda entries, dtype=None: np.array(entries, _dtype(dtype)),
    "jax.random.wrap_key_data": jax.random.wrap_key_data,
    "re.compile": re.compile,
    "float": float,
}
NAMES: dict[str, Any] = {
    **{f"jnp.{name}": x for name, x in DTYPES.items()},
    **{f"re.{flag.name}": flag for flag in re.RegexFlag},
    **{"np.True_": np.True_, "np.False_": np.False_, "inf": math.inf, "nan": math.nan},
}
ARITHMETIC: dict[type, Callable[[Any, Any], Any]] = {
    **{ast.Add: operator.add, ast.Sub: operator.sub, ast.Mult: operator.mul},
    **{ast.Div: operator.truediv, ast.Pow: operator.pow},
}
OPERANDS = (Schedule, int, float, np.number, jax.Array)


def parse(text: str | Mapping[str, Any]) -> GradientTransformation | Schedule:
    """Read a transformation from its repr, or from a configuration, without evaluating code.

    parse(repr(tx)) == tx

    A text calls factories by name. Arguments are numbers and their arithmetic, strings, lists, tuples, dicts, arrays,
    regular expressions, transformations, or names of public functions. Schedules combine with `*`, `+` and `then`.

    A configuration is a mapping with the name of the factory as `_target_`, the arguments by name, and positional ones
    in the list `_args_`. A string or key in it that begins with "=" is read as text: "=2**-8".

    Args:
      text: the text, which may be JSON for a mapping; or the mapping.

    Returns:
      The transformation; a `Schedule` if it is one.

    Raises:
      ValueError: if part of the text is anything else, such as a Python function; the message shows the part.

    Example:
      >>> import gradtx
      >>> gradtx.parse("sgd(0.1 * warmup(1.0, warmup_steps=10))") == gradtx.sgd(0.1 * gradtx.warmup(1.0, 10))
      True
      >>> gradtx.parse({"_target_": "sgd", "learning_rate": {"_target_": "warmup", "_args_": [0.5, 10]}})
      sgd(learning_rate=warmup(peak_value=0.5, warmup_steps=10, init_value=0.0))
    """
    if not isinstance(text, str | Mapping):
        raise TypeError(f"parse: expected a text or a mapping, but this is {type(text).__name__}.")
    if isinstance(text, str) and text.lstrip().startswith("{"):
        try:
            text = json.loads(text)
        except (ValueError, RecursionError) as error:
            raise ValueError(f"parse: the text begins like JSON, but is none: {error}.") from None
    found = _from_config(text, "config", 0) if isinstance(text, Mapping) else _from_text(text, "", 0)
    if not isinstance(found, GradientTransformation):
        raise ValueError(
            f"parse: this makes {type(found).__name__}, not a transformation; expected a call such as 'adam(0.001)', "
            "or a mapping with the name of a factory as '_target_'."
        )
    return found


def _from_config(x: Any, place: str, depth: int) -> Any:
    def fail(what: str) -> ValueError:
        return ValueError(f"parse: {place if len(place) < 200 else place[:200] + '...'} {what}")

    if depth > DEEPEST:
        raise fail(TOO_DEEP)
    if isinstance(x, str) and x.startswith("="):
        return _from_text(x[1:], f" of {place}", depth)
    if isinstance(x, list):
        return [_from_config(part, f"{place}[{i}]", depth + 1) for i, part in enumerate(x)]
    if not isinstance(x, Mapping):
        return x
    parts = {key: _from_config(x[key], f"{place}[{key!r}]", depth + 1) for key in x if key != "_target_"}
    if "_target_" not in x:
        keys = [_from_config(key, f"the key {key!r} of {place}", depth + 1) for key in parts]
        return _dict(keys, list(parts.values()), fail)
    name, positional = x["_target_"], parts.pop("_args_", [])
    if not isinstance(name, str) or not isinstance(positional, list):
        raise fail("is no call; expected the name of a factory as '_target_', and a list, if any, as '_args_'.")
    return _call(name, positional, parts, lambda what: fail(f"has the target {name!r}, which {what}"))


def _from_text(text: str, place: str, depth: int) -> Any:
    text = re.sub(r"\r\n?", "\n", text.strip())
    if len(text) > LONGEST:
        raise ValueError(f"parse: the text{place} has {len(text)} characters; expected at most {LONGEST}.")
    try:
        body = ast.parse(text, mode="eval").body
    except SyntaxError as error:
        where = f" at line {error.lineno}, column {error.offset}" if error.lineno else ""
        remedy = " A function, or a number that is traced, cannot be read from text." if "<" in text else ""
        raise ValueError(f"parse: the text{place} cannot be read{where}: {error.msg}.{remedy}") from None
    except (RecursionError, MemoryError):
        raise ValueError(f"parse: the text{place} {TOO_DEEP}") from None
    return _Text(text, place).read(body, depth)


class _Text(NamedTuple):
    """A text, and what an error says it is part of."""

    text: str
    place: str

    def fail(self, node: ast.expr, what: str) -> ValueError:
        piece = " ".join((ast.get_source_segment(self.text, node) or "").split())
        line = self.text.split("\n")[node.lineno - 1].encode()
        where = f"line {node.lineno}, " if node.lineno > 1 else ""
        where += f"column {len(line[: node.col_offset].decode()) + 1}{self.place}"
        return ValueError(f"parse: {piece if len(piece) < 80 else piece[:77] + '...'!r} at {where} {what}")

    def read(self, node: ast.expr, depth: int) -> Any:  # noqa: PLR0911
        fail = functools.partial(self.fail, node)
        if depth > DEEPEST:
            raise fail(TOO_DEEP)
        match node:
            case ast.Constant(value=bool() | int() | float() | str() | None):
                return node.value
            case ast.List():
                return [self.read(part, depth + 1) for part in node.elts]
            case ast.Tuple():
                return tuple(self.read(part, depth + 1) for part in node.elts)
            case ast.Dict() if None not in node.keys:  # None is the key of what is unpacked with **
                keys, values = ([self.read(x, depth + 1) for x in xs if x] for xs in (node.keys, node.values))
                return _dict(keys, values, fail)
            case ast.Call():
                return self.call(node, depth + 1)
            case ast.Name() | ast.Attribute():
                return _named(_dotted(node), fail)
            case ast.BinOp():
                return _combine(node.op, self.read(node.left, depth + 1), self.read(node.right, depth + 1), fail)
            case ast.UnaryOp(op=ast.USub()) if type(x := self.read(node.operand, depth + 1)) in (int, float):
                return -x
        raise fail("is neither a call of a factory, nor a number, a string, a list, a tuple, a dict or a public name.")

    def call(self, node: ast.Call, depth: int) -> Any:
        given: dict[Any, Any] = {keyword.arg: self.read(keyword.value, depth) for keyword in node.keywords}
        if None in given or len(given) < len(node.keywords):
            raise self.fail(node, "unpacks with **, or gives an argument twice; write each argument once.")
        positional = [self.read(part, depth) for part in node.args]
        fail = functools.partial(self.fail, node.func)
        if not isinstance(node.func, ast.Attribute) or node.func.attr != "then":
            return _call(_dotted(node.func), positional, given, fail)
        schedule = self.read(node.func.value, depth)
        if not isinstance(schedule, Schedule):
            raise self.fail(node.func.value, "is no schedule, and nothing else has `then`.")
        return _checked(schedule.then, positional, given, fail)


def _dotted(node: ast.expr) -> str:
    """A name, with dots; empty for anything else, which then is the name of nothing."""
    names = []
    while isinstance(node, ast.Attribute):
        names.append(node.attr)
        node = node.value
    return ".".join([node.id, *reversed(names)]) if isinstance(node, ast.Name) else ""


def _call(name: str, positional: list[Any], given: Mapping[str, Any], fail: Fail) -> Any:
    """Call one of the functions that may be called."""
    name = name.removeprefix("gradtx.")
    if name in DATA:
        try:
            return DATA[name](*positional, **given)
        except Exception as error:
            raise fail(f"raises {type(error).__name__}: {error}.") from None
    if name not in MAKERS:
        why = "can be named in text, but not called" if name in PUBLIC else "is no transformation of gradtx"
        raise fail(f"{why}.{_suggestion(name, MAKERS)}")
    return _checked(MAKERS[name], positional, given, fail)


def _checked(function: Callable[..., Any], positional: list[Any], given: Mapping[str, Any], fail: Fail) -> Any:
    parameters = inspect.signature(function).parameters
    if not any(p.kind is p.VAR_KEYWORD for p in parameters.values()):
        for name in given:
            if name not in parameters:
                takes = ", ".join(parameters)
                raise fail(f"has no argument {name!r}.{_suggestion(name, parameters)} It takes {takes}.")
    return function(*positional, **given)


def _named(name: str, fail: Fail) -> Any:
    if name in NAMES:
        return NAMES[name]
    name = name.removeprefix("gradtx.")
    if name in MAKERS:
        raise fail(f"is not called; write {name}(...).")
    if name not in PUBLIC:
        close = _suggestion(name, ["True", "False", "None", *NAMES, *(PUBLIC.keys() - MAKERS.keys())])
        raise fail(f"is no public name, and a function of yours cannot be read from text.{close}")
    return PUBLIC[name]


def _dict(keys: list[Any], values: list[Any], fail: Fail) -> dict[Any, Any]:
    try:
        made = dict(zip(keys, values, strict=True))
    except TypeError as error:
        raise fail(f"is no dict: {error}.") from None
    if len(made) < len(keys):
        raise fail("has one key twice.")
    return made


def _suggestion(name: str, known: Iterable[str]) -> str:
    close = difflib.get_close_matches(name, list(known))
    return f" Did you mean {' or '.join(map(repr, close))}?" if close else ""


def _dtype(name: str | None) -> Any:
    if name is not None and name not in DTYPES:
        raise ValueError(f"dtype = {name!r} is not the name of a dtype, such as 'float32'")
    return name and np.dtype(DTYPES[name])


def _combine(op: ast.operator, a: Any, b: Any, fail: Fail) -> Any:
    if isinstance(op, ast.BitOr) and isinstance(a, re.RegexFlag) and isinstance(b, re.RegexFlag):
        return a | b
    combine, numbers = ARITHMETIC.get(type(op)), {type(a), type(b)} <= {int, float}
    of_schedule = isinstance(op, ast.Add | ast.Mult) and (isinstance(a, Schedule) or isinstance(b, Schedule))
    if combine and (numbers or (of_schedule and isinstance(a, OPERANDS) and isinstance(b, OPERANDS))):
        if isinstance(op, ast.Pow) and type(a) is type(b) is int and abs(b) * a.bit_length() > WIDEST:
            raise fail(f"is too large; expected at most {WIDEST} bits.")
        try:
            result = combine(a, b)
        except ArithmeticError as error:
            raise fail(f"is no number: {error}.") from None
        if not isinstance(result, complex):
            return result
    raise fail("cannot be read; numbers combine by +, -, *, / and **, and schedules by + and *.")
