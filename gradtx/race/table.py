"""The race as text: tables and conclusions, for the terminal and in Markdown."""

from collections.abc import Callable, Iterable, Sequence

import numpy as np

from gradtx.race.contestants import ARTICLE_ORDER
from gradtx.race.results import Failure, Result, ordering_holds

Rows = list[list[str]]


def text(results: Sequence[Result | Failure]) -> str:
    """All tables and conclusions, for a terminal."""
    return _document(results, _aligned, "{}")


def markdown(results: Sequence[Result | Failure]) -> str:
    """All tables and conclusions, in Markdown."""
    return _document(results, _piped, "## {}")


def _document(results: Sequence[Result | Failure], table: Callable[[Rows], str], heading: str) -> str:
    done = {result.name: result for result in results if isinstance(result, Result)}
    failed = [f"{x.name} failed: {x.message}" for x in results if isinstance(x, Failure)]
    if not done:
        return "\n\n".join(failed or ["No contestant has finished."]) + "\n"
    settings = next(iter(done.values())).settings
    parts = [
        heading.format(f"{settings.task}, {settings.epochs} epochs, each optimizer at its best rate of the grid"),
        table(_tuned_rows(done.values())),
        "\n".join(_footnotes(done.values())),
        heading.format(f"All optimizers at the common, untuned rate {settings.common_rate:g}"),
        table(_common_rows(done.values())),
        *failed,
        *conclusions(done),
    ]
    return "\n\n".join(parts) + "\n"


def conclusions(done: dict[str, Result]) -> list[str]:
    """Whether Adam < RMSProp < momentum < SGD at the common rate, and what tuning changes."""
    return [_ordering(done), *_tuning(done)]


def _tuned_rows(results: Iterable[Result]) -> Rows:
    results = list(results)
    target = f"{results[0].settings.target_accuracy:.0%}"
    header = ["optimizer", "rate", "train loss", "validation loss", "validation accuracy"]
    header += [f"epochs to {target}", f"steps to {target}", "us/step", "state bytes/parameter"]
    return [header, *(_tuned_row(result) for result in sorted(results, key=lambda r: r.final_loss(r.chosen)))]


def _tuned_row(result: Result) -> list[str]:
    costs = [f"{1e6 * result.seconds_per_step:.0f}", f"{result.state_bytes_per_parameter:.1f}"]
    chosen = result.chosen
    if chosen is None:
        return [result.name, "diverged", *["-"] * 5, *costs]
    curves = result.curves
    epochs = result.epochs_to_target(chosen)
    reached = [f"{epochs:.0f}", f"{epochs * result.steps_per_epoch:.0f}"] if np.isfinite(epochs) else ["-", "-"]
    return [
        result.name,
        f"{result.settings.rates[chosen]:g}" + (" (edge)" if result.at_edge else ""),
        _spread(curves.train_loss[chosen, :, -1]),
        _spread(curves.validation_loss[chosen, :, -1]),
        _spread(100 * curves.validation_accuracy[chosen, :, -1], digits=2) + " %",
        *reached,
        *costs,
    ]


def _common_rows(results: Iterable[Result]) -> Rows:
    rows = [["optimizer", "train loss", "validation accuracy"]]
    for result in sorted(results, key=lambda r: r.final_loss(r.common)):
        rate = result.common
        if rate is None:
            rows.append([result.name, "diverged", "-"])
        else:
            accuracy = _spread(100 * result.curves.validation_accuracy[rate, :, -1], digits=2) + " %"
            rows.append([result.name, _spread(result.curves.train_loss[rate, :, -1]), accuracy])
    return rows


def _footnotes(results: Iterable[Result]) -> list[str]:
    results = list(results)
    settings = results[0].settings
    notes = [
        f"Mean and standard deviation over {settings.seeds} seeds at the last epoch. The rate is the one with the "
        f"lowest final validation loss among {', '.join(f'{rate:g}' for rate in settings.rates)}.",
        "The rate is chosen on the validation images, so the validation results of all contestants are a little "
        "optimistic.",
    ]
    if any(result.at_edge for result in results):
        notes.append("(edge) marks a rate at an end of the grid: a better rate may lie outside it.")
    return notes


def _ordering(done: dict[str, Result]) -> str:
    missing = [name for name in ARTICLE_ORDER if name not in done]
    claim = " < ".join(ARTICLE_ORDER)
    if missing:
        return f"Whether {claim} in training loss is not known without {', '.join(missing)}."
    settings = done["adam"].settings
    holds = [rate for i, rate in enumerate(settings.rates) if ordering_holds(done, i)]
    losses = ", ".join(f"{done[name].final_loss(done[name].common):.3g}" for name in ARTICLE_ORDER)
    here = "holds" if settings.common_rate in holds else "does not hold"
    where = ", ".join(f"{rate:g}" for rate in holds) or "none"
    return (
        f"At the common rate {settings.common_rate:g}, the order {claim} in training loss {here} ({losses}). "
        f"Of the {len(settings.rates)} rates of the grid, it holds at: {where}."
    )


def _tuning(done: dict[str, Result]) -> list[str]:
    finished = [result for result in done.values() if result.chosen is not None]
    if len(finished) < 2:
        return []
    tuned = sorted(finished, key=lambda r: r.final_loss(r.chosen))
    accuracies = [100 * float(r.curves.validation_accuracy[r.chosen, :, -1].mean()) for r in tuned]
    before = sorted(r.final_loss(r.common) for r in finished)
    apart = _times(before[-1] / before[0]) if np.isfinite(before[-1]) else "not all converge"
    return [
        f"After tuning, the order is {' < '.join(r.name for r in tuned)}: the highest training loss is "
        f"{_times(tuned[-1].final_loss(tuned[-1].chosen) / tuned[0].final_loss(tuned[0].chosen))} the lowest "
        f"({apart} at the common rate), and validation accuracies lie between {min(accuracies):.1f} and "
        f"{max(accuracies):.1f} %."
    ]


def _times(factor: float) -> str:
    return f"{factor:.0f} times" if factor >= 10 else f"{factor:.1f} times"


def _spread(values: np.ndarray, digits: int = 4) -> str:
    return f"{values.mean():.{digits}f} ± {values.std():.{digits}f}"


def _aligned(rows: Rows) -> str:
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    lines = [
        "  ".join(
            [row[0].ljust(widths[0]), *(cell.rjust(width) for cell, width in zip(row[1:], widths[1:], strict=True))]
        )
        for row in rows
    ]
    return "\n".join([lines[0], "-" * len(lines[0]), *lines[1:]])


def _piped(rows: Rows) -> str:
    rule = ["---", *["---:"] * (len(rows[0]) - 1)]
    return "\n".join(f"| {' | '.join(row)} |" for row in [rows[0], rule, *rows[1:]])
