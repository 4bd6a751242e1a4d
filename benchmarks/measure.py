"""Time several contestants fairly: run them in turn in one process, and report medians."""

import gc
import statistics
import time
from collections.abc import Callable, Mapping
from typing import Any


def seconds(function: Callable[[], Any]) -> float:
    """Time one call with the garbage collector off, like the standard library's timeit."""
    gc.collect()
    gc.disable()
    try:
        start = time.perf_counter()
        function()
        return time.perf_counter() - start
    finally:
        gc.enable()


def interleaved(contestants: Mapping[str, Callable[[], Any]], repeats: int) -> dict[str, float]:
    """The median time of each contestant over `repeats` rounds, each of which runs all contestants once."""
    times: dict[str, list[float]] = {name: [] for name in contestants}
    for _ in range(repeats):
        for name, function in contestants.items():
            times[name].append(seconds(function))
    return {name: statistics.median(found) for name, found in times.items()}


def report(title: str, medians: Mapping[str, float], unit: str = "ms") -> None:
    """Print one line with both medians and their ratio, gradtx divided by Optax."""
    factor = {"s": 1.0, "ms": 1e3, "us": 1e6}[unit]
    ours, theirs = medians["gradtx"], medians["optax"]
    both = f"gradtx {ours * factor:9.2f} {unit}   optax {theirs * factor:9.2f} {unit}"
    print(f"{title:<66} {both}   ratio {ours / theirs:.3f}", flush=True)
