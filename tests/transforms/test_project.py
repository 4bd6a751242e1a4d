"""Projections."""

import jax.numpy as jnp
import numpy as np

import gradtx


def once(tx, u, p=None, **extra):
    return tx.update(u, tx.init(u if p is None else p), p, **extra)[0]


def test_a_projection_keeps_parameters_in_its_set():
    tx = gradtx.chain(gradtx.sgd(1.0), gradtx.project(lambda x: jnp.clip(x, -1, 1)))
    p = jnp.array([0.5, -0.5])
    np.testing.assert_allclose(p + once(tx, jnp.array([-3.0, 0.25]), p), [1.0, -0.75])
