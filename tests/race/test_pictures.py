"""What the pictures show, as numbers."""

import jax.numpy as jnp
import numpy as np

import gradtx
from gradtx.race import pictures


def _valley_path(tx):
    return pictures.descend(tx, pictures._valley, (-9.0, 1.5), steps=40)


def test_a_path_is_the_iteration_of_the_rule():
    path = pictures.descend(gradtx.sgd(0.1), lambda p: jnp.sum(p**2), (1.0, -2.0), steps=3)
    np.testing.assert_allclose(path, np.outer(0.8 ** np.arange(4), [1.0, -2.0]), rtol=1e-6)


def test_sgd_crosses_the_valley_oftener_than_momentum_and_adam():
    crossings = [
        int((np.diff(np.sign(_valley_path(tx)[:, 1])) != 0).sum())
        for tx in (gradtx.sgd(0.019), gradtx.sgd(0.003, momentum=0.9), gradtx.adam(0.3))
    ]
    assert crossings[0] == 40
    assert max(crossings[1:]) < 10


def test_momentum_and_adam_come_nearer_than_sgd():
    sgd, momentum, adam = (
        np.linalg.norm(_valley_path(tx)[-1])
        for tx in (gradtx.sgd(0.019), gradtx.sgd(0.003, momentum=0.9), gradtx.adam(0.3))
    )
    assert momentum < 0.5 * sgd and adam < 0.5 * sgd
