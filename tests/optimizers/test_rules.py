"""Every optimizer against its paper's rule in NumPy, and against Optax where Optax has it."""

import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest

import gradtx
import reference

START = np.array([1.0, -2.0, 0.5, 0.0])
STEPS = 100


def gradient(p):
    """Of a bowl with a ripple: its sign changes, so that momentum and moments matter."""
    return 2 * p + np.sin(5 * p) if isinstance(p, np.ndarray) else 2 * p + jnp.sin(5 * p)


def path(tx, dtype=np.float64, apply=gradtx.apply_updates):
    def step(carry, _):
        p, state = carry
        updates, state = tx.update(gradient(p), state, p)
        p = apply(p, updates)
        return (p, state), p

    p = jnp.asarray(START, dtype)
    return np.asarray(jax.lax.scan(step, (p, tx.init(p)), length=STEPS)[1], np.float64)


RULES = {
    "sgd": (gradtx.sgd(0.05), lambda: reference.sgd(START, gradient, 0.05, steps=STEPS)),
    "momentum": (gradtx.sgd(0.05, 0.9), lambda: reference.sgd(START, gradient, 0.05, 0.9, steps=STEPS)),
    "rmsprop": (gradtx.rmsprop(0.05), lambda: reference.rmsprop(START, gradient, 0.05, steps=STEPS)),
    "rmsprop of 0.99": (
        gradtx.rmsprop(0.05, 0.99, 1e-3),
        lambda: reference.rmsprop(START, gradient, 0.05, 0.99, 1e-3, steps=STEPS),
    ),
    "adagrad": (gradtx.adagrad(0.1), lambda: reference.adagrad(START, gradient, 0.1, steps=STEPS)),
    "adam": (gradtx.adam(0.05), lambda: reference.adam(START, gradient, 0.05, steps=STEPS)),
    "adam of other decays": (
        gradtx.adam(0.05, 0.5, 0.9, 1e-3),
        lambda: reference.adam(START, gradient, 0.05, 0.5, 0.9, 1e-3, steps=STEPS),
    ),
    "adamw": (
        gradtx.adamw(0.05, weight_decay=0.1),
        lambda: reference.adam(START, gradient, 0.05, weight_decay=0.1, steps=STEPS),
    ),
    "adam_l2": (
        gradtx.adam_l2(0.05, l2=0.1),
        lambda: reference.adam(START, gradient, 0.05, l2=0.1, steps=STEPS),
    ),
    "amsgrad": (
        gradtx.amsgrad(0.05, b2=0.9),
        lambda: reference.adam(START, gradient, 0.05, b2=0.9, variant="amsgrad", steps=STEPS),
    ),
    "nadam": (gradtx.nadam(0.05), lambda: reference.adam(START, gradient, 0.05, variant="nadam", steps=STEPS)),
    "adabelief": (
        gradtx.adabelief(0.05),
        lambda: reference.adam(START, gradient, 0.05, eps=1e-16, variant="adabelief", steps=STEPS),
    ),
}


@pytest.mark.parametrize("rule", RULES)
def test_a_hundred_steps_in_float64_follow_the_rule(rule):
    tx, expected = RULES[rule]
    with jax.enable_x64(True):
        np.testing.assert_allclose(path(tx), expected()[1:], rtol=1e-10, atol=1e-12)


OPTAX = {
    "sgd": (gradtx.sgd(0.05), optax.sgd(0.05)),
    "momentum": (gradtx.sgd(0.05, momentum=0.9), optax.sgd(0.05, momentum=0.9)),
    "rmsprop": (gradtx.rmsprop(0.05), optax.rmsprop(0.05, eps_in_sqrt=False)),
    "rmsprop, eps in the root": (gradtx.rmsprop(0.05, eps=1e-3, eps_in_sqrt=True), optax.rmsprop(0.05, eps=1e-3)),
    "adagrad": (gradtx.adagrad(0.1, 0.1, 1e-7, eps_in_sqrt=True), optax.adagrad(0.1)),
    "adam": (gradtx.adam(0.05), optax.adam(0.05)),
    "adamw": (gradtx.adamw(0.05, weight_decay=1e-4), optax.adamw(0.05)),
    "nadam": (gradtx.nadam(0.05), optax.nadam(0.05)),
    "amsgrad, of corrected moments": (
        gradtx.chain(
            gradtx.track_moments(b2=0.9),
            gradtx.bias_correction(b2=0.9),
            gradtx.track_maximum(),
            gradtx.scale_by_moments(),
            gradtx.scale_by_learning_rate(0.05),
        ),
        optax.amsgrad(0.05, b2=0.9),
    ),
    "adabelief": (
        gradtx.adabelief(0.05, eps=1e-8),
        optax.adabelief(0.05, eps=1e-8, eps_root=1e-8),
    ),
    "clip": (gradtx.chain(gradtx.clip(0.3), gradtx.sgd(0.05)), optax.chain(optax.clip(0.3), optax.sgd(0.05))),
    "clip_by_global_norm": (
        gradtx.chain(gradtx.clip_by_global_norm(0.3), gradtx.sgd(0.05)),
        optax.chain(optax.clip_by_global_norm(0.3), optax.sgd(0.05)),
    ),
    "warm-up and cosine": (
        gradtx.adam(gradtx.warmup_cosine(0.05, 10, 80, init_value=0.01, end_value=0.001)),
        optax.adam(optax.warmup_cosine_decay_schedule(0.01, 0.05, 10, 80, 0.001)),
    ),
    "a schedule of Optax": (
        gradtx.sgd(optax.exponential_decay(0.05, 10, 0.5)),
        optax.sgd(optax.exponential_decay(0.05, 10, 0.5)),
    ),
}


@pytest.mark.parametrize("name", OPTAX)
def test_a_hundred_steps_in_float64_follow_optax_at_its_own_conventions(name):
    ours, theirs = OPTAX[name]
    with jax.enable_x64(True):
        np.testing.assert_allclose(path(ours), path(theirs, apply=optax.apply_updates), rtol=1e-6, atol=1e-7)


@pytest.mark.parametrize("name", ["adabelief", "adagrad", "adam", "adamw", "amsgrad"])
def test_the_first_step_is_the_learning_rate_against_the_gradient(name):
    tx = getattr(gradtx, name)(0.25)
    g = jnp.array([1e-3, -1.0, 200.0])
    p = jnp.zeros(3)
    # AdaBelief divides by |g - m| = 0.9 |g|, the others by |g|.
    expected = -0.25 * jnp.sign(g) / (0.9 if name == "adabelief" else 1.0)
    np.testing.assert_allclose(tx.update(g, tx.init(p), p)[0], expected, rtol=2e-5)


@pytest.mark.parametrize(
    "name", ["sgd", "momentum", "rmsprop", "adagrad", "adam", "adamw", "amsgrad", "nadam", "adabelief"]
)
def test_a_hundred_steps_go_downhill(name):
    tx, _ = RULES[name]
    before, after = np.sum(START**2), np.sum(path(tx, np.float32)[-1] ** 2)
    assert after < 0.3 * before
