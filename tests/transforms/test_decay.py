"""Weight decay, compared with hand-computed numbers."""

import jax.numpy as jnp
import numpy as np

import gradtx


def once(tx, u, p=None, **extra):
    return tx.update(u, tx.init(u if p is None else p), p, **extra)[0]


def test_independent_decay_shrinks_by_its_fraction_whatever_the_rate():
    tx = gradtx.chain(gradtx.sgd(0.5), gradtx.add_decayed_weights(0.1, mode="independent"))
    np.testing.assert_allclose(once(tx, jnp.array([1.0]), jnp.array([2.0])), [-0.7], rtol=1e-6)


def test_cautious_decay_shrinks_only_entries_that_the_step_moves_towards_zero():
    tx = gradtx.chain(gradtx.add_decayed_weights(0.1, mode="cautious"), gradtx.scale_by_learning_rate(1.0))
    np.testing.assert_allclose(once(tx, jnp.array([1.0, 1.0]), jnp.array([2.0, -2.0])), [-1.2, -1.0], rtol=1e-6)
