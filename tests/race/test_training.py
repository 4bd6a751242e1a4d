"""Train one network, and many at once."""

import functools

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import gradtx
from gradtx.race import training
from gradtx.race.contestants import CONTESTANTS, Length
from gradtx.race.data import digits
from gradtx.race.models import TASKS, loss_and_accuracy

LENGTH = Length(epochs=2, steps_per_epoch=22)
MLP = TASKS["mlp"]


def _train_alone(tx, seed, epochs):
    train_epoch = jax.jit(functools.partial(training.train_epoch, MLP, 64))
    member = training.start(MLP, tx, seed)
    for epoch in range(1, epochs + 1):
        member, loss = train_epoch(tx, member, seed, digits().train, epoch)
    return member, loss


@pytest.mark.parametrize("task", [TASKS["mlp"], pytest.param(TASKS["cnn"], marks=pytest.mark.slow)], ids=["mlp", "cnn"])
def test_one_epoch_lowers_the_loss(task):
    tx = gradtx.adam(0.01)
    member = training.start(task, tx, 0)
    before, _ = loss_and_accuracy(task, member.params, *digits().validation)
    member, _ = training.train_epoch(task, 64, tx, member, 0, digits().train, 1)
    after, accuracy = loss_and_accuracy(task, member.params, *digits().validation)
    assert after < 0.5 * before
    assert accuracy > 0.7


@pytest.mark.parametrize("name", ["adam", "clipped_adamw_cosine", "sgd_plateau"])
def test_a_member_of_a_population_trains_as_it_would_alone(name):
    rates, seeds = jnp.array([1e-3, 1e-2, 3e-2]), jnp.arange(2)
    tx = CONTESTANTS[name](rates, LENGTH)
    population, _ = training.start_population(MLP, tx, seeds, digits())
    for epoch in (1, 2):
        population, metrics = training.train_population(MLP, 64, tx, population, seeds, digits(), epoch)
    alone, loss = _train_alone(CONTESTANTS[name](1e-2, LENGTH), seed=1, epochs=2)
    np.testing.assert_allclose(metrics.train_loss[1, 1], loss, rtol=1e-4)
    for together, single in zip(jax.tree.leaves(population.params), jax.tree.leaves(alone.params), strict=True):
        np.testing.assert_allclose(together[1, 1], single, rtol=1e-3, atol=1e-4)


def test_members_differ_by_rate_and_by_seed():
    tx = CONTESTANTS["sgd"](jnp.array([1e-2, 1e-1]), LENGTH)
    population, _ = training.start_population(MLP, tx, jnp.arange(2), digits())
    _, metrics = training.train_population(MLP, 64, tx, population, jnp.arange(2), digits(), 1)
    assert len(np.unique(metrics.train_loss)) == 4


def test_a_new_array_of_rates_does_not_recompile():
    seeds, compiled = jnp.arange(2), []
    for rates in ([1e-3, 1e-2], [0.5, 1.5]):
        tx = CONTESTANTS["momentum"](jnp.array(rates), LENGTH)
        population, _ = training.start_population(MLP, tx, seeds, digits())
        training.train_population(MLP, 64, tx, population, seeds, digits(), 1)
        compiled.append(training.train_population._cache_size())
    assert compiled[0] == compiled[1] > 0


def test_a_plateau_follows_the_training_loss():
    tx = CONTESTANTS["sgd_plateau"](0.01, LENGTH)
    member, loss = _train_alone(tx, seed=0, epochs=1)
    kept = member.state["scale_by_learning_rate"]["learning_rate"]
    np.testing.assert_allclose(kept.best, loss, rtol=1e-5)


@pytest.mark.parametrize(("name", "bytes_per_parameter"), [("sgd", 0), ("momentum", 4), ("adam", 8), ("amsgrad", 12)])
def test_state_bytes_per_parameter(name, bytes_per_parameter):
    measured = training.state_bytes_per_parameter(MLP, CONTESTANTS[name](0.01, LENGTH))
    assert measured == pytest.approx(bytes_per_parameter, abs=0.01)
    assert measured > bytes_per_parameter  # the step counter


def test_a_step_takes_a_plausible_time():
    seconds = training.seconds_per_step(MLP, 64, gradtx.sgd(0.1), digits().train, repetitions=3)
    assert 1e-7 < seconds < 1.0
