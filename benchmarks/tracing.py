"""How long JAX takes to trace and lower one update, and how long XLA takes to compile it."""

from collections.abc import Callable
from typing import Any

import jax

from benchmarks import problems
from benchmarks.measure import interleaved, report


def lower(tx: Any, params: Any) -> Callable[[], Any]:
    """A function that traces and lowers `jit(update)` from scratch."""
    shapes = problems.specs(params)
    state = jax.eval_shape(tx.init, shapes)
    # Make a new function each time, because jax.jit would reuse the trace of an old one.
    return lambda: jax.jit(lambda g, s, p: tx.update(g, s, p)).lower(shapes, state, shapes)  # noqa: PLW0108


def main(repeats: int = 11) -> None:
    """Print the timings."""
    cases = {
        "Adam, 1000 arrays of 12 shapes": (problems.adam_pair(), problems.tree(1000)),
        "clip + AdamW + schedule, 1000 arrays of 12 shapes": (problems.recipe_pair(), problems.tree(1000)),
        "Adam, 300 arrays of 300 shapes": (problems.adam_pair(), problems.distinct(300)),
    }
    for title, (pair, params) in cases.items():
        lowering = {name: lower(tx, params) for name, tx in pair.items()}
        report(f"trace + lower: {title}", interleaved(lowering, repeats))
        # JAX caches the compilation of a lowering, so each round compiles a new lowering.
        fresh = {name: iter([function() for _ in range(3)]) for name, function in lowering.items()}
        compiling = {name: (lambda name=name: next(fresh[name]).compile()) for name in pair}
        report(f"compile:       {title}", interleaved(compiling, 3), "s")


if __name__ == "__main__":
    main()
