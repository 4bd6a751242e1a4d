"""The optimizers at a glance, read from their docstrings and from the states that they make."""

import argparse
import inspect
import re
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp

from gradtx import optimizers

# A matrix large enough that what is kept per row or per array hardly counts.
SIDE = 256


class Entry(NamedTuple):
    """One optimizer in a line: name, rule, bytes of state per float32 parameter, what `update` needs, and the paper."""

    name: str
    rule: str
    state: float
    needs: tuple[str, ...]
    paper: str


def entries() -> list[Entry]:
    """All optimizers, by name."""
    return [_entry(name, getattr(optimizers, name)) for name in optimizers.__all__]


def _entry(name: str, factory: Any) -> Entry:
    tx = factory(learning_rate=0.1)
    shapes = jax.eval_shape(tx.init, jax.ShapeDtypeStruct((SIDE, SIDE), jnp.float32))
    held = sum(x.size * x.dtype.itemsize for x in jax.tree.leaves(shapes)) / SIDE**2
    wanted = {need for stage in tx._plan.stages for need in stage.primitive.needs if need == "params"}
    needs = (*sorted(wanted), *dict.fromkeys(extra for extra, _ in tx._plan.wanted))
    paragraphs = inspect.getdoc(factory).split("\n\n")  # type: ignore[union-attr]
    references = next(part for part in paragraphs if part.startswith("References:"))
    paper = re.split(r"\n(?=.*, \d{4}, )", references)[1]
    return Entry(name, _one_line(paragraphs[1]), round(held, 2), needs, _one_line(paper))


def _one_line(text: str) -> str:
    return " ".join(text.split())


def markdown() -> str:
    """The table as a page of the documentation."""
    head = [
        "# Optimizers",
        "",
        "Written by `python -m gradtx optimizers --markdown`, from the docstrings and from the states themselves.",
        f"Bytes are those of the state per float32 parameter of a {SIDE} by {SIDE} matrix, at the defaults. Every",
        "optimizer takes `learning_rate`, `weight_decay`, `where` and `maximize`; needs are what `update` asks for",
        "beside the gradients.",
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
    """The table for a terminal: two lines each."""
    lines = []
    for e in entries():
        needs = f", needs {' and '.join(e.needs)}" if e.needs else ""
        lines.append(f"{e.name:28} {e.state:g} bytes per parameter{needs}\n    {e.rule}\n    {e.paper}")
    return "\n".join(lines)


def add_command(commands: Any) -> None:
    """Add `optimizers` to a parser's commands."""
    parser = commands.add_parser("optimizers", help="list all optimizers: rule, state, needs, paper")
    parser.add_argument("--markdown", action="store_true", help="as a page of the documentation")
    parser.set_defaults(run=_run)


def _run(options: argparse.Namespace) -> int:
    print(markdown() if options.markdown else text(), end="" if options.markdown else "\n")
    return 0
