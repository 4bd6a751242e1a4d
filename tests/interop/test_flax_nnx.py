"""gradtx in nnx.Optimizer."""

import jax.numpy as jnp
import optax
import pytest
from flax import nnx

import gradtx


@pytest.fixture(scope="module")
def fit(problem):
    """A function that trains a linear layer with an nnx.Optimizer, and returns the layer and the optimizer."""

    @nnx.jit
    def step(model, optimizer):
        def loss(model):
            return ((model(problem.inputs) - problem.targets) ** 2).mean()

        value, grads = nnx.value_and_grad(loss)(model)
        optimizer.update(model, grads, value=value)

    def run(tx, steps=8):
        model = nnx.Linear(3, 2, rngs=nnx.Rngs(0))
        nnx.update(model, problem.params)
        optimizer = nnx.Optimizer(model, tx, wrt=nnx.Param)
        for _ in range(steps):
            step(model, optimizer)
        return model, optimizer

    return run


def params_of(fitted):
    return nnx.to_pure_dict(nnx.state(fitted[0]))


def test_an_nnx_optimizer_trains_as_with_optax(pair, fit, assert_agree):
    assert_agree(params_of(fit(pair.ours)), params_of(fit(pair.theirs)))


def test_an_nnx_optimizer_passes_the_loss_to_a_plateau(plateau_pair, fit, assert_agree):
    fitted = fit(plateau_pair.ours)
    assert fitted[1].opt_state["scale_by_learning_rate"]["learning_rate"].scale[...] < 1
    assert_agree(params_of(fitted), params_of(fit(plateau_pair.theirs)))


def test_an_nnx_optimizer_keeps_the_state_under_the_names_of_stages_and_fields(fit):
    _, optimizer = fit(gradtx.adam(0.1), steps=2)
    state = nnx.to_pure_dict(nnx.state(optimizer))["opt_state"]
    assert state["step"] == 2
    assert state["track_moments"]["second"]["kernel"].shape == (3, 2)


def test_an_nnx_optimizer_refuses_an_array_hyperparameter_without_to_optax(fit, assert_agree):
    tx = gradtx.adam(jnp.array(0.1))
    with pytest.raises(ValueError, match="Found data"):  # a static attribute cannot be a pytree of arrays
        fit(tx, steps=1)
    assert_agree(params_of(fit(gradtx.to_optax(tx), steps=3)), params_of(fit(optax.adam(0.1), steps=3)))
