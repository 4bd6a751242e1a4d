"""The table of optimizers, built from their docstrings and their states."""

from __future__ import annotations

import argparse
import inspect
import re
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp

from gradtx import optimizers
from gradtx.core.mathematics import last_stage, needs

# Every optimizer takes all of these arguments, and no single stage does.
SHARED = {"learning_rate", "weight_decay", "where", "maximize"}
# The side of a matrix that is large enough to make the state per row or per array negligible.
SIDE = 256


class Entry(NamedTuple):
    """One row: name, rule, bytes of state per float32 parameter, what `update` needs, and the paper."""

    name: str
    rule: str
    state: float
    needs: tuple[str, ...]
    paper: str


def names() -> list[str]:
    """The names of all optimizers with a learning rate."""
    factories = {name: getattr(optimizers, name) for name in optimizers.__all__}
    return [name for name, x in factories.items() if inspect.signature(x).parameters.keys() >= SHARED]


def searching() -> list[str]:
    """The names of all optimizers that ask the loss itself how far to go, and so have no learning rate."""
    made = (name for name in optimizers.__all__ if hasattr(getattr(optimizers, name), "__wrapped__"))
    without = (name for name in made if _without_arguments(getattr(optimizers, name)))
    return [name for name in without if last_stage(getattr(optimizers, name)().mathematics, name) is not None]


def _without_arguments(factory: Any) -> bool:
    return all(p.default is not p.empty for p in inspect.signature(factory).parameters.values())


def entries() -> list[Entry]:
    """The entries of all optimizers, those that search last."""
    rated = [_entry(name, getattr(optimizers, name), learning_rate=0.1) for name in names()]
    return rated + [_entry(name, getattr(optimizers, name)) for name in searching()]


def _entry(name: str, factory: Any, **arguments: float) -> Entry:
    tx = factory(**arguments)
    shapes = jax.eval_shape(tx.init, jax.ShapeDtypeStruct((SIDE, SIDE), jnp.float32))
    held = sum(x.size * x.dtype.itemsize for x in jax.tree.leaves(shapes)) / SIDE**2
    wanted = sorted(set(needs(tx.mathematics)), key=lambda need: (need != "params", need))
    paragraphs = inspect.getdoc(factory).split("\n\n")  # type: ignore[union-attr]
    references = next(part for part in paragraphs if part.startswith("References:"))
    paper = re.split(r"\n(?=.*, \d{4}, )", references)[1]
    return Entry(name, _one_line(paragraphs[1]), round(held, 2), tuple(wanted), _one_line(paper))


def _one_line(text: str) -> str:
    return " ".join(text.split())


def markdown() -> str:
    """The table as a documentation page."""
    head = [
        "# Optimizers",
        "",
        "`python -m gradtx optimizers --markdown` writes this page from the docstrings and the states.",
        f"The bytes column shows the bytes of state per float32 parameter of a {SIDE} by {SIDE} matrix, with default",
        "arguments. The needs column lists what `update` needs in addition to the gradients. Every optimizer takes",
        "`learning_rate`, `weight_decay`, `where` and `maximize`; but the last three need a function, and ask it how",
        "far to go. `minimize` runs them.",
        "",
        "| name | rule | bytes | needs | paper |",
        "|---|---|---|---|---|",
    ]
    rows = [
        f"| `{e.name}` | {_cell(e.rule)} | {e.state:g} | {', '.join(e.needs)} | {_cell(e.paper)} |" for e in entries()
    ]
    return "\n".join([*head, *rows]) + "\n"


def _cell(text: str) -> str:
    return text.replace("|", "\\|").replace("*", "\\*")


def text() -> str:
    """The table for a terminal, with three lines per optimizer."""
    lines = []
    for e in entries():
        needs = f", needs {' and '.join(e.needs)}" if e.needs else ""
        lines.append(f"{e.name:28} {e.state:g} bytes per parameter{needs}\n    {e.rule}\n    {e.paper}")
    return "\n".join(lines)


def add_command(commands: Any) -> None:
    """Add the `optimizers` command to a parser."""
    parser = commands.add_parser("optimizers", help="list all optimizers with their rule, state, needs and paper")
    parser.add_argument("--markdown", action="store_true", help="print a documentation page in Markdown")
    parser.set_defaults(run=_run)


def _run(options: argparse.Namespace) -> int:
    print(markdown() if options.markdown else text(), end="" if options.markdown else "\n")
    return 0
