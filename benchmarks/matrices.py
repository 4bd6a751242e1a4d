"""What methods of matrices cost: tracing, compiling and stepping 48 matrices and 100 vectors, beside Optax's Muon."""

import time
from typing import Any

import jax
import optax

import gradtx
from benchmarks.measure import interleaved, report

SIDE = 256
# Twelve layers, each of two square matrices, one up and one down, and eight vectors; and four vectors more.
SHAPES = {
    **{f"layer_{i}/square_{j}": (SIDE, SIDE) for i in range(12) for j in range(2)},
    **{f"layer_{i}/up": (SIDE, 2 * SIDE) for i in range(12)},
    **{f"layer_{i}/down": (2 * SIDE, SIDE) for i in range(12)},
    **{f"vector_{i}": (SIDE,) for i in range(100)},
}


def drawn(seed: int) -> dict[str, jax.Array]:
    """A normal number for each parameter."""
    keys = jax.random.split(jax.random.key(seed), len(SHAPES))
    return {name: jax.random.normal(key, shape) for key, (name, shape) in zip(keys, SHAPES.items(), strict=True)}


def muon(**options: Any) -> Any:
    """Muon of gradtx with the iteration that Optax's has."""
    return gradtx.muon(0.02, others=gradtx.adamw(3e-4), coefficients="jordan", **options)


def step_of(tx: Any) -> Any:
    """A training step without the network."""

    def step(params: Any, state: Any, grads: Any) -> Any:
        updates, state = tx.update(grads, state, params)
        return optax.apply_updates(params, updates), state

    return step


def compiled(tx: Any, arguments: tuple[Any, ...], times: dict[str, list[float]]) -> Any:
    """A compiled step, and how long it took to make."""
    jax.clear_caches()
    start = time.perf_counter()
    lowered = jax.jit(step_of(tx)).lower(*arguments)
    middle = time.perf_counter()
    done = lowered.compile()
    times["lower"].append(middle - start)
    times["compile"].append(time.perf_counter() - middle)
    return done


def main(repeats: int = 5) -> None:
    """Print the table."""
    params, grads = drawn(0), drawn(1)
    contestants = {"gradtx": muon(), "optax": optax.contrib.muon(0.02)}
    times: dict[str, dict[str, list[float]]] = {name: {"lower": [], "compile": []} for name in contestants}
    steps = {}
    for _ in range(repeats):
        for name, tx in contestants.items():
            arguments = params, tx.init(params), grads
            steps[name] = (compiled(tx, arguments, times[name]), arguments)
    for what in ("lower", "compile"):
        medians = {name: sorted(found[what])[repeats // 2] for name, found in times.items()}
        report(f"Muon: {'trace and lower' if what == 'lower' else 'compile'}", medians, "s")

    def timed(step: Any, arguments: Any) -> Any:
        return lambda: jax.block_until_ready(step(*arguments))

    report("Muon: one step", interleaved({name: timed(*step) for name, step in steps.items()}, 2 * repeats + 1))
    forms = {
        "one by one": {"stack": False},
        "stacks": {"stack": True},
        "stacks, in chunks of 4": {"stack": True, "chunk": 4},
    }
    steps = {}
    for name, options in forms.items():
        tx = muon(**options)
        arguments = params, tx.init(params), grads
        steps[name] = (jax.jit(step_of(tx)).lower(*arguments).compile(), arguments)
    found = interleaved({name: timed(*step) for name, step in steps.items()}, 2 * repeats + 1)
    print(f"{'Muon: one step, ' + jax.default_backend():<40}", {name: f"{1e3 * x:.0f} ms" for name, x in found.items()})
    methods = {
        "muon": muon(),
        **{
            name: getattr(gradtx, name)(0.02, others=gradtx.adamw(3e-4))
            for name in ("normuon", "soap", "dion", "galore", "apollo")
        },
        "adamw": gradtx.adamw(3e-4),
    }
    steps = {}
    for name, tx in methods.items():
        arguments = params, tx.init(params), grads
        step = jax.jit(step_of(tx)).lower(*arguments).compile()
        state = arguments[1]
        for _ in range(2):  # past what only the first step does
            _, state = step(params, state, grads)
        steps[name] = (step, (params, state, grads))
    found = interleaved({name: timed(*step) for name, step in steps.items()}, repeats)
    print(f"{'one step of each method':<40}", {name: f"{1e3 * x:.0f} ms" for name, x in found.items()})


if __name__ == "__main__":
    main()
