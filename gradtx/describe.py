"""What a transformation is made of, for a terminal and for a notebook."""

from __future__ import annotations

import argparse
import inspect
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from html import escape
from typing import Any, Generic, NamedTuple, TypeVar

import jax
import jax.numpy as jnp

from gradtx.core import GradientTransformation
from gradtx.core.mathematics import innermost
from gradtx.core.numerics import is_floating
from gradtx.core.plan import Path
from gradtx.core.source import source
from gradtx.core.state import open_state
from gradtx.core.transformation import shown_arguments
from gradtx.core.trees import is_none
from gradtx.hyperparams import is_transformation, members, wrapped_by
from gradtx.parse import parse

PyTree = Any
R = TypeVar("R")


@dataclass(frozen=True, repr=False)
class Table(Generic[R]):
    """A table that prints itself, as text in a terminal and as HTML in a notebook.

    Attributes:
      head: the titles of the columns.
      cells: the text of each cell, row by row.
      total: what is said below it.
      rows: what the rows are about, as values.
    """

    head: tuple[str, ...]
    cells: tuple[tuple[str, ...], ...]
    total: str
    rows: tuple[R, ...]

    def __repr__(self) -> str:
        lines = [self.head, *self.cells]
        widths = [max(map(len, column)) for column in zip(*lines, strict=True)]
        padded = ("  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)) for line in lines)
        return "\n".join([*(line.rstrip() for line in padded), self.total])

    def _repr_html_(self) -> str:
        head = "".join(f"<th style='text-align:left'>{escape(title)}</th>" for title in self.head)
        body = "".join(
            "<tr>" + "".join(f"<td style='text-align:left;white-space:pre'>{escape(x)}</td>" for x in line) + "</tr>"
            for line in self.cells
        )
        return f"<table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table><p>{escape(self.total)}</p>"


class Part(NamedTuple):
    """One transformation: how deep it stands, its name, its call, its rule, what flows, its state, what it needs."""

    depth: int
    name: str
    call: str
    rule: str
    flow: str
    state: int
    needs: tuple[str, ...]


def describe(tx: GradientTransformation, params: PyTree) -> Table[Part]:
    """Say what a transformation is made of: its stages with their numbers and rules, what flows, and the state.

    Args:
      tx: the transformation.
      params: pytree of arrays, or of `jax.ShapeDtypeStruct`, which take no memory.

    Returns:
      A table that prints itself, with a `Part` for each transformation in its `rows`.

    Example:
      >>> import gradtx, jax.numpy as jnp
      >>> gradtx.describe(gradtx.chain(gradtx.scale(2.0), gradtx.scale_by_learning_rate(0.1)), jnp.zeros((4, 4)))
      transformation            numbers and options  flow              state  needs  rule
      chain                                          arrays -> arrays  4 B
        scale                   step_size=2.0        arrays -> arrays  0 B           u = step_size * u
        scale_by_learning_rate  learning_rate=0.1    arrays -> arrays  0 B           u = -learning_rate * u
      16 numbers of 64 B, with a state of 4 B
    """
    plan = tx.plan
    shapes = abstract(params)
    held = open_state(plan, jax.eval_shape(tx.init, shapes))
    sizes = {path: size_of(kept) for path, kept in held.items()}
    wrapped, name = innermost(tx.mathematics, tx.name)
    parts = list(_parts(tx, name, () if hasattr(wrapped, "stages") else (name,), 0, sizes))
    cells = [("  " * x.depth + x.name, x.call, x.flow, in_bytes(x.state), ", ".join(x.needs), x.rule) for x in parts]
    arrays = [x for x in jax.tree.leaves(shapes) if is_floating(x)]
    numbers, state = sum(x.size for x in arrays), sum(sizes.values())
    total = f"{numbers:,} numbers of {in_bytes(size_of(arrays))}, with a state of {in_bytes(state)}"
    head = ("transformation", "numbers and options", "flow", "state", "needs", "rule")
    return Table(head, tuple(cells), total, tuple(parts))


def abstract(params: PyTree) -> PyTree:
    """Arrays as their shapes and dtypes, and None for what is none, such as the functions of an Equinox module."""

    def one(x: Any) -> Any:
        if is_floating(x):
            return jax.ShapeDtypeStruct(jnp.shape(x), jnp.result_type(x))
        return x if hasattr(x, "dtype") else None

    return jax.tree.map(one, params, is_leaf=is_none)


def _parts(tx: GradientTransformation, name: str, place: Path, depth: int, sizes: Mapping[Path, int]) -> Iterator[Part]:
    """A transformation and those within it; `place` is where its state stands."""
    shown = shown_arguments(tx.factory, tx.arguments)
    own = {key: x for key, x in shown.items() if not _is_inner(x)}
    yield Part(
        depth,
        tx.name if depth == 0 or tx.name == name else f"{name}: {tx.name}",
        ", ".join(f"{key}={source(x)}" for key, x in own.items()),
        _rule(tx),
        f"{_flow(tx.mathematics.takes)} -> {_flow(tx.mathematics.gives)}",
        sum(size for path, size in sizes.items() if path[: len(place)] == place),
        tx.needs,
    )
    inner = wrapped_by(tx)
    if inner is not None and not tx.stages:
        yield from _parts(inner, innermost(inner.mathematics, inner.name)[1], place, depth + 1, sizes)
    for stage, member in (members(tx) or tx.stages).items():
        yield from _parts(member, stage, (*place, stage), depth + 1, sizes)


def _is_inner(x: Any) -> bool:
    return any(map(_is_inner, x.values())) if isinstance(x, Mapping) else is_transformation(x)


def _rule(tx: GradientTransformation) -> str:
    """The formula of a factory: the second paragraph of its docstring, unless that is no formula."""
    paragraphs = (inspect.getdoc(tx.factory) or "").split("\n\n")
    rule = " ".join(paragraphs[1].split()) if len(paragraphs) > 1 else ""
    return rule if not rule.startswith(("Args:", "Returns:", "Example:")) else ""


def _flow(flowing: Any) -> str:
    return "arrays" if flowing is jax.Array else flowing.__name__


def size_of(arrays: PyTree) -> int:
    """The bytes of all arrays of a tree together."""
    return sum(x.size * x.dtype.itemsize for x in jax.tree.leaves(arrays))


def in_bytes(size: float) -> str:
    """A number of bytes in a unit that suits it: "16.0 MiB"."""
    if size < 1024:
        return f"{size} B"
    for unit in ("KiB", "MiB", "GiB", "TiB"):
        size /= 1024
        if size < 1024 or unit == "TiB":
            break
    return f"{size:.1f} {unit}"


def add_command(commands: Any) -> None:
    """Add the `describe` command to a parser."""
    parser = commands.add_parser("describe", help='show what a transformation is made of: describe "adamw(3e-4)"')
    parser.add_argument("transformation", help="the call that makes it")
    parser.add_argument(
        "--params",
        nargs="+",
        default=["w=1024x1024", "b=1024"],
        metavar="PATH=SHAPE[:DTYPE]",
        help="the parameters, such as embed/table=50257x768:bfloat16 (default: %(default)s)",
    )
    parser.set_defaults(run=_run)


def _run(options: argparse.Namespace) -> int:
    try:
        print(describe(parse(options.transformation), dict(map(_parameter, options.params))))
    except (TypeError, ValueError) as error:
        raise SystemExit(f"describe: {error}") from None
    return 0


def _parameter(text: str) -> tuple[str, jax.ShapeDtypeStruct]:
    """The path and the array of "w=2x3:bfloat16".

    Raises:
      ValueError: if it is not written like this.
    """
    found = re.fullmatch(r"([^=]+)=((?:\d+x)*\d+)?(?::(\w+))?", text)
    if not found:
        raise ValueError(f"{text!r} is no parameter; expected PATH=SHAPE or PATH=SHAPE:DTYPE, such as w=1024x768.")
    path, sizes, dtype = found.groups()
    return path, jax.ShapeDtypeStruct(tuple(map(int, sizes.split("x"))) if sizes else (), dtype or "float32")
