"""How long a compiled training step takes, and how much memory it needs in addition to its arguments."""

from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import optax

import gradtx
from benchmarks import problems
from benchmarks.measure import interleaved, report


def compiled(tx: Any, apply: Any, params: Any) -> Any:
    """Compile `update` and `apply_updates` into one function that donates params and state."""

    def step(params: Any, state: Any, grads: Any) -> Any:
        updates, state = tx.update(grads, state, params)
        return apply(params, updates), state

    return jax.jit(step, donate_argnums=(0, 1)).lower(params, tx.init(params), params).compile()


def main(repeats: int = 31) -> None:
    """Print the timings, the temporary memory and the largest difference."""
    apply = {"gradtx": gradtx.apply_updates, "optax": optax.apply_updates}
    trees = {
        "one array of 50 million": {"w": jnp.ones(50_000_000)},
        "150 arrays of a transformer": problems.network(),
        "2000 small arrays": problems.tree(2000),
    }
    for pair_title, pair in {"Adam": problems.adam_pair(), "clip + AdamW + schedule": problems.recipe_pair()}.items():
        for title, params in trees.items():
            grads = jax.tree.map(jnp.sin, params)
            steps, held = {}, {}
            for name, tx in pair.items():
                steps[name] = compiled(tx, apply[name], params)
                held[name] = (jax.tree.map(jnp.copy, params), tx.init(params))

            def advance(name: str) -> None:
                held[name] = jax.block_until_ready(steps[name](*held[name], grads))

            calls = {name: (lambda name=name: advance(name)) for name in pair}
            for call in calls.values():
                call()
            report(f"compiled step: {pair_title}, {title}", interleaved(calls, repeats))
            difference = max(
                float(jnp.max(jnp.abs(a - b)))
                for a, b in zip(jax.tree.leaves(held["gradtx"][0]), jax.tree.leaves(held["optax"][0]), strict=True)
            )
            largest = max(float(np.max(np.abs(a))) for a in jax.tree.leaves(held["optax"][0]))
            temporary = {name: step.memory_analysis().temp_size_in_bytes for name, step in steps.items()}
            print(f"{'':<15}temporary bytes {temporary}")
            print(f"{'':<15}largest difference after {repeats + 1} steps {difference:.1e}, largest value {largest:.2f}")


if __name__ == "__main__":
    main()
