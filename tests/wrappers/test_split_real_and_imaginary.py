"""Complex arrays as pairs of real ones."""

import chex
import jax.numpy as jnp

import gradtx

P = {"z": jnp.array([1.0 + 2.0j, -3.0]), "x": jnp.ones(2)}


def test_split_in_itself_is_split_once():
    once = gradtx.split_real_and_imaginary(gradtx.adam(0.1))
    twice = gradtx.split_real_and_imaginary(once)
    results = [tx.update(P, tx.init(P), P) for tx in (once, twice)]
    chex.assert_trees_all_equal(*(updates for updates, _ in results))
    assert gradtx.eval_params(twice, results[1][1], P)["z"].dtype == P["z"].dtype
