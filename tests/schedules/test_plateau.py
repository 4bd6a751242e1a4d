"""A plateau follows the loss."""

import jax
import jax.numpy as jnp
import pytest

import gradtx


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


def test_a_plateau_never_falls_below_its_minimum_scale():
    values, _ = run(gradtx.plateau(2.0, 0.1, patience=0, min_scale=0.05), [1.0] * 5)
    assert values == [2.0, 0.2, 0.1, 0.1, 0.1]


def test_a_cut_is_not_lost_where_the_value_happens_to_be_zero():
    vanishing = gradtx.stepwise(lambda step: jnp.where(step == 2, 0.0, 1.0))
    values, _ = run(gradtx.plateau(vanishing, 0.5, patience=1), [1, 1, 1, 1])
    assert values == [1, 1, 0, 0.5]
