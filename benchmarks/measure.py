"""Timing several contestants fairly: in one process, turn about, medians."""

import gc
import statistics
import time
from collections.abc import Callable, Mapping
from typing import Any


def seconds(function: Callable[[], Any]) -> float:
    """The time of one call, without the garbage collector's pauses, as the standard library's timeit measures."""
    gc.collect()
    gc.disable()
    try:
        start = time.perf_counter()
        function()
        return time.perf_counter() - start
    finally:
        gc.enable()


def interleaved(contestants: Mapping[str, Callable[[], Any]], repeats: int) -> dict[str, float]:
    """The median time of each contestant over `repeats` rounds, in each of which all take a turn."""
    times: dict[str, list[float]] = {name: [] for name in contestants}
    for _ in range(repeats):
        for name, function in contestants.items():
            times[name].append(seconds(function))
    return {name: statistics.median(found) for name, found in times.items()}


def report(title: str, medians: Mapping[str, float], unit: str = "ms") -> None:
    """A line: both medians and their ratio, gradtx over Optax."""
    factor = {"s": 1.0, "ms": 1e3, "us": 1e6}[unit]
    ours, theirs = medians["gradtx"], medians["optax"]
    both = f"gradtx {ours * factor:9.2f} {unit}   optax {theirs * factor:9.2f} {unit}"
    print(f"{title:<66} {both}   ratio {ours / theirs:.3f}", flush=True)
