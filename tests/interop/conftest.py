"""One small problem that every library trains: linear least squares, from the same start and on the same data."""

from collections.abc import Callable
from functools import partial
from typing import Any, NamedTuple

import chex
import jax
import jax.numpy as jnp
import optax
import pytest

import gradtx

STEPS = 8


class Problem(NamedTuple):
    """The initial parameters, named as in Flax's dense layers, and the data."""

    params: dict[str, jax.Array]
    inputs: jax.Array
    targets: jax.Array


class Pair(NamedTuple):
    """A transformation and its equivalent in Optax."""

    ours: gradtx.GradientTransformation
    theirs: optax.GradientTransformation


@pytest.fixture(scope="session")
def problem() -> Problem:
    kernel, inputs, targets = (
        jax.random.normal(key, shape)
        for key, shape in zip(jax.random.split(jax.random.key(0), 3), [(3, 2), (6, 3), (6, 2)], strict=True)
    )
    return Problem({"kernel": kernel, "bias": jnp.zeros(2)}, inputs, targets)


@pytest.fixture(scope="session")
def loss(problem: Problem) -> Callable[[Any], jax.Array]:
    """The loss of the parameters on all of the data."""

    def mean_square(params: Any) -> jax.Array:
        return jnp.mean((problem.inputs @ params["kernel"] + params["bias"] - problem.targets) ** 2)

    return mean_square


@pytest.fixture(scope="session")
def train(problem: Problem, loss: Callable[[Any], jax.Array]) -> Callable[..., tuple[Any, Any]]:
    """A training loop that passes the loss and a stand-in for the Hessian to every transformation."""

    @partial(jax.jit, static_argnums=0)
    def step(update: Any, params: Any, state: Any) -> tuple[Any, Any]:
        value, grads = jax.value_and_grad(loss)(params)
        updates, state = update(grads, state, params, value=value, hessian=grads)
        return optax.apply_updates(params, updates), state

    def run(tx: Any, params: Any = None, state: Any = None, steps: int = STEPS) -> tuple[Any, Any]:
        params = problem.params if params is None else params
        state = tx.init(params) if state is None else state
        for _ in range(steps):
            params, state = step(tx.update, params, state)
        return params, state

    return run


@pytest.fixture(scope="session")
def assert_agree() -> Callable[[Any, Any], None]:
    """Compare up to rounding. After these few steps, Optax's float32 Adam is 5e-6 away from its float64 result."""
    return partial(chex.assert_trees_all_close, rtol=1e-5, atol=1e-5)


@pytest.fixture(params=["adam", "clipped_adamw", "scheduled_adam"])
def pair(request: pytest.FixtureRequest) -> Pair:
    match request.param:
        case "adam":
            return Pair(gradtx.adam(0.1), optax.adam(0.1))
        case "clipped_adamw":
            return Pair(
                gradtx.chain(gradtx.clip_by_global_norm(0.5), gradtx.adamw(0.1, weight_decay=0.2)),
                optax.chain(optax.clip_by_global_norm(0.5), optax.adamw(0.1, weight_decay=0.2)),
            )
        case _:
            return Pair(
                gradtx.adam(gradtx.warmup_cosine(0.1, 3, 10, init_value=0.01)),
                optax.adam(optax.warmup_cosine_decay_schedule(0.01, 0.1, 3, 10)),
            )


@pytest.fixture
def plateau_pair() -> Pair:
    """Descent that overshoots, so the loss stalls. Optax's patience counts the loss that cuts; gradtx's does not."""
    return Pair(
        gradtx.sgd(gradtx.plateau(2.0, factor=0.1, patience=0)),
        optax.chain(optax.sgd(2.0), optax.contrib.reduce_on_plateau(factor=0.1, patience=1)),
    )
