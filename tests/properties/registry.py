"""Every exported transformation once, in a form that maps arrays to arrays, derived from the public names.

With PROPERTIES_OF=optax, the tests run on Optax's transformations of the same names.
"""

import functools
import importlib
import inspect
import os
import typing
from collections.abc import Callable, Iterator
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import gradtx
from gradtx import catalogue
from gradtx.core.mathematics import Chain, Matrixwise, Treewise, last_stage
from properties import wrappers

LIBRARY = os.environ.get("PROPERTIES_OF", "gradtx")
lib: Any = importlib.import_module(LIBRARY)
of_gradtx = pytest.mark.skipif(LIBRARY != "gradtx", reason="needs a feature that only gradtx transformations have")


def _makes_a_transformation(name: str) -> bool:
    """Whether an export is a function that is annotated to return a transformation."""
    x = getattr(gradtx, name)
    if not inspect.isfunction(x):
        return False
    returned = inspect.signature(x).return_annotation
    return getattr(returned, "__name__", returned) in ("GradientTransformation", "Schedule")


# Exports that do not make a transformation, such as types and helper functions.
OTHERS = {name for name in gradtx.__all__ if not _makes_a_transformation(name)}


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


def _largest(updates: Any) -> Any:
    return functools.reduce(jnp.maximum, [jnp.max(jnp.abs(u), initial=0) for u in jax.tree.leaves(updates)], 0.0)


def _is_even(calls: Any) -> Any:
    return calls % 2 == 0


def _at_most_one(x: Any) -> Any:
    return jnp.where(jnp.abs(x) > 1, x / jnp.abs(x), x)


def _with_defaults(name: str) -> Any:
    """A transformation with its defaults. A stage of moments is put between the stages that make and use moments."""
    tx = getattr(gradtx, name)()
    before = [gradtx.track_moments()] if tx.mathematics.takes is gradtx.Moments else []
    after = [gradtx.scale_by_moments()] if tx.mathematics.gives is gradtx.Moments else []
    return gradtx.chain(*before, tx, *after) if before or after else tx


def _without_arguments(name: str) -> bool:
    parameters = inspect.signature(getattr(gradtx, name)).parameters.values()
    return all(p.default is not p.empty for p in parameters)


def _of_matrices(name: str) -> Any:
    """A method of matrices, with another one for other arrays."""
    return getattr(gradtx, name)(0.01, others=gradtx.adamw(0.01))


MATRIX_METHODS = [name for name in catalogue.names() if "others" in inspect.signature(getattr(gradtx, name)).parameters]
MATRIX = gradtx.ndim(at_least=2)
_MADE = [name for name in gradtx.__all__ if name not in OTHERS]

GRADTX: dict[str, Callable[[], Any]] = {
    # Transformations that need no argument, with their defaults; then optimizers that need only a learning rate.
    **{name: functools.partial(_with_defaults, name) for name in _MADE if _without_arguments(name)},
    **{name: functools.partial(getattr(gradtx, name), 0.01) for name in catalogue.names()},
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
    "scale_by_sophia": lambda: gradtx.scale_by_sophia(update_interval=2),
    "with_gradient_sign": lambda: gradtx.with_gradient_sign(gradtx.trace(0.9)),
    "adaptive_grad_clip": lambda: gradtx.adaptive_grad_clip(0.1),
    "add_noise": lambda: gradtx.add_noise(0.01, 0.55, key=3),
    "clip_by_block_rms": lambda: gradtx.clip_by_block_rms(0.5),
    "clip_by_norm": lambda: gradtx.clip_by_norm(1.0),
    "ema": lambda: gradtx.ema(0.9),
    "project": lambda: gradtx.project(_at_most_one),
    "scale_by_adam": lambda: gradtx.scale_by_adam(eps_root=1e-8),
    "scale_by_factored_rms": lambda: gradtx.scale_by_factored_rms(min_dim_size_to_factor=2),
    "scale_by_madgrad": lambda: gradtx.scale_by_madgrad(0.01),
    "scale_by_rprop": lambda: gradtx.scale_by_rprop(0.01),
    "scale_by_schedule": lambda: gradtx.scale_by_schedule(gradtx.cosine(0.5, 10)),
    "stateless": lambda: gradtx.stateless(_shrunk),
    "add_decayed_weights": lambda: gradtx.add_decayed_weights(0.1),
    "lbfgs": lambda: gradtx.lbfgs(memory_size=1),
    "scale_by_lbfgs": lambda: gradtx.scale_by_lbfgs(memory_size=1),
    "chain": lambda: gradtx.chain(gradtx.clip_by_global_norm(1.0), adam=gradtx.adamw(gradtx.cosine(0.01, 100))),
    "clip": lambda: gradtx.clip(0.5),
    "clip_by_global_norm": lambda: gradtx.clip_by_global_norm(1.0),
    "freeze": lambda: gradtx.freeze(_matrices),
    "leafwise": lambda: gradtx.leafwise(_velocity, keeps="velocity", b=0.9),
    "masked": lambda: gradtx.masked(gradtx.adamw(0.01), _matrices),
    "partition": lambda: gradtx.partition({"moving": gradtx.adamw(0.01), "still": gradtx.set_to_zero()}, _labels),
    "scale": lambda: gradtx.scale(-2.0),
    "scale_by_learning_rate": lambda: gradtx.scale_by_learning_rate(0.01),
    "sgd": lambda: gradtx.sgd(0.01, momentum=0.9),
    "dog": lambda: gradtx.dog(weight_decay=0.1, where=_matrices),
    "prodigy": lambda: gradtx.prodigy(weight_decay=0.1, where=_matrices),
    "adafactor": lambda: gradtx.adafactor(0.01, min_dim_size_to_factor=2),
    "stepwise": lambda: gradtx.stepwise(_halving, first=0.5),
    "trace": lambda: gradtx.trace(0.9),
    "treewise": lambda: gradtx.treewise(_center, b=0.1),
    "accumulate": lambda: gradtx.accumulate(gradtx.adamw(0.01), 2),
    "adjustable": lambda: gradtx.adjustable(0.5),
    "conditionally": lambda: gradtx.conditionally(gradtx.adamw(0.01), _is_even),
    "dynamic_loss_scale": lambda: gradtx.dynamic_loss_scale(gradtx.adamw(0.01), 2.0),
    "ema_params": lambda: gradtx.ema_params(gradtx.adamw(0.01), 0.9),
    "groups": lambda: gradtx.groups({MATRIX: gradtx.adamw(0.01), "**": gradtx.sgd(0.01, 0.9)}, allow_unused=True),
    "layerwise_rate_decay": lambda: gradtx.layerwise_rate_decay(
        gradtx.adamw(0.01), 0.5, [MATRIX, "**"], allow_unused=True
    ),
    "lookahead": lambda: gradtx.lookahead(gradtx.adamw(0.01), 2),
    "measure": lambda: gradtx.measure(largest=_largest),
    "overrides": lambda: gradtx.overrides(
        gradtx.adamw(0.01), {MATRIX: {"weight_decay": 0.1, "learning_rate": gradtx.cosine(0.1, 10)}}, allow_unused=True
    ),
    "sam": lambda: gradtx.sam(gradtx.adamw(0.01)),
    "schedule_free": lambda: gradtx.schedule_free(gradtx.sgd(0.01)),
    "skip_nonfinite": lambda: gradtx.skip_nonfinite(gradtx.adamw(0.01)),
    "skip_spikes": lambda: gradtx.skip_spikes(gradtx.adamw(0.01), window=4),
    "swa": lambda: gradtx.swa(gradtx.adamw(0.01), 1),
    "matrixwise": lambda: gradtx.matrixwise(_velocity, keeps="velocity", b=0.9),
    "clip_query_key": lambda: gradtx.clip_query_key(1.0),
    **{name: functools.partial(_of_matrices, name) for name in MATRIX_METHODS},
    "wrapping": lambda: wrappers.accumulate(gradtx.adamw(0.01), 2),
}


def _optax() -> dict[str, Callable[[], Any]]:
    """The Optax transformations of the same names, with the same arguments."""
    import optax

    pairs: dict[str, Callable[[], Any]] = {
        **{
            name: functools.partial(getattr(optax, name), 0.01)
            for name in catalogue.names()
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
    """A registered transformation, shared by all tests."""
    return MAKE[name]()


MAKE = GRADTX if LIBRARY == "gradtx" else _optax()
NAMES = sorted(MAKE)
# Stages that are in the file of the one optimizer that uses them. `make test` tests the optimizer, and `make test-all`
# also tests the stage.
STAGES = {
    name
    for name in NAMES
    if getattr(gradtx, name).__module__.startswith("gradtx.optimizers.") and name not in catalogue.names()
}
# Methods of matrices share what lifts them to trees: `make test` tests one of them, and `make test-all` the others.
STAGES |= {name for name in MATRIX_METHODS if name != "muon"}
# Transformations that descend by themselves.
OPTIMIZERS = [name for name in catalogue.names() if name in MAKE]
SCHEDULES = [
    name
    for name in NAMES
    if LIBRARY == "gradtx" and isinstance(make(name), gradtx.Schedule) and name not in ("adjustable", "plateau")
]
# One or two transformations of each kind. For the others, `make test` skips the tests that are slow to compile;
# `make test-all` and the page of promises include them.
SAMPLE = {
    *("adabelief", "adafactor", "adam", "adamw", "amsgrad", "cautious", "cosine", "lion", "mechanize", "momo"),
    *("nadam", "partition", "plateau", "prodigy", "rmsprop", "sgd", "sophia", "add_noise", "chain"),
    *("clip_by_global_norm", "leafwise", "masked", "piecewise_constant", "scale_by_rss", "scale_by_sm3", "stepwise"),
    *("trace", "treewise", "warmup_cosine", "yogi"),
}


def sampled(names: list[str]) -> list[Any]:
    """Names for a slow test. Names outside the sample are marked as slow."""
    return [name if name in SAMPLE else pytest.param(name, marks=pytest.mark.slow) for name in names]


def stages(mathematics: Any) -> Iterator[Any]:
    """The stages of a transformation, including those inside wrappers."""
    if isinstance(mathematics, Chain):
        for stage in mathematics.stages.values():
            yield from stages(stage)
    else:
        yield mathematics
        if getattr(mathematics, "inner", None) is not None:
            yield from stages(mathematics.inner.mathematics)


def _has(name: str, property: Callable[[Any], bool]) -> bool:
    return LIBRARY == "gradtx" and any(map(property, stages(make(name).mathematics)))


# In GLOBAL, the update of an array depends on other arrays: these are the treewise stages, except those that work array
# by array. In ARRAYWISE, the update of an entry depends on the rest of its array.
BY_ARRAY = {"clip_query_key", "sophia", "scale_by_sophia", "stateless"}
GLOBAL = {
    name
    for name in NAMES
    if _has(name, lambda x: isinstance(x, Treewise) and not isinstance(x, Matrixwise) and x.inner is None)
} - BY_ARRAY
GLOBAL |= {"mechanize"}
ARRAYWISE = {
    *(
        "cautious",
        "clip_query_key",
        "matrixwise",
        "orthogonalize",
        "scale_by_sides",
        "normalize_neurons",
        "normalize_matrices",
    ),
    *("scale_by_apollo", "scale_by_dion", "scale_by_galore", "scale_by_kron", "scale_by_shampoo", "scale_by_soap"),
    *MATRIX_METHODS,
    *("adafactor", "adam_mini", "fromage", "lamb", "lars", "mars", "novograd", "sm3", "stable_adamw"),
    *("adaptive_grad_clip", "centralize", "clip_by_block_rms", "clip_by_norm", "reduce_variance"),
    *("scale_by_factored_rms", "scale_by_novograd", "scale_by_param_block_norm", "scale_by_param_block_rms"),
    *("scale_by_sm3", "scale_by_trust_ratio", "track_mini_moments", "track_stable_moments"),
}
# FACTORED keeps arrays of other shapes than the parameters, such as rows and columns, or a window. SIGNS uses the signs
# of updates.
FACTORED = {
    *("scale_by_apollo", "scale_by_dion", "scale_by_galore", "scale_by_kron", "scale_by_shampoo", "scale_by_soap"),
    *("normalize_neurons", *MATRIX_METHODS),
    *("lbfgs", "scale_by_lbfgs"),
    *("skip_spikes", "adafactor", "scale_by_factored_rms", "scale_by_sm3", "sm3", "mechanize", "clip_by_norm_quantile"),
}
SIGNS = {"lion", "rprop", "sign_sgd", "signum"}
# Transformations whose step reads the state that it replaces.
READS_STATE = {
    *("lookahead", "sam", "schedule_free", "schedule_free_adamw", "schedule_free_sgd"),
    *("acprop", "adadelta", "adan", "adopt", "cocob", "lion", "optimistic_gradient_descent", "rprop", "scale_by_cocob"),
    *("scale_by_acprop", "scale_by_adadelta", "scale_by_adan", "scale_by_adopt", "scale_by_lion"),
    *("scale_by_optimistic_gradient", "scale_by_rprop"),
}
# Transformations that draw different noise for each shape.
NOISY = {name for name in NAMES if _has(name, lambda x: "index" in x.needs)}
# Stages after which there may be no other: their step lands on parameters as they are stored.
LAST = {name for name in NAMES if LIBRARY == "gradtx" and last_stage(make(name).mathematics, name) is not None}
# Wrappers that leave steps out: the updates of the step that may be taken are kept aside until it is known.
GUARDS = {"conditionally", "dynamic_loss_scale", "sam", "skip_nonfinite", "skip_spikes"}
ELEMENTWISE = [name for name in NAMES if name not in GLOBAL | ARRAYWISE | NOISY]


def params(dtype: Any = jnp.float32) -> dict[str, Any]:
    """A small tree: a vector, a matrix and a scalar."""
    return {
        "w": jnp.array([1.0, -2.0, 0.5], dtype),
        "deep": {"kernel": jnp.array([[0.25, -1.0], [3.0, 0.125]], dtype), "bias": jnp.array(-0.75, dtype)},
    }


def grads(dtype: Any = jnp.float32) -> dict[str, Any]:
    """Gradients for `params`. Every number is exact in bfloat16."""
    return jax.tree.map(lambda p: (0.5 - p * 2).astype(dtype), params(jnp.float32))


def matrix(dtype: Any = jnp.float32) -> tuple[dict[str, Any], dict[str, Any]]:
    """A single parameter and its gradient, for tests that are slow to compile."""
    return {"w": params(dtype)["deep"]["kernel"]}, {"w": grads(dtype)["deep"]["kernel"]}


def copy(tree: Any) -> Any:
    """Copy the arrays of a tree, for a gradient that equals the parameters."""
    return jax.tree.map(lambda x: x + 0, tree)


def residuals(g: Any, p: Any, at: Any) -> list[Any]:
    """Residuals whose squares, halved and added, have the gradient `g` at `p`."""
    leaves = zip(*(jax.tree.leaves(x, is_leaf=lambda x: x is None) for x in (p, g, at)), strict=True)
    trained = [x for x in leaves if all(hasattr(y, "dtype") or isinstance(y, float) for y in x) and is_real(x[1])]
    return [wide(a) - wide(x) + wide(y) for x, y, a in trained]


def loss(g: Any, p: Any, at: Any) -> Any:
    """A loss that is 1 at `p`, and has the gradient `g` there."""
    parts = zip(residuals(g, p, at), residuals(g, p, p), strict=True)
    return 1.0 + sum(0.5 * jnp.sum((x - y) * (x + y)) for x, y in parts)


def is_real(x: Any) -> bool:
    """Whether something is a real number or an array of such."""
    return isinstance(x, float) or jnp.issubdtype(x.dtype, jnp.floating)


def wide(x: Any) -> Any:
    """An array in float32 or wider."""
    return jnp.asarray(x, jnp.promote_types(jnp.result_type(x), jnp.float32))


def advance(tx: Any, g: Any, state: Any, p: Any) -> tuple[Any, Any]:
    """Take one step with every extra argument that any transformation needs."""
    return tx.update(g, state, p, value=1.0, hessian=g, **other_arguments(g, p))


def other_arguments(g: Any, p: Any) -> dict[str, Any]:
    """The extra arguments of a line search, for a loss that has this gradient at these parameters, and of attention."""
    return {
        "grad": g,
        "value_fn": jax.tree_util.Partial(loss, g, p),
        "residual_fn": jax.tree_util.Partial(residuals, g, p),
        "max_logits": LOGITS,
    }


@functools.cache
def step(name: str) -> Callable[..., Any]:
    """The compiled update of a registered transformation, shared by the tests."""
    return jax.jit(functools.partial(advance, make(name)))


# The largest logits of a kernel, for the clipping of queries and keys; "**" fits the arrays of any tree.
LOGITS = {"**": 2.0}


# A compiled update that takes the transformation as an argument.
step_with = jax.jit(advance)


def annotated(name: str) -> dict[str, tuple[Any, Any]]:
    """The annotation of each argument of a factory: its type, and its range or None."""
    found = {}
    for p in inspect.signature(
        getattr(gradtx, name, None) or getattr(wrappers, name), eval_str=True
    ).parameters.values():
        members = [x for x in typing.get_args(p.annotation) if typing.get_origin(x) is typing.Annotated]
        annotation = members[0] if members else p.annotation  # X | None
        kind, *limits = (
            typing.get_args(annotation) if typing.get_origin(annotation) is typing.Annotated else [annotation]
        )
        found[p.name] = kind, next(iter(limits), None)
    return found


def numeric(tx: Any) -> dict[str, Any]:
    """The numeric hyperparameters among a transformation's arguments, except those that only initialise a state."""
    plain = {name for name, (kind, _) in annotated(tx.name).items() if kind is float}
    return {name: x for name, x in tx.arguments.items() if isinstance(x, float) and name not in plain}


def other_values(tx: Any) -> dict[str, Any]:
    """Another value in range for each numeric hyperparameter: half of it, or 1.25 times where half is too small."""
    low = {name: getattr(limit, "low", -np.inf) for name, (_, limit) in annotated(tx.name).items()}
    return {name: x * (0.5 if 0.5 * x >= low.get(name, -np.inf) else 1.25) for name, x in numeric(tx).items()}


def is_finite(tree: Any) -> bool:
    """Whether every number of a tree is finite."""
    return all(bool(np.all(np.isfinite(np.asarray(x, np.complex128)))) for x in jax.tree.leaves(tree))


def bits(tree: Any) -> list[Any]:
    """The leaves of a tree in a form that can be compared exactly."""
    return [(np.asarray(x).dtype, np.asarray(x).shape, np.asarray(x).tobytes()) for x in jax.tree.leaves(tree)]


def avals(tree: Any) -> Any:
    """The structure, shapes, dtypes and weak types of a tree."""
    return jax.tree.structure(tree), [jax.typeof(x) for x in jax.tree.leaves(tree)]


def assert_close(a: Any, b: Any, rtol: float = 2e-6, atol: float = 1e-7) -> None:
    """Assert that all numbers of two trees agree."""
    for x, y in zip(jax.tree.leaves(a), jax.tree.leaves(b), strict=True):
        np.testing.assert_allclose(np.asarray(x, np.float64), np.asarray(y, np.float64), rtol=rtol, atol=atol)
