"""The factored state of Adafactor."""

import jax.numpy as jnp

import gradtx


def test_the_two_longest_axes_are_factored():
    state = gradtx.scale_by_factored_rms(min_dim_size_to_factor=4).init(jnp.zeros((2, 5, 4)))
    kept = state["scale_by_factored_rms"]
    assert (kept.row.shape, kept.column.shape, kept.full.shape) == ((2, 4), (2, 5), (1,))
