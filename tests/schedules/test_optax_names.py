"""Schedules with Optax's names take the same arguments as in Optax, and give the same values at every step."""

import inspect

import jax
import numpy as np
import optax
import pytest

import gradtx

STEPS = np.arange(131)
CYCLE = {"init_value": 0.01, "peak_value": 0.3, "warmup_steps": 5, "decay_steps": 40, "end_value": 0.02}
CALLS = {
    "constant_schedule": [((0.3,), {})],
    "linear_schedule": [((0.3, 0.1, 50), {}), ((0.0, 0.3, 100, 20), {})],
    "polynomial_schedule": [
        ((0.3, 0.1, 2.0, 100), {}),
        ((0.0, 0.3, 0.5, 70, 30), {}),
        ((0.3, 0.0, 0.0, 50), {}),
        ((), {"init_value": 0.3, "end_value": 0.0, "power": 3, "transition_steps": 90, "transition_begin": 5}),
    ],
    "exponential_decay": [
        ((0.3, 20, 0.5), {}),
        ((0.3, 20, 0.5, 10, True), {}),
        ((0.3, 20, 0.5, 10, True, 0.05), {}),
        ((0.3, 7, 0.9), {"end_value": 0.2}),
        ((0.01, 7, 1.3, 5), {"end_value": 0.2}),
        ((0.01, 7, 1.3), {"staircase": True}),
        ((0.3, 7, 1.0), {}),
        ((0.3, 1, 0.97), {}),
    ],
    "cosine_decay_schedule": [((0.3, 100), {}), ((0.3, 100, 0.1), {}), ((0.3, 100), {"alpha": 0.2, "exponent": 2.0})],
    "cosine_onecycle_schedule": [
        ((100, 0.3), {}),
        ((77, 0.3, 0.45, 10.0, 100.0), {}),
        ((100, 0.3, 0.29), {}),
        ((3, 0.3, 0.1), {}),
    ],
    "linear_onecycle_schedule": [
        ((100, 0.3), {}),
        ((77, 0.3, 0.45, 0.6, 10.0, 100.0), {}),
        ((100, 0.3), {"pct_final": 0.57}),
    ],
    "piecewise_constant_schedule": [
        ((0.3,), {}),
        ((0.3, {10: 0.5, 50: 0.1}), {}),
        ((0.3, {50: 0.1, 10: 2.0, 0: 0.5}), {}),
    ],
    "piecewise_interpolate_schedule": [
        ((kind, 0.3, boundaries), {})
        for kind in ("linear", "cosine")
        for boundaries in (None, {10: 0.5, 50: 0.1}, {50: 0.1, 10: 2.0, 0: 0.5}, {100: 0.0})
    ],
    "join_schedules": [
        (([optax.linear_schedule(0.0, 0.3, 20), optax.cosine_decay_schedule(0.3, 60)], [20]), {}),
        (([optax.constant_schedule(0.3), optax.linear_schedule(0.0, 0.3, 20), lambda s: 0.1 * s], [7, 50]), {}),
    ],
    "sgdr_schedule": [
        (([CYCLE, {**CYCLE, "peak_value": 0.2, "decay_steps": 60, "exponent": 2.0}],), {}),
        (([CYCLE],), {}),
    ],
    "warmup_constant_schedule": [((0.0, 0.3, 50), {}), ((0.3, 0.1, 7), {})],
    "warmup_cosine_decay_schedule": [
        ((0.0, 0.3, 30, 100), {}),
        ((0.01, 0.3, 30, 100, 0.05), {}),
        ((0.01, 0.3, 0, 100, 0.05, 2.0), {}),
    ],
    "warmup_exponential_decay_schedule": [
        ((0.0, 0.3, 30, 20, 0.5), {}),
        ((0.01, 0.3, 30, 20, 0.5, 10, True, 0.05), {}),
        ((0.3, 0.01, 10, 20, 1.5), {"transition_begin": 5, "end_value": 0.2}),
    ],
}
EACH = [(name, i) for name, calls in CALLS.items() for i in range(len(calls))]


def test_every_schedule_of_optax_is_covered():
    schedules = {
        name
        for name in vars(optax.schedules)
        if name.endswith(("_schedule", "_decay", "_schedules")) and name[0] != "_"
    }
    assert schedules == set(CALLS)


@pytest.mark.parametrize("name", CALLS)
def test_the_arguments_match_those_of_optax(name):
    ours, theirs = (inspect.signature(getattr(lib, name)).parameters for lib in (gradtx, optax))
    assert [(p.name, p.default, p.kind) for p in ours.values()] == [
        (p.name, p.default, p.kind) for p in theirs.values()
    ]


def values_of(schedule):
    """The values at every step. Some of Optax's functions return a Python number, which is broadcast."""
    return np.broadcast_to(jax.vmap(schedule)(STEPS), STEPS.shape)


@pytest.mark.parametrize(("name", "call"), EACH)
def test_values_match_those_of_optax_at_every_step(name, call):
    args, kwargs = CALLS[name][call]
    with jax.enable_x64(True):
        ours, theirs = (values_of(getattr(lib, name)(*args, **kwargs)) for lib in (gradtx, optax))
        np.testing.assert_allclose(ours, theirs, rtol=1e-12, atol=1e-15)


@pytest.mark.slow
@pytest.mark.parametrize("name", CALLS)
def test_values_match_those_of_optax_in_float32(name):
    args, kwargs = CALLS[name][0]
    ours, theirs = (values_of(getattr(lib, name)(*args, **kwargs)) for lib in (gradtx, optax))
    np.testing.assert_allclose(ours, theirs, rtol=2e-6, atol=5e-8)


@pytest.mark.parametrize("name", CALLS)
def test_a_schedule_with_the_name_of_optax_equals_its_evaluated_repr(name):
    args, kwargs = CALLS[name][0]
    if name == "join_schedules":
        args = ([gradtx.linear(0.0, 0.3, 20), 0.3], [20])
    schedule = getattr(gradtx, name)(*args, **kwargs)
    assert eval(repr(schedule), {**vars(gradtx)}) == schedule


@pytest.mark.parametrize(
    ("by_optax", "by_gradtx"),
    [
        (lambda: gradtx.constant_schedule(0.3), lambda: gradtx.constant(0.3)),
        (lambda: gradtx.exponential_decay(0.3, 9, 0.5, 3, True), lambda: gradtx.step_decay(0.3, 9, 0.5)),
        (lambda: gradtx.cosine_decay_schedule(0.3, 90, 0.5), lambda: gradtx.cosine(0.3, 90, 0.15)),
        (lambda: gradtx.cosine_onecycle_schedule(90, 0.3), lambda: gradtx.one_cycle(0.3, 90)),
    ],
)
def test_both_names_of_a_concept_give_the_same_bits(by_optax, by_gradtx):
    shift = 3 if "exponential" in repr(by_optax()) else 0
    np.testing.assert_array_equal(by_optax()(STEPS + shift), by_gradtx()(STEPS))
