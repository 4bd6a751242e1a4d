"""Every exported transformation, once, in a form that takes arrays and gives arrays; derived from the public names."""

import functools
import inspect
from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

import gradtx

# Exports that are no transformations: what they are made with, what they flow as, what reads them.
OTHERS = {
    "GradientTransformation",
    "Moments",
    "Plateau",
    "ScalarOrSchedule",
    "Schedule",
    "apply_updates",
    "global_norm",
    "to_optax",
    "transformation",
}


def _velocity(u: Any, s: Any, p: Any, b: Any) -> tuple[Any, Any]:
    s = b * s + u
    return s, s


def _center(updates: Any, s: Any, params: Any, b: Any) -> tuple[Any, Any]:
    mean = sum(jnp.sum(u) for u in jax.tree.leaves(updates)).real * b
    return jax.tree.map(lambda u: u - mean.astype(u.real.dtype), updates), s


def _halving(step: Any, first: Any) -> Any:
    return first * 0.5**step


MAKE: dict[str, Callable[[], gradtx.GradientTransformation]] = {
    "adabelief": lambda: gradtx.adabelief(0.01),
    "adagrad": lambda: gradtx.adagrad(0.01),
    "adam": lambda: gradtx.adam(0.01),
    "adam_l2": lambda: gradtx.adam_l2(0.01),
    "adamw": lambda: gradtx.adamw(0.01),
    "add_decayed_weights": lambda: gradtx.add_decayed_weights(0.1),
    "amsgrad": lambda: gradtx.amsgrad(0.01),
    "bias_correction": lambda: gradtx.chain(
        gradtx.track_moments(), gradtx.bias_correction(), gradtx.scale_by_moments()
    ),
    "chain": lambda: gradtx.chain(gradtx.clip_by_global_norm(1.0), adam=gradtx.adamw(gradtx.cosine(0.01, 100))),
    "clip": lambda: gradtx.clip(0.5),
    "clip_by_global_norm": lambda: gradtx.clip_by_global_norm(1.0),
    "constant": lambda: gradtx.constant(0.5),
    "cosine": lambda: gradtx.cosine(0.5, 10),
    "leafwise": lambda: gradtx.leafwise(_velocity, keeps="velocity", b=0.9),
    "nadam": lambda: gradtx.nadam(0.01),
    "plateau": lambda: gradtx.plateau(0.5, patience=0),
    "rmsprop": lambda: gradtx.rmsprop(0.01),
    "scale": lambda: gradtx.scale(-2.0),
    "scale_by_learning_rate": lambda: gradtx.scale_by_learning_rate(0.01),
    "scale_by_moments": lambda: gradtx.chain(gradtx.track_moments(), gradtx.scale_by_moments()),
    "scale_by_rms": lambda: gradtx.scale_by_rms(),
    "scale_by_rss": lambda: gradtx.scale_by_rss(),
    "sgd": lambda: gradtx.sgd(0.01, momentum=0.9),
    "step_decay": lambda: gradtx.step_decay(0.5, 2),
    "stepwise": lambda: gradtx.stepwise(_halving, first=0.5),
    "trace": lambda: gradtx.trace(0.9),
    "track_belief": lambda: gradtx.chain(gradtx.track_belief(), gradtx.scale_by_moments()),
    "track_maximum": lambda: gradtx.chain(gradtx.track_moments(), gradtx.track_maximum(), gradtx.scale_by_moments()),
    "track_moments": lambda: gradtx.chain(gradtx.track_moments(), gradtx.scale_by_moments()),
    "track_nesterov_moments": lambda: gradtx.chain(gradtx.track_nesterov_moments(), gradtx.scale_by_moments()),
    "treewise": lambda: gradtx.treewise(_center, b=0.1),
    "warmup": lambda: gradtx.warmup(0.5, 3),
    "warmup_cosine": lambda: gradtx.warmup_cosine(0.5, 3, 10),
}
NAMES = sorted(MAKE)
# Those that a property speaks of only as parts of optimizers: they do not go downhill by themselves.
OPTIMIZERS = ["adabelief", "adagrad", "adam", "adam_l2", "adamw", "amsgrad", "nadam", "rmsprop", "sgd"]


def params(dtype: Any = jnp.float32) -> dict[str, Any]:
    """A small tree: a vector, a matrix and a scalar."""
    return {
        "w": jnp.array([1.0, -2.0, 0.5], dtype),
        "deep": {"kernel": jnp.array([[0.25, -1.0], [3.0, 0.125]], dtype), "bias": jnp.array(-0.75, dtype)},
    }


def grads(dtype: Any = jnp.float32) -> dict[str, Any]:
    """A gradient for each of `params`; every number is exact in bfloat16."""
    return jax.tree.map(lambda p: (0.5 - p * 2).astype(dtype), params(jnp.float32))


def advance(tx: gradtx.GradientTransformation, g: Any, state: Any, p: Any) -> tuple[Any, Any]:
    """One update with every extra argument that any transformation wants."""
    return tx.update(g, state, p, value=1.0)


@functools.cache
def step(name: str) -> Callable[..., Any]:
    """The compiled update of a registered transformation, shared by the tests."""
    tx = MAKE[name]()
    return jax.jit(functools.partial(advance, tx))


def numeric(tx: gradtx.GradientTransformation) -> dict[str, Any]:
    """The numeric hyperparameters among a transformation's own arguments."""
    return {name: x for name, x in tx.arguments.items() if isinstance(x, float)}


def bits(tree: Any) -> list[Any]:
    """The leaves of a tree, to be compared exactly."""
    return [(np.asarray(x).dtype, np.asarray(x).shape, np.asarray(x).tobytes()) for x in jax.tree.leaves(tree)]


def avals(tree: Any) -> Any:
    """Structure, shapes, dtypes and weak types."""
    return jax.tree.structure(tree), [jax.typeof(x) for x in jax.tree.leaves(tree)]


def returns_transformation(name: str) -> bool:
    """Whether a public name is a factory."""
    x = getattr(gradtx, name)
    return inspect.isfunction(x) and name not in OTHERS
