"""The curve of a schedule: as a file, and in a notebook."""

from __future__ import annotations

import argparse
import io
from html import escape
from pathlib import Path
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from gradtx.core import GradientTransformation, Schedule
from gradtx.core.mathematics import keeps_state
from gradtx.core.transformation import OPERATORS
from gradtx.parse import parse

LONGEST = 10_000_000


def plot(schedule: Schedule, out: str | Path | None = None, *, steps: int | None = None) -> Any:
    """Draw a schedule over the steps, with Matplotlib.

    Args:
      schedule: a schedule that is a function of the step.
      out: the file to write, of a format that its ending says. None writes none.
      steps: how many steps to draw. By default as many as the schedule's own numbers of steps add up to, or 100.

    Returns:
      The Matplotlib figure.

    Raises:
      ImportError: if Matplotlib is not there.
      TypeError: if it is no schedule, or keeps a state, so that it has no curve.
    """
    if not isinstance(schedule, Schedule):
        raise TypeError(f"{schedule!r} is no schedule and has no curve; expected one such as warmup_cosine(...).")
    try:
        from matplotlib.figure import Figure
    except ImportError as error:
        raise ImportError('Drawing needs Matplotlib: pip install "gradtx[race]".') from error
    last = steps or min(sum(_counts(schedule)) or 100, LONGEST)
    at = np.unique(np.linspace(0, last, 1000).astype(np.int32))
    figure = Figure(figsize=(6, 2.5), layout="constrained")
    axes = figure.add_subplot()
    axes.plot(at, np.asarray(schedule(jnp.asarray(at))))
    axes.set(xlabel="step", ylabel="value", xlim=(0, last))
    axes.set_title(repr(schedule), fontsize=7, wrap=True)
    axes.grid(alpha=0.3)
    if out is not None:
        figure.savefig(out, dpi=150)
    return figure


def _counts(schedule: Schedule) -> list[int]:
    """The numbers of steps among the arguments of a schedule, and of those that it is made of."""
    leaves = jax.tree.leaves(dict(schedule.arguments), is_leaf=lambda x: isinstance(x, GradientTransformation))
    counts = [x for x in leaves if isinstance(x, int) and not isinstance(x, bool)]
    parts = [_counts(x) for x in leaves if isinstance(x, Schedule)]
    return [*counts, max((sum(part) for part in parts), default=0)]


def _in_a_notebook(schedule: Schedule) -> str | None:
    """The call and the curve as HTML; None where there is nothing to draw, or nothing to draw it with."""
    if keeps_state(schedule.mathematics) or any(isinstance(x, jax.core.Tracer) for x in jax.tree.leaves(schedule)):
        return None
    try:
        figure, svg = plot(schedule), io.StringIO()
    except ImportError:
        return None
    figure.savefig(svg, format="svg")
    text = svg.getvalue()
    return f"<code>{escape(repr(schedule))}</code><br>{text[text.index('<svg') :]}"


OPERATORS["_repr_html_"] = _in_a_notebook


def add_command(commands: Any) -> None:
    """Add the `plot` command to a parser."""
    parser = commands.add_parser("plot", help='draw a schedule: plot "warmup_cosine(3e-4, 100, 1000)" --out rate.png')
    parser.add_argument("schedule", help="the call that makes it")
    parser.add_argument("--out", type=Path, default="schedule.png", help="the file to write (default: %(default)s)")
    parser.add_argument("--steps", type=int, help="how many steps to draw")
    parser.set_defaults(run=_run)


def _run(options: argparse.Namespace) -> int:
    try:
        schedule: Any = parse(options.schedule)
        plot(schedule, options.out, steps=options.steps)
    except (ImportError, TypeError, ValueError) as error:
        raise SystemExit(f"plot: {error}") from None
    print(f"The curve is in {options.out}")
    return 0
