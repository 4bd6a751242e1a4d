"""A hundred steps in float64 match those of PyTorch 2.13, from data/make_torch.py, with several options per class."""

import json
from pathlib import Path

import jax.numpy as jnp
import numpy as np
import pytest

import gradtx
from optimizers.following import path

CASES = json.loads((Path(__file__).parents[1] / "data" / "torch_optimizers.json").read_text())


def raw_eps(eps, b2):
    """PyTorch adds eps to the root before its bias correction. This is the equivalent eps after it."""
    return gradtx.stepwise(lambda step: eps / jnp.sqrt(-jnp.expm1((step + 1.0) * jnp.log(b2))))


def l2(tx, decay):
    """Add the weight decay to the gradient, as most of PyTorch's classes do."""
    return gradtx.chain(gradtx.add_decayed_weights(decay), tx) if decay else tx


def sgd(lr=1e-3, momentum=0.0, dampening=0.0, weight_decay=0.0, nesterov=False, maximize=False):
    tx = gradtx.sgd(lr, momentum, nesterov, dampening=dampening) if momentum else gradtx.sgd(lr)
    return gradtx.chain(gradtx.scale(-1.0 if maximize else 1.0), l2(tx, weight_decay))


def adagrad(lr=1e-2, lr_decay=0.0, weight_decay=0.0, initial_accumulator_value=0.0, eps=1e-10, maximize=False):
    rate = gradtx.stepwise(lambda step: lr / (1 + step * lr_decay))
    return l2(gradtx.adagrad(rate, initial_accumulator_value, eps, maximize=maximize), weight_decay)


def rmsprop(lr=1e-2, alpha=0.99, eps=1e-8, weight_decay=0.0, momentum=0.0, centered=False, maximize=False):
    tx = gradtx.rmsprop(lr, alpha, eps, centered=centered, momentum=momentum or None, maximize=maximize)
    return l2(tx, weight_decay)


def adadelta(lr=1.0, rho=0.9, eps=1e-6, weight_decay=0.0, maximize=False):
    return l2(gradtx.adadelta(lr, rho, eps, maximize=maximize), weight_decay)


def rprop(lr=1e-2, etas=(0.5, 1.2), step_sizes=(1e-6, 50), maximize=False):
    return gradtx.rprop(lr, *etas, *map(float, step_sizes), maximize=maximize)


def adam(lr=1e-3, betas=(0.9, 0.999), eps=1e-8, weight_decay=0.0, amsgrad=False, maximize=False):
    tx = (gradtx.amsgrad if amsgrad else gradtx.adam)(lr, *betas, eps, maximize=maximize)
    return l2(tx, weight_decay)


def adamw(lr=1e-3, betas=(0.9, 0.999), eps=1e-8, weight_decay=1e-2, amsgrad=False, maximize=False):
    factory = gradtx.amsgrad if amsgrad else gradtx.adam
    return factory(lr, *betas, eps, weight_decay=weight_decay, maximize=maximize)


def decayed(make, weight_decay, decoupled):
    if decoupled:
        return make(weight_decay=weight_decay or None)
    return l2(make(), weight_decay)


def radam(lr=1e-3, betas=(0.9, 0.999), eps=1e-8, weight_decay=0.0, decoupled_weight_decay=False, maximize=False):
    def make(**options):
        return gradtx.radam(lr, *betas, raw_eps(eps, betas[1]), maximize=maximize, **options)

    return decayed(make, weight_decay, decoupled_weight_decay)


def nadam(
    lr=2e-3,
    betas=(0.9, 0.999),
    eps=1e-8,
    weight_decay=0.0,
    momentum_decay=4e-3,
    decoupled_weight_decay=False,
    maximize=False,
):
    def make(**options):
        return gradtx.nadam(lr, *betas, eps, momentum_decay=momentum_decay, maximize=maximize, **options)

    return decayed(make, weight_decay, decoupled_weight_decay)


def adamax(lr=2e-3, betas=(0.9, 0.999), eps=1e-8, weight_decay=0.0, maximize=False):
    return l2(gradtx.adamax(lr, *betas, eps, maximize=maximize), weight_decay)


def asgd(lr=1e-2, lambd=1e-4, alpha=0.75, t0=1e6, weight_decay=0.0, maximize=False):
    return l2(gradtx.asgd(lr, lambd, alpha, int(t0), maximize=maximize), weight_decay)


def adafactor(lr=1e-2, beta2_decay=-0.8, eps=(None, 1e-3), d=1.0, weight_decay=0.0, maximize=False):
    rate = gradtx.stepwise(lambda step: jnp.minimum(lr, 1 / jnp.sqrt(step + 1.0)))
    return gradtx.chain(
        gradtx.scale(-1.0 if maximize else 1.0),
        gradtx.scale_by_factored_rms(True, -beta2_decay, 0, 1, 1e-30),
        gradtx.clip_by_block_rms(d),
        gradtx.scale_by_param_block_rms(eps[1]),
        gradtx.scale_by_learning_rate(rate),
        gradtx.add_decayed_weights(lr * weight_decay, mode="independent"),
    )


def muon(
    lr=1e-3,
    weight_decay=0.1,
    momentum=0.95,
    nesterov=True,
    ns_coefficients=(3.4445, -4.775, 2.0315),
    ns_steps=5,
    adjust_lr_fn="original",
):
    sides = {"original": "width", "match_rms_adamw": "rms"}[adjust_lr_fn]
    options = {"axes": "o i", "iterations": ns_steps, "weight_decay": weight_decay}
    return gradtx.muon(lr, momentum, nesterov, [ns_coefficients], sides, **options)


MAKE = {
    "Muon": muon,
    "SGD": sgd,
    "Adagrad": adagrad,
    "RMSprop": rmsprop,
    "Adadelta": adadelta,
    "Rprop": rprop,
    "Adam": adam,
    "AdamW": adamw,
    "RAdam": radam,
    "NAdam": nadam,
    "Adamax": adamax,
    "ASGD": asgd,
    "Adafactor": adafactor,
}


def parameters_and_average(p, state):
    return p, state.get("asgd", state).get("track_average", {"average": p})["average"]


@pytest.mark.parametrize("name", CASES)
def test_a_hundred_steps_in_float64_match_pytorch(name):
    case = CASES[name]
    tx, steps = MAKE[case["class"]](**case["options"]), np.array(case["steps"])
    ours, average = path(tx, case["start"], max(steps), keep=parameters_and_average)
    rtol = 1e-10 if case["class"] == "Muon" else 1e-12  # whose iteration magnifies what rounds otherwise
    np.testing.assert_allclose(ours[steps - 1], case["path"], rtol=rtol, atol=1e-14)
    if "average" in case:
        np.testing.assert_allclose(average[steps - 1], case["average"], rtol=1e-12, atol=1e-14)
