"""Every optimizer beyond the first ones against its paper's rule, written independently in NumPy."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import gradtx
import papers
import papers_more
import papers_norms

STARTS = {
    "vector": np.array([1.0, -2.0, 0.5, 0.1]),
    "matrix": np.array([[1.0, -2.0, 0.5], [0.25, 3.0, -0.75]]),
}
STEPS = 100


def gradient(p):
    """Of a bowl with a ripple: its sign changes, so that momentum and moments matter."""
    return 2 * p + np.sin(5 * p) if isinstance(p, np.ndarray) else 2 * p + jnp.sin(5 * p)


def path(tx, start):
    def step(carry, _):
        p, state = carry
        updates, state = tx.update(gradient(p), state, p)
        p = gradtx.apply_updates(p, updates)
        return (p, state), p

    p = jnp.asarray(start, jnp.float64)
    return np.asarray(jax.lax.scan(step, (p, tx.init(p)), length=STEPS)[1])


def debiased(b, eps):
    """eps beside a root whose bias is not corrected, in the terms of one beside a root whose bias is."""
    return gradtx.stepwise(lambda step: eps / jnp.sqrt(1 - b ** (step + 1)))


RULES = {
    "adadelta": (gradtx.adadelta(1.0, 0.95), papers.adadelta, {"rate": 1.0}),
    "adadelta with decay": (
        gradtx.adadelta(1.0, 0.95, weight_decay=0.1),
        papers.adadelta,
        {"rate": 1.0, "weight_decay": 0.1},
    ),
    "rprop": (gradtx.rprop(0.01), papers.rprop, {}),
    "radam": (gradtx.radam(0.05), papers.radam, {"rate": 0.05, "debiased_eps": True}),
    "radam of the paper": (
        gradtx.radam(0.05, 0.8, 0.9, threshold=4.0),
        papers.radam,
        {"rate": 0.05, "b1": 0.8, "b2": 0.9, "threshold": 4, "debiased_eps": True},
    ),
    "adamax": (gradtx.adamax(0.05), papers.adamax, {"rate": 0.05}),
    "adamaxw": (gradtx.adamaxw(0.05), papers.adamax, {"rate": 0.05, "weight_decay": 0.01}),
    "yogi": (gradtx.yogi(0.05), papers.yogi, {"rate": 0.05}),
    "adan": (gradtx.adan(0.05), papers.adan, {"rate": 0.05}),
    "nadamw": (gradtx.nadamw(0.05), papers.nadamw, {"rate": 0.05, "weight_decay": 0.01}),
    "rmsprop, centered, with momentum": (
        gradtx.rmsprop(0.01, 0.95, 1e-4, centered=True, momentum=0.9, eps_in_sqrt=True),
        papers.rmsprop,
        {"rate": 0.01},
    ),
    "rmsprop, centered": (
        gradtx.rmsprop(0.01, 0.9, 1e-6, centered=True),
        papers.rmsprop,
        {"rate": 0.01, "decay": 0.9, "eps": 1e-6, "momentum": 0.0, "eps_in_root": False},
    ),
    "asgd": (gradtx.asgd(0.05, 0.01), papers.asgd, {"rate": 0.05, "lambd": 0.01}),
    "adafactor": (
        gradtx.adafactor(0.05, min_dim_size_to_factor=1),
        papers_norms.adafactor,
        {"rate": 0.05},
    ),
    "adafactor, not factored": (
        gradtx.adafactor(0.05, factored=False, multiply_by_parameter_scale=False, clipping_threshold=0.5),
        papers_norms.adafactor,
        {"rate": 0.05, "factored": False, "parameter_scale": False, "clip": 0.5},
    ),
    "lamb": (gradtx.lamb(0.05), papers_norms.lamb, {"rate": 0.05, "weight_decay": 0.01}),
    "lars": (gradtx.lars(0.5, trust_coefficient=0.01), papers_norms.lars, {"rate": 0.5, "trust": 0.01}),
    "lars with decay": (
        gradtx.lars(0.5, trust_coefficient=0.01, weight_decay=0.1),
        papers_norms.lars,
        {"rate": 0.5, "trust": 0.01, "weight_decay": 0.1, "joint_norm": True},
    ),
    "lion": (gradtx.lion(0.01), papers_norms.lion, {"rate": 0.01, "weight_decay": 0.001}),
    "signum": (gradtx.signum(0.01), papers_norms.signum, {"rate": 0.01}),
    "novograd": (gradtx.novograd(0.01), papers_norms.novograd, {"rate": 0.01, "b1": 0.9, "b2": 0.25}),
    "fromage": (gradtx.fromage(0.01), papers_norms.fromage, {}),
    "sm3": (gradtx.sm3(0.05), papers_norms.sm3, {"rate": 0.05, "eps": 1e-8}),
    "optimistic": (
        gradtx.optimistic_gradient_descent(0.02, 1.0, 0.5),
        papers_norms.optimistic_gradient_descent,
        {"rate": 0.02, "beta": 0.5},
    ),
    "ademamix": (gradtx.ademamix(0.01), papers_more.ademamix, {"rate": 0.01}),
    "simplified_ademamix": (
        gradtx.simplified_ademamix(0.001, alpha=0.5),
        papers_more.simplified_ademamix,
        {"alpha": 0.5},
    ),
    "adopt": (gradtx.adopt(0.05), papers_more.adopt, {"rate": 0.05}),
    "adopt, unbounded": (
        gradtx.chain(gradtx.scale_by_adopt(clip=False), gradtx.scale_by_learning_rate(0.05)),
        papers_more.adopt,
        {"rate": 0.05, "clip": None},
    ),
    "mars": (gradtx.mars(0.05), papers_more.mars_adamw, {"rate": 0.05, "weight_decay": 0.01}),
    "adam_mini": (gradtx.adam_mini(0.05), papers_more.adam_mini, {"rate": 0.05}),
    "stable_adamw": (
        gradtx.stable_adamw(0.05),
        papers_more.stable_adamw,
        {"rate": 0.05, "weight_decay": 0.01, "decay_clipped": False},
    ),
    "laprop": (gradtx.laprop(0.05), papers_more.laprop, {"rate": 0.05}),
    "madgrad": (gradtx.madgrad(0.05), papers_more.madgrad, {"rate": 0.05}),
    "madgrad with decay": (
        gradtx.madgrad(0.05, weight_decay=0.1),
        papers_more.madgrad,
        {"rate": 0.05, "weight_decay": 0.1},
    ),
    "acprop": (gradtx.acprop(0.01, eps=1e-8), papers_more.acprop, {"rate": 0.01, "eps": 1e-8}),
}


@pytest.mark.parametrize("start", STARTS)
@pytest.mark.parametrize("rule", RULES)
def test_a_hundred_steps_in_float64_follow_the_paper(rule, start):
    tx, expected, options = RULES[rule]
    with jax.enable_x64(True):
        ours = path(tx, STARTS[start])
    np.testing.assert_allclose(
        ours, expected(STARTS[start], gradient, steps=STEPS, **options)[1:], rtol=1e-10, atol=1e-12
    )
