"""What wrappers cost: temporary memory of a donated step, trace and lower, and one un-jitted update."""

from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp
import optax

import gradtx
from benchmarks import problems
from benchmarks.measure import interleaved, report
from benchmarks.tracing import lower

MIB = 2**20
# 16 MiB of float32 parameters.
PARAMS = {f"layer_{i}": {"kernel": jnp.ones((512, 511)), "bias": jnp.ones(512)} for i in range(16)}


def ours() -> Any:
    """AdamW of gradtx."""
    return gradtx.adamw(1e-3, weight_decay=0.01)


def theirs() -> Any:
    """AdamW of Optax."""
    return optax.adamw(1e-3, weight_decay=0.01)


def _matrices(params: Any) -> Any:
    return jax.tree.map(lambda p: p.ndim > 1, params)


def _labels(params: Any) -> Any:
    return jax.tree.map(lambda p: "matrix" if p.ndim > 1 else "vector", params)


WRAPPED: dict[str, tuple[Callable[[], Any], Callable[[], Any] | None]] = {
    "AdamW alone": (ours, theirs),
    "clip": (
        lambda: gradtx.chain(gradtx.clip_by_global_norm(1.0), ours()),
        lambda: optax.chain(optax.clip_by_global_norm(1.0), theirs()),
    ),
    "accumulate": (
        lambda: gradtx.accumulate(ours(), 4),
        lambda: optax.MultiSteps(theirs(), 4),
    ),
    "skip_nonfinite": (
        lambda: gradtx.skip_nonfinite(ours(), at_most=10),
        lambda: optax.apply_if_finite(theirs(), 10),
    ),
    "ema_params": (lambda: gradtx.ema_params(ours()), None),
    "ema_params(accumulate)": (lambda: gradtx.ema_params(gradtx.accumulate(ours(), 4)), None),
    "lookahead": (lambda: gradtx.lookahead(ours()), None),
    "schedule_free": (
        lambda: gradtx.schedule_free(ours(), 1e-3),
        lambda: optax.contrib.schedule_free(theirs(), 1e-3),
    ),
    "masked decay": (
        lambda: gradtx.adamw(1e-3, weight_decay=0.01, where=_matrices),
        lambda: optax.adamw(1e-3, weight_decay=0.01, mask=_matrices),
    ),
    "overrides": (lambda: gradtx.overrides(ours(), {"*/bias": {"weight_decay": 0.0}}), None),
    "groups / partition": (
        lambda: gradtx.groups({gradtx.ndim(at_least=2): ours(), "**": gradtx.adamw(1e-4)}),
        lambda: optax.partition({"matrix": theirs(), "vector": optax.adamw(1e-4)}, _labels),
    ),
}


def temporary(tx: Any, apply: Any, within: bool) -> float:
    """MiB of temporary memory of a step that donates params and state; the gradient is given, or computed within."""

    def loss(params: Any, x: Any) -> Any:
        return sum(jnp.sum(jnp.sin(p) * x) for p in jax.tree.leaves(params))

    def step(params: Any, state: Any, given: Any) -> Any:
        grads = jax.grad(loss)(params, given) if within else given
        updates, state = tx.update(grads, state, params)
        return apply(params, updates), state

    given = jnp.ones(()) if within else PARAMS
    compiled = jax.jit(step, donate_argnums=(0, 1)).lower(PARAMS, tx.init(PARAMS), given).compile()
    return compiled.memory_analysis().temp_size_in_bytes / MIB


def main(repeats: int = 9) -> None:
    """Print the figures."""
    head = "temporary MiB, 16 MiB of params", "gradtx: grads given", "within", "Optax: given", "within"
    print("{:<34}{:>20}{:>9}{:>16}{:>9}".format(*head))
    for title, (make, peer) in WRAPPED.items():
        found = [temporary(make(), gradtx.apply_updates, within) for within in (False, True)]
        found += [temporary(peer(), optax.apply_updates, within) for within in (False, True)] if peer else []
        print(f"{title:<34}" + "".join(f"{x:>{n}.1f}" for x, n in zip(found, (20, 9, 16, 9), strict=False)), flush=True)
    params = problems.tree(400)
    for title in ("accumulate", "skip_nonfinite", "schedule_free", "groups / partition"):
        make, peer = WRAPPED[title]
        assert peer is not None
        pair = {"gradtx": make(), "optax": peer()}
        lowering = {name: lower(tx, params) for name, tx in pair.items()}
        report(f"trace + lower: {title}, 400 arrays", interleaved(lowering, repeats))
    small = problems.tree(100)
    calls: dict[str, Callable[[], Any]] = {}
    for name, tx in {"plain": gradtx.adam(1e-3), "skipping": gradtx.skip_nonfinite(gradtx.adam(1e-3))}.items():
        state = tx.init(small)
        calls[name] = lambda tx=tx, state=state: [  # type: ignore[misc]
            jax.block_until_ready(tx.update(small, state, small)) for _ in range(20)
        ]
        calls[name]()
    medians = interleaved(calls, repeats)
    ratio = medians["skipping"] / medians["plain"]
    print(f"un-jitted skip_nonfinite(adam) against adam, 100 arrays: ratio {ratio:.2f}")


if __name__ == "__main__":
    main()
