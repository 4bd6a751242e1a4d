"""Schedules match the values of PyTorch's schedulers to float64 precision."""

import json
from pathlib import Path

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import gradtx

CASES = json.loads((Path(__file__).parents[1] / "data" / "torch_schedules.json").read_text())
STEPS = np.arange(121)


def step_lr(rate, step_size, gamma=0.1):
    return gradtx.step_decay(rate, step_size, gamma)


def multi_step_lr(rate, milestones, gamma=0.1):
    return gradtx.piecewise_constant(rate, {m: gamma ** milestones.count(m) for m in milestones})


def constant_lr(rate, factor=1 / 3, total_iters=5):
    return gradtx.piecewise_constant(rate * factor, {total_iters: 1 / factor})


def linear_lr(rate, start_factor=1 / 3, end_factor=1.0, total_iters=5):
    return gradtx.linear(rate * start_factor, rate * end_factor, total_iters)


def exponential_lr(rate, gamma):
    return gradtx.exponential(rate, 1, gamma)


def polynomial_lr(rate, total_iters=5, power=1.0):
    return gradtx.polynomial(rate, 0.0, power, total_iters)


def cosine_annealing_lr(rate, T_max, eta_min=0.0):  # noqa: N803
    """PyTorch's cosine goes down and up forever."""
    down, up = gradtx.cosine(rate, T_max, eta_min), gradtx.cosine(eta_min, T_max, rate)
    count = len(STEPS) // T_max + 1
    return gradtx.join(([down, up] * count)[:count], [T_max * i for i in range(1, count)])


def cosine_annealing_warm_restarts(rate, T_0, T_mult=1, eta_min=0.0):  # noqa: N803
    return gradtx.cosine_restarts(rate, T_0, T_mult, end_value=eta_min)


def cyclic_lr(rate, base_lr, max_lr, cycle_momentum, **options):
    return gradtx.cyclical(base_lr, max_lr, **options)


def one_cycle_lr(
    rate, max_lr, total_steps, cycle_momentum, anneal_strategy="cos", three_phase=False, pct_start=0.3, **factors
):
    return gradtx.one_cycle(
        max_lr,
        total_steps,
        pct_start,
        2 * pct_start if three_phase else None,
        shape={"cos": "cosine", "linear": "linear"}[anneal_strategy],
        at_last_step=True,
        **factors,
    )


def sequential_lr(rate, schedulers, milestones):
    return gradtx.join([SCHEDULERS[name](rate, **options) for name, options in schedulers], milestones)


SCHEDULERS = {
    "StepLR": step_lr,
    "MultiStepLR": multi_step_lr,
    "ConstantLR": constant_lr,
    "LinearLR": linear_lr,
    "ExponentialLR": exponential_lr,
    "PolynomialLR": polynomial_lr,
    "CosineAnnealingLR": cosine_annealing_lr,
    "CosineAnnealingWarmRestarts": cosine_annealing_warm_restarts,
    "CyclicLR": cyclic_lr,
    "OneCycleLR": one_cycle_lr,
    "SequentialLR": sequential_lr,
}
PLATEAUS = [name for name, case in CASES.items() if case["class"] == "ReduceLROnPlateau"]


@pytest.mark.parametrize("name", [name for name in CASES if name not in PLATEAUS])
def test_values_match_those_of_pytorch(name):
    case = CASES[name]
    with jax.enable_x64(True):
        schedule = SCHEDULERS[case["class"]](case["rate"], **case["options"])
        # PyTorch multiplies from step to step, and its decay to zero ends at 1e-17.
        np.testing.assert_allclose(schedule(STEPS), case["values"], rtol=1e-12, atol=1e-15)


def plateau(
    rate, mode="min", factor=0.1, patience=10, threshold=1e-4, threshold_mode="rel", cooldown=0, min_lr=0.0, eps=1e-8
):
    """The schedule, and the sign of the loss, which is -1 to look for the largest value."""
    rtol, atol = (threshold, 0.0) if threshold_mode == "rel" else (0.0, threshold)
    options = {"rtol": rtol, "atol": atol, "cooldown": cooldown, "min_scale": min_lr / rate, "eps": eps}
    schedule = gradtx.plateau(rate, factor, patience, **options)
    return schedule, 1.0 if mode == "min" else -1.0


@pytest.mark.parametrize("name", PLATEAUS)
def test_a_plateau_cuts_where_pytorch_cuts(name):
    case = CASES[name]
    with jax.enable_x64(True):
        schedule, sign = plateau(case["rate"], **case["options"])

        def advance(state, loss):
            value, state = schedule.update(jnp.float64(1.0), state, value=sign * loss)
            return state, value

        losses = jnp.array(case["losses"], jnp.float64)
        _, values = jax.lax.scan(advance, schedule.init(), losses)
        # PyTorch's rate for a step depends on the losses before it; here the loss of the step already counts.
        expected = np.array(case["values"][1:])
        np.testing.assert_allclose(values[: len(expected)], expected, rtol=1e-12)
