"""Draw plots as PNG files, without a display: loss against epoch, paths through a narrow valley, and a schedule."""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

import gradtx
from gradtx import GradientTransformation
from gradtx.race.results import Result

Array = jax.Array

# Okabe and Ito's colour-blind-safe palette without yellow, which is hard to see on white. The colours repeat with each
# line style; when the styles run out, the remaining lines are grey.
COLOURS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#000000")
LINES = ("-", "--", ":")
STYLES = tuple((colour, line) for line in LINES for colour in COLOURS)
MARKERS = ("o", "s", "^")


def draw_losses(path: Path, results: Sequence[Result], *, tuned: bool) -> None:
    """Plot the training loss against the epoch, with the mean over seeds as a line and the range as a band.

    Args:
      path: path of the PNG file.
      results: one line each; if there are more lines than styles, the ones with the highest loss are grey and unnamed.
      tuned: whether to plot each result at its chosen rate; otherwise all are plotted at the common rate.
    """
    figure, axes = _canvas()
    settings = results[0].settings
    rates = [result.chosen if tuned else result.common for result in results]
    # Sort by the final loss, so that the legend is in the same order as the ends of the lines.
    ranked = sorted(zip(results, rates, strict=True), key=lambda x: -x[0].final_loss(x[1]))
    others, named = ranked[: -len(STYLES)], ranked[-len(STYLES) :]
    for result, rate in others:
        if rate is not None:
            axes.plot(result.curves.train_loss[rate].mean(axis=0), color="0.8", linewidth=0.8)
    if others:
        figure.set_figwidth(10.0)
        axes.plot([], [], label=f"{len(others)} others", color="0.8", linewidth=0.8)
    order = [result.name for result in results]
    styles = dict(zip(sorted((result.name for result, _ in named), key=order.index), STYLES, strict=False))
    for result, rate in named:
        colour, line = styles[result.name]
        if rate is None:
            axes.plot([], [], label=f"{result.name} (diverged)", color=colour, linestyle=line)
            continue
        losses = result.curves.train_loss[rate]
        epochs = np.arange(losses.shape[1])
        label = f"{result.name}, rate {settings.rates[rate]:g}" if tuned else result.name
        axes.plot(epochs, losses.mean(axis=0), label=label, color=colour, linestyle=line)
        axes.fill_between(epochs, losses.min(axis=0), losses.max(axis=0), color=colour, alpha=0.13, linewidth=0)
    axes.set(yscale="log", xlabel="epoch", ylabel="training loss (cross-entropy)", xlim=(0, settings.epochs))
    how = "each optimizer at its tuned rate" if tuned else f"all at the untuned rate {settings.common_rate:g}"
    seeds = "1 seed" if settings.seeds == 1 else f"{settings.seeds} seeds"
    axes.set_title(f"{settings.task.upper()} on handwritten digits, {how}\nmean and range over {seeds}")
    axes.legend(frameon=False, loc="center left", bbox_to_anchor=(1.0, 0.5))
    _save(figure, path)


def draw_paths(path: Path) -> None:
    """Plot the paths of SGD, momentum and Adam down the valley x^2 + 50 y^2."""
    figure, axes = _canvas(width=8.0, height=4.2)
    x, y = np.meshgrid(np.linspace(-10, 2, 400), np.linspace(-2.2, 2.2, 300))
    levels = np.geomspace(0.5, 400, 12)
    axes.contour(x, y, _valley((x, y)), levels=levels, colors="0.75", linewidths=0.8)
    racers = {
        "SGD, rate 0.019": gradtx.sgd(0.019),
        "momentum 0.9, rate 0.003": gradtx.sgd(0.003, momentum=0.9),
        "Adam, rate 0.3": gradtx.adam(0.3),
    }
    for (label, tx), colour, marker in zip(racers.items(), COLOURS, MARKERS, strict=False):
        points = descend(tx, _valley, (-9.0, 1.5), steps=40)
        axes.plot(*points.T, color=colour, marker=marker, markersize=3, linewidth=1.4, label=label)
    axes.plot(0, 0, marker="*", markersize=14, color="black", linestyle="none", label="minimum")
    axes.set(xlabel="x", ylabel="y", xlim=(-10, 2), ylim=(-2.2, 2.2))
    axes.set_title("40 steps down f(x, y) = x² + 50 y²")
    figure.legend(frameon=False, loc="outside lower center", ncols=4)
    _save(figure, path)


def descend(
    tx: GradientTransformation, function: Callable[[Array], Array], point: tuple[float, float], steps: int
) -> np.ndarray:
    """The points that an optimizer visits, [1 + steps, 2]."""
    first = jnp.array(point)

    def step(carry: tuple[Array, Any], _: None) -> tuple[tuple[Array, Any], Array]:
        params, state = carry
        updates, state = tx.update(jax.grad(function)(params), state, params)
        params = gradtx.apply_updates(params, updates)
        return (params, state), params

    _, points = jax.lax.scan(step, (first, tx.init(first)), None, length=steps)
    return np.vstack([first, points])


def draw_schedule(path: Path) -> None:
    """Plot a learning rate with linear warm-up and cosine decay next to simpler schedules."""
    figure, axes = _canvas()
    steps = np.arange(1001)
    simpler = {
        "constant": gradtx.constant(1e-3),
        "step decay": gradtx.step_decay(1e-3, transition_steps=300),
        "cosine": gradtx.cosine(1e-3, decay_steps=1000),
    }
    for (label, schedule), line in zip(simpler.items(), (":", "-.", "--"), strict=True):
        axes.plot(steps, schedule(steps), label=label, color="0.55", linestyle=line, linewidth=1.3)
    schedule = gradtx.warmup_cosine(1e-3, warmup_steps=100, decay_steps=1000)
    axes.plot(steps, schedule(steps), label="warm-up and cosine", color=COLOURS[0], linewidth=2.4)
    axes.set(xlabel="step", ylabel="learning rate", xlim=(0, 1000), ylim=(0, 1.08e-3))
    axes.set_title("Warm-up over 100 steps, cosine to zero at step 1000")
    axes.yaxis.set_major_formatter("{x:.4f}")
    axes.legend(frameon=False, loc="center left", bbox_to_anchor=(1.0, 0.5))
    _save(figure, path)


def _valley(point: Any) -> Any:
    x, y = point
    return x**2 + 50 * y**2


def _canvas(width: float = 8.0, height: float = 4.8) -> tuple[Figure, Axes]:
    figure = Figure(figsize=(width, height), layout="constrained")
    axes = figure.add_subplot()
    axes.spines[["top", "right"]].set_visible(False)
    axes.grid(alpha=0.2)
    return figure, axes


def _save(figure: Figure, path: Path) -> None:
    figure.savefig(path, dpi=150)
