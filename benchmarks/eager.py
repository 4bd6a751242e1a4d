"""How long one update takes outside jit."""

from typing import Any

import jax
import jax.numpy as jnp

from benchmarks import problems
from benchmarks.measure import interleaved, report

INNER = 20  # consecutive calls that are timed together, as in a loop


def main(repeats: int = 15) -> None:
    """Print the timings."""
    params = problems.tree(100)
    grads = jax.tree.map(jnp.sin, params)
    for title, pair in {"Adam": problems.adam_pair(), "clip + AdamW + schedule": problems.recipe_pair()}.items():
        calls: dict[str, Any] = {}
        for name, tx in pair.items():
            state = tx.init(params)
            calls[name] = lambda tx=tx, state=state: [
                jax.block_until_ready(tx.update(grads, state, params)) for _ in range(INNER)
            ]
            calls[name]()
        medians = {name: total / INNER for name, total in interleaved(calls, repeats).items()}
        report(f"one un-jitted update: {title}, 100 arrays", medians)


if __name__ == "__main__":
    main()
