"""Clipping by what norms used to be, against the same in NumPy."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import gradtx

NORMS = np.abs(np.random.default_rng(0).normal(size=60)) + 0.5
NORMS[[30, 45]] = 40.0, 80.0


def norms_after(tx, norms=NORMS):
    """The norms of updates whose norms these are, each along a direction of two numbers."""
    direction = jnp.array([0.6, -0.8])
    step = jax.jit(tx.update)
    state, out = tx.init(direction), []
    for norm in norms:
        updates, state = step(direction * norm, state)
        out.append(float(jnp.linalg.norm(updates)))
    return np.array(out)


@pytest.mark.parametrize("window", [1000, 8])
def test_the_quantile_is_that_of_the_last_norms(window):
    bounds = [np.quantile(NORMS[max(0, i + 1 - window) : i + 1], 0.3) for i in range(len(NORMS))]
    ours = norms_after(gradtx.clip_by_norm_quantile(0.3, window))
    np.testing.assert_allclose(ours, np.minimum(NORMS, bounds), rtol=1e-5)


def test_a_gradient_that_is_not_finite_leaves_no_trace_in_the_norms():
    tx = gradtx.clip_by_norm_quantile(0.5, window=4)
    state = tx.init(jnp.ones(1))
    updates, after = tx.update(jnp.array([jnp.nan]), state)
    assert np.isnan(updates[0])
    assert all(np.array_equal(a, b) for a, b in zip(state_leaves(state), state_leaves(after), strict=True))


def state_leaves(state):
    return jax.tree.leaves(state["clip_by_norm_quantile"])


def zclip(norms, threshold, decay, warm):
    mean, variance, out = np.mean(norms[:warm]), np.var(norms[:warm]), list(norms[:warm])
    for norm in norms[warm:]:
        z = (norm - mean) / np.sqrt(variance)
        bound = mean + threshold**2 / z * np.sqrt(variance) if z > threshold else norm
        ahead = bound - mean
        mean, variance = mean + (1 - decay) * ahead, decay * (variance + (1 - decay) * ahead**2)
        out.append(bound)
    return np.array(out)


def test_a_norm_far_above_the_mean_is_drawn_back_towards_it():
    ours = norms_after(gradtx.clip_by_norm_zscore(2.5, 0.97, warmup_steps=25))
    np.testing.assert_allclose(ours, zclip(NORMS, 2.5, 0.97, 25), rtol=1e-4)
    assert max(ours) < 5 < max(NORMS)
