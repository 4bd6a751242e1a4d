"""Every exported transformation, once, in a form that takes arrays and gives arrays; derived from the public names.

The promises are measured of Optax too, where it has a transformation of that name: PROPERTIES_OF=optax.
"""

import functools
import importlib
import os
from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import gradtx

LIBRARY = os.environ.get("PROPERTIES_OF", "gradtx")
lib: Any = importlib.import_module(LIBRARY)
of_gradtx = pytest.mark.skipif(LIBRARY != "gradtx", reason="asks for what only a gradtx transformation has")

# Exports that are no transformations: what they are made with, what they flow as, what reads them.
OTHERS = {
    "GradientTransformation",
    "Moments",
    "Plateau",
    "Restored",
    "ScalarOrSchedule",
    "Schedule",
    "apply_updates",
    "flat_state",
    "global_norm",
    "restore_state",
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


def _matrices(params: Any) -> Any:
    return jax.tree.map(lambda p: jnp.ndim(p) > 1, params)


def _labels(params: Any) -> Any:
    return jax.tree.map(lambda p: "still" if jnp.ndim(p) > 1 else "moving", params)


GRADTX: dict[str, Callable[[], Any]] = {
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
    "freeze": lambda: gradtx.freeze(_matrices),
    "identity": lambda: gradtx.identity(),
    "leafwise": lambda: gradtx.leafwise(_velocity, keeps="velocity", b=0.9),
    "masked": lambda: gradtx.masked(gradtx.adamw(0.01), _matrices),
    "nadam": lambda: gradtx.nadam(0.01),
    "partition": lambda: gradtx.partition({"moving": gradtx.adamw(0.01), "still": gradtx.set_to_zero()}, _labels),
    "piecewise_constant": lambda: gradtx.piecewise_constant(0.5, {0: 0.5, 2: 0.1}),
    "plateau": lambda: gradtx.plateau(0.5, patience=0),
    "rmsprop": lambda: gradtx.rmsprop(0.01),
    "scale": lambda: gradtx.scale(-2.0),
    "scale_by_learning_rate": lambda: gradtx.scale_by_learning_rate(0.01),
    "scale_by_moments": lambda: gradtx.chain(gradtx.track_moments(), gradtx.scale_by_moments()),
    "scale_by_rms": lambda: gradtx.scale_by_rms(),
    "scale_by_rss": lambda: gradtx.scale_by_rss(),
    "set_to_zero": lambda: gradtx.set_to_zero(),
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


def _optax() -> dict[str, Callable[[], Any]]:
    """What Optax has under the same names, with the same arguments."""
    import optax

    pairs: dict[str, Callable[[], Any]] = {
        "adabelief": lambda: optax.adabelief(0.01),
        "adagrad": lambda: optax.adagrad(0.01),
        "adam": lambda: optax.adam(0.01),
        "adamw": lambda: optax.adamw(0.01, weight_decay=0.01),
        "add_decayed_weights": lambda: optax.add_decayed_weights(0.1),
        "amsgrad": lambda: optax.amsgrad(0.01),
        "chain": lambda: optax.chain(
            optax.clip_by_global_norm(1.0), optax.adamw(optax.cosine_decay_schedule(0.01, 100))
        ),
        "clip": lambda: optax.clip(0.5),
        "clip_by_global_norm": lambda: optax.clip_by_global_norm(1.0),
        "freeze": lambda: optax.transforms.freeze(_matrices),
        "identity": lambda: optax.identity(),
        "masked": lambda: optax.masked(optax.adamw(0.01), _matrices),
        "nadam": lambda: optax.nadam(0.01),
        "partition": lambda: optax.partition({"moving": optax.adamw(0.01), "still": optax.set_to_zero()}, _labels),
        "plateau": lambda: optax.contrib.reduce_on_plateau(patience=1),
        "rmsprop": lambda: optax.rmsprop(0.01),
        "scale": lambda: optax.scale(-2.0),
        "scale_by_learning_rate": lambda: optax.scale_by_learning_rate(0.01),
        "scale_by_rms": lambda: optax.scale_by_rms(),
        "scale_by_rss": lambda: optax.scale_by_rss(),
        "set_to_zero": lambda: optax.set_to_zero(),
        "sgd": lambda: optax.sgd(0.01, momentum=0.9),
        "trace": lambda: optax.trace(0.9),
    }
    return {
        name: functools.partial(lambda make: optax.with_extra_args_support(make()), make)
        for name, make in pairs.items()
    }


@functools.cache
def make(name: str) -> Any:
    """A registered transformation, the same one for all tests."""
    return MAKE[name]()


MAKE = GRADTX if LIBRARY == "gradtx" else _optax()
NAMES = sorted(MAKE)
# Those that go downhill by themselves.
OPTIMIZERS = [
    name
    for name in ["adabelief", "adagrad", "adam", "adam_l2", "adamw", "amsgrad", "nadam", "rmsprop", "sgd"]
    if name in MAKE
]
SCHEDULES = [
    name for name in NAMES if LIBRARY == "gradtx" and isinstance(make(name), gradtx.Schedule) and name != "plateau"
]
# Those in which one array's update depends on others.
GLOBAL = {"chain", "clip_by_global_norm", "treewise"}
ELEMENTWISE = [name for name in NAMES if name not in GLOBAL]
# Those that leave some arrays of `params` as they are given.
GROUPS = {"masked", "partition", "freeze"}


def params(dtype: Any = jnp.float32) -> dict[str, Any]:
    """A small tree: a vector, a matrix and a scalar."""
    return {
        "w": jnp.array([1.0, -2.0, 0.5], dtype),
        "deep": {"kernel": jnp.array([[0.25, -1.0], [3.0, 0.125]], dtype), "bias": jnp.array(-0.75, dtype)},
    }


def grads(dtype: Any = jnp.float32) -> dict[str, Any]:
    """A gradient for each of `params`; every number is exact in bfloat16."""
    return jax.tree.map(lambda p: (0.5 - p * 2).astype(dtype), params(jnp.float32))


def matrix(dtype: Any = jnp.float32) -> tuple[dict[str, Any], dict[str, Any]]:
    """A single parameter and its gradient, for what takes long to compile."""
    return {"w": params(dtype)["deep"]["kernel"]}, {"w": grads(dtype)["deep"]["kernel"]}


def copy(tree: Any) -> Any:
    """The same numbers in arrays of their own, for a gradient that equals the parameters."""
    return jax.tree.map(lambda x: x + 0, tree)


def advance(tx: Any, g: Any, state: Any, p: Any) -> tuple[Any, Any]:
    """One update with every extra argument that any transformation wants."""
    return tx.update(g, state, p, value=1.0)


@functools.cache
def step(name: str) -> Callable[..., Any]:
    """The compiled update of a registered transformation, shared by the tests."""
    return jax.jit(functools.partial(advance, make(name)))


# The compiled update of a transformation that is an argument.
step_with = jax.jit(advance)


def numeric(tx: Any) -> dict[str, Any]:
    """The numeric hyperparameters among a transformation's own arguments."""
    return {name: x for name, x in tx.arguments.items() if isinstance(x, float)}


def is_finite(tree: Any) -> bool:
    """Whether every number of a tree is."""
    return all(bool(np.all(np.isfinite(np.asarray(x, np.complex128)))) for x in jax.tree.leaves(tree))


def bits(tree: Any) -> list[Any]:
    """The leaves of a tree, to be compared exactly."""
    return [(np.asarray(x).dtype, np.asarray(x).shape, np.asarray(x).tobytes()) for x in jax.tree.leaves(tree)]


def avals(tree: Any) -> Any:
    """Structure, shapes, dtypes and weak types."""
    return jax.tree.structure(tree), [jax.typeof(x) for x in jax.tree.leaves(tree)]


def assert_close(a: Any, b: Any, rtol: float = 2e-6, atol: float = 1e-7) -> None:
    """Every number of two trees agrees."""
    for x, y in zip(jax.tree.leaves(a), jax.tree.leaves(b), strict=True):
        np.testing.assert_allclose(np.asarray(x, np.float64), np.asarray(y, np.float64), rtol=rtol, atol=atol)
