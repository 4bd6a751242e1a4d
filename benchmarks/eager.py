"""How long one update takes that is not compiled as a whole."""

from typing import Any

import jax
import jax.numpy as jnp

from benchmarks import problems
from benchmarks.measure import interleaved, report

INNER = 20  # calls in a row that are timed together, as a loop would make them


def main(repeats: int = 15) -> None:
    """Print the figures."""
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
