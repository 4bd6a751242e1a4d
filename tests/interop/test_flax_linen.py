"""gradtx in Flax's TrainState, and serialized to bytes and back by Flax."""

import chex
import flax.linen as nn
import jax
import pytest
from flax import serialization
from flax.training.train_state import TrainState

import gradtx


@pytest.fixture(scope="module")
def fit(problem):
    """A compiled training step of a dense layer in a TrainState."""

    @jax.jit
    def step(state):
        def loss(params):
            return ((state.apply_fn({"params": params}, problem.inputs) - problem.targets) ** 2).mean()

        return state.apply_gradients(grads=jax.grad(loss)(state.params))

    return step


@pytest.fixture(scope="module")
def create(problem):
    """Create a TrainState of one shared dense layer, because jit compares its `apply` when it looks up a step."""
    model = nn.Dense(2)
    return lambda tx: TrainState.create(apply_fn=model.apply, params=problem.params, tx=tx)


def run(fit, state, steps=8):
    for _ in range(steps):
        state = fit(state)
    return state


def test_a_train_state_trains_as_with_optax(pair, fit, create, assert_agree):
    assert_agree(run(fit, create(pair.ours)).params, run(fit, create(pair.theirs)).params)


def test_a_train_state_with_a_rebuilt_optimizer_is_not_traced_again(fit, create):
    run(fit, create(gradtx.adam(0.3)), steps=2)
    compiled = fit._cache_size()
    run(fit, create(gradtx.adam(0.3)), steps=2)
    assert fit._cache_size() == compiled


def test_training_resumes_bit_for_bit_from_a_train_state_restored_from_bytes(fit, create):
    tx = gradtx.chain(gradtx.clip_by_global_norm(0.5), gradtx.amsgrad(0.1))
    halfway = run(fit, create(tx), steps=4)
    restored = serialization.from_bytes(create(tx), serialization.to_bytes(halfway))
    assert isinstance(restored.opt_state["amsgrad"]["track_moments"], gradtx.Moments)
    chex.assert_trees_all_equal(run(fit, restored, steps=4), run(fit, halfway, steps=4))


def test_a_flax_state_dict_is_keyed_by_the_names_of_stages_and_fields(problem):
    flat = serialization.to_state_dict(gradtx.adam(0.1).init(problem.params))
    assert set(flat) == {"step", "track_moments", "bias_correction"}
    assert set(flat["track_moments"]["first"]) == {"kernel", "bias"}
