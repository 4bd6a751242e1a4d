"""The average of the parameters."""

import jax.numpy as jnp
import pytest

import gradtx


def test_the_average_begins_after_the_start_step():
    tx = gradtx.chain(gradtx.sgd(1.0), gradtx.track_average(start=1))
    p = jnp.array(0.0)
    state = tx.init(p)
    for _ in range(4):
        updates, state = tx.update(jnp.array(-1.0), state, p)
        p = gradtx.apply_updates(p, updates)
    assert float(state["track_average"]["average"]) == pytest.approx((2 + 3 + 4) / 3)
