"""Every exported transformation, once, in a form that takes arrays and gives arrays; derived from the public names.

The promises are measured of Optax too, where it has a transformation of that name: PROPERTIES_OF=optax.
"""

import functools
import importlib
import inspect
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
    "hutchinson",
    "per_example_global_norm_clip",
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


def _shrunk(updates: Any, params: Any) -> Any:
    return jax.tree.map(lambda u: 0.5 * u, updates)


def _at_most_one(x: Any) -> Any:
    return jnp.where(jnp.abs(x) > 1, x / jnp.abs(x), x)


GRADTX: dict[str, Callable[[], Any]] = {
    # Optimizers of a learning rate and defaults, each as it is.
    **{name: functools.partial(getattr(gradtx, name), 0.01) for name in gradtx.optimizers.__all__},
    "constant": lambda: gradtx.constant(0.5),
    "constant_schedule": lambda: gradtx.constant_schedule(0.5),
    "linear": lambda: gradtx.linear(0.5, 0.1, 10),
    "linear_schedule": lambda: gradtx.linear_schedule(0.5, 0.1, 10),
    "polynomial": lambda: gradtx.polynomial(0.5, 0.1, 2.0, 10),
    "polynomial_schedule": lambda: gradtx.polynomial_schedule(0.5, 0.1, 2.0, 10),
    "step_decay": lambda: gradtx.step_decay(0.5, 2),
    "exponential": lambda: gradtx.exponential(0.5, 2, 0.5, end_value=0.1),
    "exponential_decay": lambda: gradtx.exponential_decay(0.5, 2, 0.5),
    "cosine": lambda: gradtx.cosine(0.5, 10),
    "cosine_decay_schedule": lambda: gradtx.cosine_decay_schedule(0.5, 10, 0.1),
    "cosine_restarts": lambda: gradtx.cosine_restarts(0.5, 2, 2),
    "sgdr_schedule": lambda: gradtx.sgdr_schedule(
        [{"init_value": 0.1, "peak_value": 0.5, "warmup_steps": 1, "decay_steps": 3}]
    ),
    "cyclical": lambda: gradtx.cyclical(0.1, 0.5, 2, mode="exp_range", gamma=0.9),
    "one_cycle": lambda: gradtx.one_cycle(0.5, 10),
    "cosine_onecycle_schedule": lambda: gradtx.cosine_onecycle_schedule(10, 0.5),
    "linear_onecycle_schedule": lambda: gradtx.linear_onecycle_schedule(10, 0.5),
    "piecewise_constant": lambda: gradtx.piecewise_constant(0.5, {0: 0.5, 2: 0.1}),
    "piecewise_constant_schedule": lambda: gradtx.piecewise_constant_schedule(0.5, {2: 0.1}),
    "piecewise_interpolate": lambda: gradtx.piecewise_interpolate(0.5, {2: 0.1}),
    "piecewise_interpolate_schedule": lambda: gradtx.piecewise_interpolate_schedule("linear", 0.5, {2: 0.1}),
    "warmup": lambda: gradtx.warmup(0.5, 3),
    "warmup_constant_schedule": lambda: gradtx.warmup_constant_schedule(0.1, 0.5, 3),
    "warmup_linear": lambda: gradtx.warmup_linear(0.5, 3, 10),
    "warmup_cosine": lambda: gradtx.warmup_cosine(0.5, 3, 10),
    "warmup_cosine_decay_schedule": lambda: gradtx.warmup_cosine_decay_schedule(0.1, 0.5, 3, 10),
    "warmup_exponential": lambda: gradtx.warmup_exponential(0.5, 3, 2, 0.5),
    "warmup_exponential_decay_schedule": lambda: gradtx.warmup_exponential_decay_schedule(0.1, 0.5, 3, 2, 0.5),
    "warmup_inverse_sqrt": lambda: gradtx.warmup_inverse_sqrt(0.5, 3),
    "warmup_stable_decay": lambda: gradtx.warmup_stable_decay(0.5, 2, 3, 4),
    "noam": lambda: gradtx.noam(4, 3),
    "rsqrt": lambda: gradtx.rsqrt(0.5, 3),
    "join": lambda: gradtx.join([gradtx.warmup(0.5, 3), 0.25], [3]),
    "join_schedules": lambda: gradtx.join_schedules([gradtx.warmup(0.5, 3), 0.25], [3]),
    "product": lambda: gradtx.product(0.5, gradtx.warmup(1.0, 3)),
    "total": lambda: gradtx.total(0.1, gradtx.cosine(0.5, 10)),
    "plateau": lambda: gradtx.plateau(0.5, patience=0),
    "cautious": lambda: gradtx.cautious(gradtx.adam(0.01)),
    "clip_by_norm_quantile": lambda: gradtx.clip_by_norm_quantile(0.5, window=4),
    "clip_by_norm_zscore": lambda: gradtx.clip_by_norm_zscore(warmup_steps=2),
    "split_real_and_imaginary": lambda: gradtx.split_real_and_imaginary(gradtx.adamw(0.01)),
    "mechanize": lambda: gradtx.mechanize(gradtx.sgd(0.01)),
    "scale_by_cocob": lambda: gradtx.scale_by_cocob(),
    "scale_by_dadapt": lambda: gradtx.scale_by_dadapt(),
    "scale_by_dog": lambda: gradtx.scale_by_dog(),
    "scale_by_dowg": lambda: gradtx.scale_by_dowg(),
    "scale_by_momo": lambda: gradtx.scale_by_momo(),
    "scale_by_momo_adam": lambda: gradtx.scale_by_momo_adam(),
    "scale_by_prodigy": lambda: gradtx.scale_by_prodigy(),
    "scale_by_sophia": lambda: gradtx.scale_by_sophia(update_interval=2),
    "with_gradient_sign": lambda: gradtx.with_gradient_sign(gradtx.trace(0.9)),
    "adaptive_grad_clip": lambda: gradtx.adaptive_grad_clip(0.1),
    "add_noise": lambda: gradtx.add_noise(0.01, 0.55, key=3),
    "centralize": lambda: gradtx.centralize(),
    "clip_by_block_rms": lambda: gradtx.clip_by_block_rms(0.5),
    "clip_by_norm": lambda: gradtx.clip_by_norm(1.0),
    "ema": lambda: gradtx.ema(0.9),
    "keep_params_nonnegative": lambda: gradtx.keep_params_nonnegative(),
    "normalize_by_update_norm": lambda: gradtx.normalize_by_update_norm(),
    "project": lambda: gradtx.project(_at_most_one),
    "reduce_variance": lambda: gradtx.reduce_variance(),
    "scale_by_acprop": lambda: gradtx.scale_by_acprop(),
    "scale_by_adadelta": lambda: gradtx.scale_by_adadelta(),
    "scale_by_adam": lambda: gradtx.scale_by_adam(eps_root=1e-8),
    "scale_by_amsgrad": lambda: gradtx.scale_by_amsgrad(),
    "scale_by_belief": lambda: gradtx.scale_by_belief(),
    "scale_by_radam": lambda: gradtx.scale_by_radam(),
    "scale_by_yogi": lambda: gradtx.scale_by_yogi(),
    "scale_by_adamax": lambda: gradtx.scale_by_adamax(),
    "scale_by_adan": lambda: gradtx.scale_by_adan(),
    "scale_by_ademamix": lambda: gradtx.scale_by_ademamix(),
    "scale_by_adopt": lambda: gradtx.scale_by_adopt(),
    "scale_by_factored_rms": lambda: gradtx.scale_by_factored_rms(min_dim_size_to_factor=2),
    "scale_by_lion": lambda: gradtx.scale_by_lion(),
    "scale_by_madgrad": lambda: gradtx.scale_by_madgrad(0.01),
    "scale_by_novograd": lambda: gradtx.scale_by_novograd(),
    "scale_by_optimistic_gradient": lambda: gradtx.scale_by_optimistic_gradient(),
    "scale_by_param_block_norm": lambda: gradtx.scale_by_param_block_norm(),
    "scale_by_param_block_rms": lambda: gradtx.scale_by_param_block_rms(),
    "scale_by_polyak": lambda: gradtx.scale_by_polyak(),
    "scale_by_rectified_moments": lambda: gradtx.chain(gradtx.track_moments(), gradtx.scale_by_rectified_moments()),
    "scale_by_rprop": lambda: gradtx.scale_by_rprop(0.01),
    "scale_by_schedule": lambda: gradtx.scale_by_schedule(gradtx.cosine(0.5, 10)),
    "scale_by_sign": lambda: gradtx.scale_by_sign(),
    "scale_by_simplified_ademamix": lambda: gradtx.scale_by_simplified_ademamix(),
    "scale_by_sm3": lambda: gradtx.scale_by_sm3(),
    "scale_by_stddev": lambda: gradtx.scale_by_stddev(),
    "scale_by_trust_ratio": lambda: gradtx.scale_by_trust_ratio(),
    "stateless": lambda: gradtx.stateless(_shrunk),
    "track_average": lambda: gradtx.track_average(),
    "track_mini_moments": lambda: gradtx.chain(gradtx.track_mini_moments(), gradtx.scale_by_moments()),
    "track_stable_moments": lambda: gradtx.chain(gradtx.track_stable_moments(), gradtx.scale_by_moments()),
    "track_yogi": lambda: gradtx.chain(gradtx.track_yogi(), gradtx.scale_by_moments()),
    "zero_nans": lambda: gradtx.zero_nans(),
    "add_decayed_weights": lambda: gradtx.add_decayed_weights(0.1),
    "bias_correction": lambda: gradtx.chain(
        gradtx.track_moments(), gradtx.bias_correction(), gradtx.scale_by_moments()
    ),
    "chain": lambda: gradtx.chain(gradtx.clip_by_global_norm(1.0), adam=gradtx.adamw(gradtx.cosine(0.01, 100))),
    "clip": lambda: gradtx.clip(0.5),
    "clip_by_global_norm": lambda: gradtx.clip_by_global_norm(1.0),
    "freeze": lambda: gradtx.freeze(_matrices),
    "identity": lambda: gradtx.identity(),
    "leafwise": lambda: gradtx.leafwise(_velocity, keeps="velocity", b=0.9),
    "masked": lambda: gradtx.masked(gradtx.adamw(0.01), _matrices),
    "partition": lambda: gradtx.partition({"moving": gradtx.adamw(0.01), "still": gradtx.set_to_zero()}, _labels),
    "scale": lambda: gradtx.scale(-2.0),
    "scale_by_learning_rate": lambda: gradtx.scale_by_learning_rate(0.01),
    "scale_by_moments": lambda: gradtx.chain(gradtx.track_moments(), gradtx.scale_by_moments()),
    "scale_by_rms": lambda: gradtx.scale_by_rms(),
    "scale_by_rss": lambda: gradtx.scale_by_rss(),
    "set_to_zero": lambda: gradtx.set_to_zero(),
    "sgd": lambda: gradtx.sgd(0.01, momentum=0.9),
    "dog": lambda: gradtx.dog(weight_decay=0.1, where=_matrices),
    "prodigy": lambda: gradtx.prodigy(weight_decay=0.1, where=_matrices),
    "adafactor": lambda: gradtx.adafactor(0.01, min_dim_size_to_factor=2),
    "stepwise": lambda: gradtx.stepwise(_halving, first=0.5),
    "trace": lambda: gradtx.trace(0.9),
    "track_belief": lambda: gradtx.chain(gradtx.track_belief(), gradtx.scale_by_moments()),
    "track_maximum": lambda: gradtx.chain(gradtx.track_moments(), gradtx.track_maximum(), gradtx.scale_by_moments()),
    "track_moments": lambda: gradtx.chain(gradtx.track_moments(), gradtx.scale_by_moments()),
    "track_nesterov_moments": lambda: gradtx.chain(gradtx.track_nesterov_moments(), gradtx.scale_by_moments()),
    "treewise": lambda: gradtx.treewise(_center, b=0.1),
}


def _optax() -> dict[str, Callable[[], Any]]:
    """What Optax has under the same names, with the same arguments."""
    import optax

    pairs: dict[str, Callable[[], Any]] = {
        **{
            name: functools.partial(getattr(optax, name), 0.01)
            for name in gradtx.optimizers.__all__
            if hasattr(optax, name) and name != "noisy_sgd"
        },
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
OPTIMIZERS = [name for name in gradtx.optimizers.__all__ if name in MAKE]
SCHEDULES = [
    name for name in NAMES if LIBRARY == "gradtx" and isinstance(make(name), gradtx.Schedule) and name != "plateau"
]
# One or two of each kind of machinery. Of the others `make test` leaves out what takes long to compile; `make test-all`
# and the page of promises do not.
SAMPLE = {
    *("adabelief", "adafactor", "adam", "adamw", "amsgrad", "cautious", "cosine", "lion", "mechanize", "momo", "nadam"),
    *("partition", "plateau", "prodigy", "rmsprop", "sgd", "sophia", "add_noise", "chain", "clip_by_global_norm"),
    *("leafwise", "masked", "piecewise_constant", "scale_by_rss", "scale_by_sm3", "stepwise", "trace", "treewise"),
    *("warmup_cosine", "yogi"),
}


def sampled(names: list[str]) -> list[Any]:
    """Names for a test that takes long: those outside the sample marked as slow."""
    return [name if name in SAMPLE else pytest.param(name, marks=pytest.mark.slow) for name in names]


# Those in which one array's update depends on others, or a number's update on the rest of its array.
GLOBAL = {
    *("chain", "clip_by_global_norm", "treewise", "normalize_by_update_norm", "scale_by_polyak", "polyak_sgd"),
    *("clip_by_norm_quantile", "clip_by_norm_zscore", "mechanize", "dog", "dowg", "momo", "momo_adam", "prodigy"),
    *("dadapt_adamw", "scale_by_dog", "scale_by_dowg", "scale_by_momo", "scale_by_momo_adam", "scale_by_prodigy"),
    "scale_by_dadapt",
}
ARRAYWISE = {
    "cautious",
    *("adafactor", "adam_mini", "fromage", "lamb", "lars", "mars", "novograd", "sm3", "stable_adamw"),
    *("adaptive_grad_clip", "centralize", "clip_by_block_rms", "clip_by_norm", "reduce_variance"),
    *("scale_by_factored_rms", "scale_by_novograd", "scale_by_param_block_norm", "scale_by_param_block_rms"),
    *("scale_by_sm3", "scale_by_trust_ratio", "track_mini_moments", "track_stable_moments"),
}
# Those that keep rows and columns, and those that go by signs.
FACTORED = {
    *("adafactor", "scale_by_factored_rms", "scale_by_sm3", "sm3", "mechanize", "clip_by_norm_quantile"),
}
SIGNS = {"lion", "rprop", "sign_sgd", "signum"}
# Those whose step is made of a state that the same step replaces.
READS_STATE = {
    *("acprop", "adadelta", "adan", "adopt", "cocob", "lion", "optimistic_gradient_descent", "rprop", "scale_by_cocob"),
    *("scale_by_acprop", "scale_by_adadelta", "scale_by_adan", "scale_by_adopt", "scale_by_lion"),
    *("scale_by_optimistic_gradient", "scale_by_rprop"),
}
# Those whose noise is drawn anew for each shape.
NOISY = {"add_noise", "dpsgd", "noisy_sgd"}
ELEMENTWISE = [name for name in NAMES if name not in GLOBAL | ARRAYWISE | NOISY]
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
    return tx.update(g, state, p, value=1.0, hessian=g)


@functools.cache
def step(name: str) -> Callable[..., Any]:
    """The compiled update of a registered transformation, shared by the tests."""
    return jax.jit(functools.partial(advance, make(name)))


# The compiled update of a transformation that is an argument.
step_with = jax.jit(advance)


def numeric(tx: Any) -> dict[str, Any]:
    """The numeric hyperparameters among a transformation's own arguments, but for those that only begin a state."""
    known = inspect.signature(getattr(gradtx, tx.name), eval_str=True).parameters
    plain = {name for name, p in known.items() if p.annotation is float}
    return {name: x for name, x in tx.arguments.items() if isinstance(x, float) and name not in plain}


def other_values(tx: Any) -> dict[str, Any]:
    """Another value for each numeric hyperparameter, within its range: half, but for what must be large."""
    return {name: x * (1.25 if name in ("threshold", "eta_plus") else 0.5) for name, x in numeric(tx).items()}


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
