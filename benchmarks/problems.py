"""The parameter trees and the pairs of equivalent optimizers that the benchmarks use."""

from typing import Any

import jax
import jax.numpy as jnp
import optax

import gradtx

# A dozen small shapes, so that the benchmarks measure the cost per array and not per element.
SHAPES = [(3,), (4,), (5,), (2, 3), (3, 4), (4, 5), (6,), (7,), (2, 2), (8,), (9,), (3, 3)]


def tree(leaves: int, shapes: list[tuple[int, ...]] = SHAPES) -> dict[str, Any]:
    """A tree of `leaves` arrays of ones that cycle through the shapes."""
    return {f"layer_{i}": jnp.ones(shapes[i % len(shapes)]) for i in range(leaves)}


def distinct(leaves: int) -> dict[str, Any]:
    """A tree of `leaves` arrays of ones with different shapes."""
    return {f"layer_{i}": jnp.ones((i + 1,)) for i in range(leaves)}


def network(scale: int = 1) -> dict[str, Any]:
    """150 arrays with the proportions of a transformer, 14 million numbers at scale 1."""
    width = 256 * scale
    block = {"qkv": (width, 3 * width), "out": (width, width), "up": (width, 4 * width), "down": (4 * width, width)}
    norms = {"norm1": (width,), "norm2": (width,), "bias1": (4 * width,), "bias2": (width,)}
    shapes = {**block, **norms}
    params = {f"block_{i}": {name: jnp.ones(shape) * 0.1 for name, shape in shapes.items()} for i in range(18)}
    rest = {f"head_{i}": jnp.ones((width,)) for i in range(6)}
    return {**params, **rest}


def adam_pair() -> dict[str, Any]:
    """Adam in both libraries."""
    return {"gradtx": gradtx.adam(1e-3), "optax": optax.adam(1e-3)}


def recipe_pair() -> dict[str, Any]:
    """Clipping, Adam, weight decay and a schedule in both libraries."""
    return {
        "gradtx": gradtx.chain(
            gradtx.clip_by_global_norm(1.0),
            gradtx.adamw(gradtx.warmup_cosine(1e-3, 100, 1000), weight_decay=1e-2),
        ),
        "optax": optax.chain(
            optax.clip_by_global_norm(1.0),
            optax.adamw(optax.warmup_cosine_decay_schedule(0.0, 1e-3, 100, 1000), weight_decay=1e-2),
        ),
    }


def specs(x: Any) -> Any:
    """The shapes and dtypes of a tree of arrays."""
    return jax.tree.map(lambda a: jax.ShapeDtypeStruct(a.shape, a.dtype), x)
