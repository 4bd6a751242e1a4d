"""Schedules: formulas, ends, and the loss that a plateau follows."""

import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest

import gradtx

STEPS = np.arange(0, 130)
SAME_AS_OPTAX = {
    "constant": (gradtx.constant(0.3), optax.constant_schedule(0.3)),
    "step_decay": (gradtx.step_decay(0.3, 20, 0.5), optax.exponential_decay(0.3, 20, 0.5, staircase=True)),
    "cosine": (gradtx.cosine(0.3, 100, 0.03), optax.cosine_decay_schedule(0.3, 100, 0.1)),
    "warmup": (gradtx.warmup(0.3, 50, 0.1), optax.linear_schedule(0.1, 0.3, 50)),
    "warmup_cosine": (
        gradtx.warmup_cosine(0.3, 30, 100, init_value=0.1, end_value=0.05),
        optax.warmup_cosine_decay_schedule(0.1, 0.3, 30, 100, 0.05),
    ),
}


@pytest.mark.parametrize("name", SAME_AS_OPTAX)
def test_values_are_those_of_optax_at_every_step(name):
    ours, theirs = SAME_AS_OPTAX[name]
    np.testing.assert_allclose(ours(STEPS), jax.vmap(theirs)(STEPS), rtol=2e-6, atol=1e-8)


@pytest.mark.parametrize("name", SAME_AS_OPTAX)
def test_a_schedule_is_a_function_of_an_int_and_of_a_traced_step(name):
    schedule, _ = SAME_AS_OPTAX[name]
    values = schedule(STEPS)
    np.testing.assert_allclose([schedule(7), jax.jit(schedule)(7)], values[7], rtol=1e-6)
    assert jax.typeof(schedule(7)).shape == ()
    assert values.dtype == jnp.float32


@pytest.mark.parametrize("name", SAME_AS_OPTAX)
def test_a_schedule_holds_its_end_at_the_largest_step(name):
    schedule, _ = SAME_AS_OPTAX[name]
    end = {"constant": 0.3, "step_decay": 0.0, "cosine": 0.03, "warmup": 0.3, "warmup_cosine": 0.05}[name]
    np.testing.assert_allclose(schedule(2**31 - 1), end, rtol=1e-6, atol=1e-30)


@pytest.mark.parametrize("name", SAME_AS_OPTAX)
def test_init_and_update_give_the_values_of_the_function(name):
    schedule, _ = SAME_AS_OPTAX[name]
    _, values = jax.lax.scan(lambda s, _: schedule.update(jnp.float32(1.0), s)[::-1], schedule.init(), length=130)
    np.testing.assert_allclose(values, schedule(STEPS), rtol=1e-6)


def test_no_warm_up_is_the_peak_at_step_zero():
    assert float(gradtx.warmup(0.5, 0)(0)) == 0.5
    assert float(gradtx.warmup_cosine(0.5, 0, 10)(0)) == 0.5


def test_an_empty_decay_is_its_end_value():
    assert float(gradtx.cosine(0.5, 0, 0.1)(0)) == np.float32(0.1)


def test_a_warm_up_as_long_as_the_run_rises_to_the_end():
    rate = gradtx.warmup_cosine(1.0, 10, 10)
    np.testing.assert_allclose(rate(jnp.arange(12)), [*np.arange(10) / 10, 0.0, 0.0], rtol=1e-6)


def test_a_cosine_ends_at_exactly_its_end():
    assert float(gradtx.cosine(1.0, 1000)(1000)) == 0.0
    np.testing.assert_allclose(gradtx.cosine(1.0, 1000)(999), 0.5 * (1 + np.cos(np.pi * 0.999)), rtol=1e-5)


def run(schedule, losses):
    update = jax.jit(schedule.update)
    state, values = schedule.init(), []
    for loss in losses:
        value, state = update(jnp.float32(1.0), state, value=loss)
        values.append(round(float(value), 6))
    return values, state


LOSSES = [5, 4, 4, 4, 3.9999, 3, 3, 3, 3, 3, 3, 3, 3]


def test_a_plateau_cuts_where_pytorch_cuts():
    # torch.optim.lr_scheduler.ReduceLROnPlateau(optimizer of rate 1.0, factor=0.5, patience=2, cooldown=1)
    values, _ = run(gradtx.plateau(1.0, 0.5, patience=2, cooldown=1), LOSSES)
    assert values == [1, 1, 1, 1, 0.5, 0.5, 0.5, 0.5, 0.25, 0.25, 0.25, 0.25, 0.125]


@pytest.mark.parametrize("sign", [1.0, -1.0])
def test_a_constant_loss_of_either_sign_is_a_plateau(sign):
    values, _ = run(gradtx.plateau(1.0, 0.5, patience=1), [sign] * 5)
    assert values == [1, 1, 0.5, 0.5, 0.25]


def test_a_nan_loss_does_not_count():
    with_nan, _ = run(gradtx.plateau(1.0, 0.5, patience=1), [3.0, float("nan"), 3.0, 3.0])
    without, _ = run(gradtx.plateau(1.0, 0.5, patience=1), [3.0, 3.0, 3.0])
    assert with_nan == [without[0], without[0], *without[1:]]


def test_a_plateau_averages_losses_in_groups():
    values, state = run(gradtx.plateau(1.0, 0.5, patience=0, accumulation_size=2), [1.0, 3.0, 3.0, 1.0, 1.0])
    assert values == [1, 1, 1, 0.5, 0.5]
    assert float(state["plateau"]["value"].best) == 2.0


def test_a_plateau_falls_no_further_than_its_least_scale():
    values, _ = run(gradtx.plateau(2.0, 0.1, patience=0, min_scale=0.05), [1.0] * 5)
    assert values == [2.0, 0.2, 0.1, 0.1, 0.1]
