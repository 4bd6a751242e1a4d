"""Optimizers follow their papers' rules, which `papers` implements independently in NumPy and float64."""

import numpy as np
import pytest

import gradtx
from optimizers.following import STARTS, STEPS, gradient, path
from papers import (
    acprop,
    adabelief,
    adadelta,
    adafactor,
    adagrad,
    adam,
    adam_mini,
    adamax,
    adan,
    ademamix,
    adopt,
    amsgrad,
    asgd,
    fromage,
    lamb,
    laprop,
    lars,
    lion,
    madgrad,
    mars,
    nadam,
    novograd,
    optimistic_gradient_descent,
    radam,
    rmsprop,
    rprop,
    sgd,
    signum,
    simplified_ademamix,
    sm3,
    stable_adamw,
    yogi,
)

# These start from a vector in which one entry and its gradient are 0.
WITH_A_ZERO = {
    "sgd": (gradtx.sgd(0.05), sgd, {"rate": 0.05}),
    "momentum": (gradtx.sgd(0.05, 0.9), sgd, {"rate": 0.05, "momentum": 0.9}),
    "rmsprop": (gradtx.rmsprop(0.05), rmsprop, {"rate": 0.05}),
    "rmsprop of 0.99": (gradtx.rmsprop(0.05, 0.99, 1e-3), rmsprop, {"rate": 0.05, "decay": 0.99, "eps": 1e-3}),
    "adagrad": (gradtx.adagrad(0.1), adagrad, {"rate": 0.1}),
    "adam": (gradtx.adam(0.05), adam, {"rate": 0.05}),
    "adam of other decays": (
        gradtx.adam(0.05, 0.5, 0.9, 1e-3),
        adam,
        {"rate": 0.05, "b1": 0.5, "b2": 0.9, "eps": 1e-3},
    ),
    "adamw": (gradtx.adamw(0.05, weight_decay=0.1), adam, {"rate": 0.05, "weight_decay": 0.1}),
    "adam_l2": (gradtx.adam_l2(0.05, l2=0.1), adam, {"rate": 0.05, "l2": 0.1}),
    "amsgrad": (gradtx.amsgrad(0.05, b2=0.9), amsgrad, {"rate": 0.05, "b2": 0.9, "variant": "pytorch"}),
    "nadam": (gradtx.nadam(0.05), nadam, {"rate": 0.05}),
    "adabelief": (gradtx.adabelief(0.05), adabelief, {"rate": 0.05, "eps": 1e-16}),
}
# These start from a vector and from a matrix.
IN_TWO_SHAPES = {
    "adadelta": (gradtx.adadelta(1.0, 0.95), adadelta, {"rate": 1.0}),
    "adadelta with decay": (gradtx.adadelta(1.0, 0.95, weight_decay=0.1), adadelta, {"rate": 1.0, "weight_decay": 0.1}),
    "rprop": (gradtx.rprop(0.01), rprop, {}),
    "radam": (gradtx.radam(0.05), radam, {"rate": 0.05, "debiased_eps": True}),
    "radam of the paper": (
        gradtx.radam(0.05, 0.8, 0.9, threshold=4.0),
        radam,
        {"rate": 0.05, "b1": 0.8, "b2": 0.9, "threshold": 4, "debiased_eps": True},
    ),
    "adamax": (gradtx.adamax(0.05), adamax, {"rate": 0.05}),
    "adamaxw": (gradtx.adamaxw(0.05), adamax, {"rate": 0.05, "weight_decay": 0.01}),
    "yogi": (gradtx.yogi(0.05), yogi, {"rate": 0.05}),
    "adan": (gradtx.adan(0.05), adan, {"rate": 0.05}),
    "nadamw": (gradtx.nadamw(0.05), nadam, {"rate": 0.05, "weight_decay": 0.01}),
    "rmsprop, centered, with momentum": (
        gradtx.rmsprop(0.01, 0.95, 1e-4, centered=True, momentum=0.9, eps_in_sqrt=True),
        rmsprop,
        {"rate": 0.01, "decay": 0.95, "momentum": 0.9, "eps": 1e-4, "centered": True, "eps_in_root": True},
    ),
    "rmsprop, centered": (
        gradtx.rmsprop(0.01, 0.9, 1e-6, centered=True),
        rmsprop,
        {"rate": 0.01, "decay": 0.9, "eps": 1e-6, "centered": True},
    ),
    "asgd": (gradtx.asgd(0.05, 0.01), asgd, {"rate": 0.05, "lambd": 0.01}),
    "adafactor": (gradtx.adafactor(0.05, min_dim_size_to_factor=1), adafactor, {"rate": 0.05}),
    "adafactor, not factored": (
        gradtx.adafactor(0.05, factored=False, multiply_by_parameter_scale=False, clipping_threshold=0.5),
        adafactor,
        {"rate": 0.05, "factored": False, "parameter_scale": False, "clip": 0.5},
    ),
    "lamb": (gradtx.lamb(0.05), lamb, {"rate": 0.05, "weight_decay": 0.01}),
    "lars": (gradtx.lars(0.5, trust_coefficient=0.01), lars, {"rate": 0.5, "trust": 0.01}),
    "lars with decay": (
        gradtx.lars(0.5, trust_coefficient=0.01, weight_decay=0.1),
        lars,
        {"rate": 0.5, "trust": 0.01, "weight_decay": 0.1, "joint_norm": True},
    ),
    "lion": (gradtx.lion(0.01), lion, {"rate": 0.01, "weight_decay": 0.001}),
    "signum": (gradtx.signum(0.01), signum, {"rate": 0.01}),
    "novograd": (gradtx.novograd(0.01), novograd, {"rate": 0.01, "b1": 0.9, "b2": 0.25}),
    "fromage": (gradtx.fromage(0.01), fromage, {}),
    "sm3": (gradtx.sm3(0.05), sm3, {"rate": 0.05, "eps": 1e-8}),
    "optimistic": (
        gradtx.optimistic_gradient_descent(0.02, 1.0, 0.5),
        optimistic_gradient_descent,
        {"rate": 0.02, "beta": 0.5},
    ),
    "ademamix": (gradtx.ademamix(0.01), ademamix, {"rate": 0.01}),
    "simplified_ademamix": (gradtx.simplified_ademamix(0.001, alpha=0.5), simplified_ademamix, {"alpha": 0.5}),
    "adopt": (gradtx.adopt(0.05), adopt, {"rate": 0.05}),
    "adopt with decay": (gradtx.adopt(0.05, weight_decay=0.1), adopt, {"rate": 0.05, "weight_decay": 0.1}),
    "adopt, unbounded": (
        gradtx.chain(gradtx.scale_by_adopt(clip=False), gradtx.scale_by_learning_rate(0.05)),
        adopt,
        {"rate": 0.05, "clip": None},
    ),
    "mars": (gradtx.mars(0.05), mars, {"rate": 0.05, "weight_decay": 0.01}),
    "adam_mini": (gradtx.adam_mini(0.05), adam_mini, {"rate": 0.05}),
    "stable_adamw": (
        gradtx.stable_adamw(0.05),
        stable_adamw,
        {"rate": 0.05, "weight_decay": 0.01},
    ),
    "laprop": (gradtx.laprop(0.05), laprop, {"rate": 0.05}),
    "madgrad": (gradtx.madgrad(0.05), madgrad, {"rate": 0.05}),
    "madgrad with decay": (gradtx.madgrad(0.05, weight_decay=0.1), madgrad, {"rate": 0.05, "weight_decay": 0.1}),
    "acprop": (gradtx.acprop(0.01, eps=1e-8), acprop, {"rate": 0.01, "eps": 1e-8}),
}
RULES = WITH_A_ZERO | IN_TWO_SHAPES
CASES = [
    *((rule, "vector with a zero") for rule in WITH_A_ZERO),
    *((rule, start) for start in ("vector", "matrix") for rule in IN_TWO_SHAPES),
]


@pytest.mark.parametrize(("rule", "start"), CASES)
def test_a_hundred_steps_in_float64_follow_the_paper(rule, start):
    tx, paper, options = RULES[rule]
    expected = paper.path(STARTS[start], gradient, **options, steps=STEPS)[1:]
    np.testing.assert_allclose(path(tx, STARTS[start]), expected, rtol=1e-10, atol=1e-12)


@pytest.mark.parametrize(
    "name", ["sgd", "momentum", "rmsprop", "adagrad", "adam", "adamw", "amsgrad", "nadam", "adabelief"]
)
def test_a_hundred_steps_go_downhill(name):
    tx, start = RULES[name][0], STARTS["vector with a zero"]
    last = path(tx, start, dtype=np.float32)[-1]
    assert np.sum(np.float64(last) ** 2) < 0.3 * np.sum(start**2)
