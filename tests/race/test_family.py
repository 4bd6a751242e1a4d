"""Every contestant learns the digits."""

import jax.numpy as jnp
import numpy as np
import pytest

from gradtx.race import training
from gradtx.race.contestants import CONTESTANTS, Length
from gradtx.race.data import digits
from gradtx.race.models import TASKS
from gradtx.race.results import RATES

# A uniform guess has a loss of log(10) = 2.3, and an untrained network has a loss of 2.4.
STATED = dict.fromkeys(CONTESTANTS, 0.2)
STATED["simplified_ademamix"] = 0.3  # its momentum is a sum, so it needs rates below the grid
STATED["dog"] = STATED["mechanized_sgd"] = 0.4  # their first steps go a millionth of the way
STATED["rprop"] = 2.0  # it is made for full batches; between minibatches, the signs of gradients flip by chance
STATED["lbfgs"] = 0.6  # it takes one step in an epoch

# The contestants that `make test` trains.
SAMPLE = ("adam", "prodigy")


@pytest.mark.parametrize(
    "name", [name if name in SAMPLE else pytest.param(name, marks=pytest.mark.slow) for name in CONTESTANTS]
)
def test_eight_epochs_at_some_rate_of_the_grid_reach_the_stated_loss(name):
    task, seeds, length = TASKS["mlp"], jnp.arange(1), Length(epochs=8, steps_per_epoch=22)
    tx = CONTESTANTS[name](jnp.array(RATES), length)
    population, _ = training.start_population(task, tx, seeds, digits())
    for epoch in range(1, length.epochs + 1):
        population, metrics = training.train_population(task, 64, tx, population, seeds, digits(), epoch)
    assert np.nanmin(metrics.train_loss) < STATED[name]
