"""Transformations that Optax also has follow it for a hundred steps under its conventions, where papers allow that."""

import jax.numpy as jnp
import numpy as np
import optax
import pytest
from optax import contrib

import gradtx
from optimizers.following import STARTS, path


def extra(p):
    return {"value": jnp.sum(p**2)}


def staged(*stages):
    return gradtx.chain(*stages, gradtx.scale_by_learning_rate(0.05))


FROM_A_VECTOR = {
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
FROM_A_MATRIX = {
    "sgd, nesterov": (gradtx.sgd(0.01, 0.9, nesterov=True), optax.sgd(0.01, 0.9, nesterov=True)),
    "rmsprop, centered, momentum": (
        gradtx.rmsprop(0.01, eps=1e-4, eps_in_sqrt=True, centered=True, momentum=0.9),
        optax.rmsprop(0.01, eps=1e-4, centered=True, momentum=0.9),
    ),
    "adadelta": (gradtx.adadelta(1.0), optax.adadelta(1.0)),
    "radam": (gradtx.radam(0.05), optax.radam(0.05)),
    "adamax": (gradtx.adamax(0.05), optax.adamax(0.05)),
    "adamaxw": (gradtx.adamaxw(0.05, weight_decay=0.1), optax.adamaxw(0.05, weight_decay=0.1)),
    "nadamw": (gradtx.nadamw(0.05, weight_decay=0.1), optax.nadamw(0.05, weight_decay=0.1)),
    "lion": (gradtx.lion(0.01), optax.lion(0.01)),
    "sign_sgd": (gradtx.sign_sgd(0.01), optax.sign_sgd(0.01)),
    "signum": (gradtx.signum(0.01), optax.signum(0.01)),
    "lamb": (gradtx.lamb(0.05, weight_decay=0.1), optax.lamb(0.05, weight_decay=0.1)),
    "lars": (gradtx.lars(0.5, weight_decay=0.1), optax.lars(0.5, weight_decay=0.1)),
    "novograd": (gradtx.novograd(0.01, eps=1e-6), optax.novograd(0.01)),
    "fromage": (gradtx.fromage(0.01), optax.fromage(0.01)),
    "sm3": (gradtx.sm3(0.05), optax.sm3(0.05)),
    "optimistic": (
        gradtx.optimistic_gradient_descent(0.02, 1.0, 0.5),
        optax.optimistic_gradient_descent(0.02, 1.0, 0.5),
    ),
    "polyak_sgd": (gradtx.polyak_sgd(), optax.polyak_sgd()),
    "yogi": (
        staged(gradtx.track_yogi(), gradtx.bias_correction(), gradtx.scale_by_moments(1e-3)),
        optax.chain(optax.scale_by_yogi(), optax.scale_by_learning_rate(0.05)),
    ),
    **{
        f"{name} {options or ''}": (
            staged(getattr(gradtx, name)(**options)),
            optax.chain(getattr(optax, name)(**options), optax.scale_by_learning_rate(0.05)),
        )
        for name in ("scale_by_adam", "scale_by_amsgrad", "scale_by_belief", "scale_by_radam", "scale_by_yogi")
        for options in ({}, {"b1": 0.8, "eps_root": 1e-3}, {"nesterov": True})
        if "nesterov" not in options or name in ("scale_by_adam", "scale_by_radam")
    },
    "ademamix": (gradtx.ademamix(0.01), contrib.ademamix(0.01)),
    "simplified_ademamix": (
        gradtx.simplified_ademamix(0.001, alpha=0.5),
        contrib.simplified_ademamix(0.001, alpha=0.5),
    ),
    "dog": (gradtx.dog(), contrib.dog(1.0)),
    "dowg": (gradtx.dowg(), contrib.dowg(1.0)),
    "cocob": (gradtx.cocob(), contrib.cocob(1.0)),
    "adopt": (gradtx.adopt(0.05), contrib.adopt(0.05)),
    "madgrad": (gradtx.madgrad(0.05 + 1e-6), contrib.madgrad(0.05)),  # Optax adds eps to the rate
    "momo": (gradtx.momo(), contrib.momo()),
    "momo_adam": (gradtx.momo_adam(0.05), contrib.momo_adam(0.05)),
    "noisy_sgd, no noise": (gradtx.noisy_sgd(0.05, eta=0.0), optax.noisy_sgd(0.05, eta=0.0, key=0)),
    "ema": (staged(gradtx.ema(0.9)), optax.chain(optax.ema(0.9), optax.scale_by_learning_rate(0.05))),
    "trust ratio": (
        staged(gradtx.scale_by_trust_ratio(0.1, 0.5, 0.01)),
        optax.chain(optax.scale_by_trust_ratio(0.1, 0.5, 0.01), optax.scale_by_learning_rate(0.05)),
    ),
    "centralize": (
        staged(gradtx.centralize(axes=lambda path, x: "o" + " i" * (x.ndim - 1) if x.ndim > 1 else None)),
        optax.chain(optax.centralize(), optax.scale_by_learning_rate(0.05)),
    ),
    "param_block_norm": (
        staged(gradtx.scale_by_param_block_norm()),
        optax.chain(optax.scale_by_param_block_norm(), optax.scale_by_learning_rate(0.05)),
    ),
    "normalize": (
        staged(gradtx.normalize_by_update_norm()),
        optax.chain(optax.normalize_by_update_norm(), optax.scale_by_learning_rate(0.05)),
    ),
    "clip_by_block_rms": (
        staged(gradtx.clip_by_block_rms(0.5)),
        optax.chain(optax.clip_by_block_rms(0.5), optax.scale_by_learning_rate(0.05)),
    ),
    "adaptive_grad_clip": (
        staged(gradtx.adaptive_grad_clip(0.1)),
        optax.chain(optax.adaptive_grad_clip(0.1), optax.scale_by_learning_rate(0.05)),
    ),
    "adafactor with momentum and a schedule": (
        gradtx.adafactor(lambda step: 0.05 * 0.9**step, momentum=0.9, min_dim_size_to_factor=2),
        optax.adafactor(lambda step: 0.05 * 0.9**step, momentum=0.9, min_dim_size_to_factor=2),
    ),
    "factored rms": (
        staged(gradtx.scale_by_factored_rms(min_dim_size_to_factor=2)),
        optax.chain(optax.scale_by_factored_rms(min_dim_size_to_factor=2), optax.scale_by_learning_rate(0.05)),
    ),
}
PAIRS = FROM_A_VECTOR | FROM_A_MATRIX

# Optax starts Yogi's first moment at 1e-6, and computes t^-0.8 in float32.
TOLERANCES = {"yogi": 1e-3, "scale_by_yogi": 1e-3, "factored rms": 1e-5}


@pytest.mark.parametrize("name", PAIRS)
def test_a_hundred_steps_in_float64_follow_optax_under_its_own_conventions(name):
    ours, theirs = PAIRS[name]
    start = STARTS["vector with a zero" if name in FROM_A_VECTOR else "matrix"]
    ours = path(ours, start, extra=extra)
    theirs = path(optax.with_extra_args_support(theirs), start, extra=extra, apply=optax.apply_updates)
    rtol = next((rtol for kind, rtol in TOLERANCES.items() if name.startswith(kind)), 1e-6)
    np.testing.assert_allclose(ours, theirs, rtol=rtol, atol=1e-7)
