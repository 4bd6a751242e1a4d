"""Write the files of a race: the numbers after every contestant, each file atomically, and the plots at the end."""

import dataclasses
import json
import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import jax
import numpy as np

import gradtx
from gradtx.race import pictures, table
from gradtx.race.results import Failure, Result, Settings


def write_numbers(folder: Path, settings: Settings, results: Sequence[Result | Failure]) -> list[Path]:
    """Write `table.md` and `results.json` for all contestants so far, replacing older files.

    Returns:
      The paths of the files.
    """
    contents = {
        "table.md": table.markdown(results),
        "results.json": json.dumps(_as_json(settings, results), indent=1, allow_nan=False),
    }
    for name, content in contents.items():
        half = folder / f".{name}.half"
        half.write_text(content, encoding="utf-8")
        os.replace(half, folder / name)
    return [folder / name for name in contents]


def draw(folder: Path, results: Sequence[Result | Failure]) -> list[Path]:
    """Draw all plots. The loss plots are drawn only if a contestant has finished.

    Returns:
      The paths of the files.
    """
    paths = {name: folder / f"{name}.png" for name in ("loss", "loss_common_rate", "paths", "schedule")}
    pictures.draw_paths(paths["paths"])
    pictures.draw_schedule(paths["schedule"])
    done = [result for result in results if isinstance(result, Result)]
    if not done:
        return [paths["paths"], paths["schedule"]]
    pictures.draw_losses(paths["loss"], done, tuned=True)
    pictures.draw_losses(paths["loss_common_rate"], done, tuned=False)
    return list(paths.values())


def _as_json(settings: Settings, results: Sequence[Result | Failure]) -> dict[str, Any]:
    return {
        "settings": dataclasses.asdict(settings),
        "versions": {"gradtx": gradtx.__version__, "jax": jax.__version__, "device": jax.devices()[0].device_kind},
        "contestants": {result.name: _entry(result) for result in results},
    }


def _entry(result: Result | Failure) -> dict[str, Any]:
    if isinstance(result, Failure):
        return {"error": result.message}
    rates = result.settings.rates
    return {
        "chosen_rate": None if result.chosen is None else rates[result.chosen],
        "diverged_rates": [rate for rate, diverged in zip(rates, result.diverged, strict=True) if diverged],
        "steps_per_epoch": result.steps_per_epoch,
        "seconds_per_step": result.seconds_per_step,
        "state_bytes_per_parameter": result.state_bytes_per_parameter,
        "curves_by_rate_and_seed": {name: _numbers(curve) for name, curve in result.curves._asdict().items()},
    }


def _numbers(array: np.ndarray) -> list[Any]:
    """Nested lists, with None for infinities and NaN, which JSON cannot represent."""
    numbers = array.astype(object)
    numbers[~np.isfinite(array)] = None
    return numbers.tolist()
