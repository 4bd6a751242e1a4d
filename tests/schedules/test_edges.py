"""Edge cases of schedules: zero steps, boundaries at 0 and beyond int32, growth, and arguments out of range."""

import warnings

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import gradtx
from gradtx.core.mathematics import keeps_state
from properties import registry

LAST = 2**31 - 1
NO_WARM_UP = {
    "warmup": lambda: gradtx.warmup(0.5, 0),
    "warmup_constant_schedule": lambda: gradtx.warmup_constant_schedule(0.1, 0.5, 0),
    "warmup_linear": lambda: gradtx.warmup_linear(0.5, 0, 10),
    "warmup_cosine": lambda: gradtx.warmup_cosine(0.5, 0, 10),
    "warmup_cosine_decay_schedule": lambda: gradtx.warmup_cosine_decay_schedule(0.1, 0.5, 0, 10),
    "warmup_exponential": lambda: gradtx.warmup_exponential(0.5, 0, 10, 0.5),
    "warmup_exponential_decay_schedule": lambda: gradtx.warmup_exponential_decay_schedule(0.1, 0.5, 0, 10, 0.5),
    "warmup_inverse_sqrt": lambda: gradtx.warmup_inverse_sqrt(0.5, 0),
    "warmup_stable_decay": lambda: gradtx.warmup_stable_decay(0.5, 0, 5, 5),
    "one_cycle": lambda: gradtx.one_cycle(0.5, 10, 0.0),
    "noam": lambda: gradtx.noam(4, 0),
}
NO_DECAY = {
    "linear": lambda: gradtx.linear(0.5, 0.1, 0),
    "linear_schedule": lambda: gradtx.linear_schedule(0.5, 0.1, 0),
    "polynomial": lambda: gradtx.polynomial(0.5, 0.1, 2.0, 0),
    "polynomial_schedule": lambda: gradtx.polynomial_schedule(0.5, 0.1, 2.0, 0),
    "cosine": lambda: gradtx.cosine(0.5, 0, 0.1),
    "cosine_decay_schedule": lambda: gradtx.cosine_decay_schedule(0.5, 0, 0.2),
    "warmup_linear": lambda: gradtx.warmup_linear(0.5, 0, 0, end_value=0.1),
    "warmup_cosine": lambda: gradtx.warmup_cosine(0.5, 0, 0, end_value=0.1),
    "warmup_stable_decay": lambda: gradtx.warmup_stable_decay(0.5, 0, 0, 0, end_value=0.1),
}


@pytest.mark.parametrize("name", NO_WARM_UP)
def test_without_a_warm_up_the_peak_is_at_step_zero(name):
    assert float(NO_WARM_UP[name]()(0)) == 0.5


@pytest.mark.parametrize("name", NO_DECAY)
def test_a_decay_of_zero_steps_is_its_end_value(name):
    np.testing.assert_array_equal(NO_DECAY[name]()(jnp.arange(3)), np.full(3, np.float32(0.1)))


def test_a_transition_of_zero_steps_happens_where_it_begins():
    assert [float(gradtx.linear(1.0, 0.5, 0, 2)(step)) for step in range(4)] == [1.0, 1.0, 0.5, 0.5]


def test_a_warm_up_as_long_as_the_run_rises_to_the_end():
    for rate in (gradtx.warmup_cosine(1.0, 10, 10), gradtx.warmup_linear(1.0, 10, 10)):
        np.testing.assert_allclose(rate(jnp.arange(12)), [*np.arange(10) / 10, 0.0, 0.0], rtol=1e-6)


@pytest.mark.parametrize(
    "make", [gradtx.piecewise_constant, gradtx.piecewise_interpolate], ids=["constant", "interpolate"]
)
def test_a_boundary_at_zero_applies_immediately(make):
    assert float(make(1.0, {0: 0.5})(0)) == 0.5
    assert float(make(1.0, {0: 0.5, 4: 0.5})(0)) == 0.5


def test_a_piecewise_schedule_without_boundaries_is_constant():
    for make in (gradtx.piecewise_constant, gradtx.piecewise_interpolate):
        assert [float(make(0.5)(step)) for step in (0, 1, LAST)] == [0.5, 0.5, 0.5]


def test_join_at_zero_skips_the_first_schedule():
    assert float(gradtx.join([1.0, 0.5], [0])(0)) == 0.5


@pytest.mark.parametrize("make", [gradtx.cosine, lambda x, n: gradtx.linear(x, 0.0, n)], ids=["cosine", "linear"])
def test_a_decay_to_zero_ends_at_exactly_zero_and_is_precise_before(make):
    for n in (1000, 2**24 + 1, LAST):
        assert float(make(1.0, n)(n)) == 0.0
        assert float(make(1.0, n)(n - 1)) > 0.0
    np.testing.assert_allclose(gradtx.cosine(1.0, LAST)(LAST - 1), (np.pi / 2 / LAST) ** 2, rtol=1e-6)


@pytest.mark.parametrize("step", [2**24 + 1, LAST])
def test_the_last_step_before_a_boundary_differs_from_the_boundary(step):
    for rate in (
        gradtx.piecewise_constant(1.0, {step: 0.5}),
        gradtx.step_decay(1.0, step, 0.5),
        gradtx.join([1.0, 0.5], [step]),
    ):
        assert [float(rate(step - 1)), float(rate(step))] == [1.0, 0.5]


def test_boundaries_beyond_int32_are_never_reached():
    far = 10**10
    for rate in (
        gradtx.piecewise_constant(0.5, {far: 0.1}),
        gradtx.step_decay(0.5, far),
        gradtx.linear(0.5, 0.1, 10, far),
        gradtx.exponential(0.5, 10, 0.1, far),
        gradtx.join([0.5, 0.1], [far]),
        gradtx.rsqrt(0.5, 10, far),
        gradtx.warmup_stable_decay(0.5, 0, far, far),
    ):
        assert [float(rate(0)), float(rate(LAST))] == [0.5, 0.5]


def test_growth_stays_finite_and_so_does_its_derivative():
    for growth in (gradtx.exponential(0.1, 1, 1.5), gradtx.cosine_restarts(0.1, 1, scale=2.0)):
        assert np.isfinite(growth(LAST))
        derivatives = jax.grad(lambda tx: tx(LAST))(growth)
        assert all(np.isfinite(x) for x in jax.tree.leaves(derivatives))


def test_growth_with_an_end_has_finite_derivatives_beyond_it():
    derivatives = jax.grad(lambda tx: tx(LAST))(gradtx.exponential(0.1, 1, 1.5, end_value=2.0))
    assert [float(x) for x in jax.tree.leaves(derivatives)] == [0.0, 0.0, 1.0]


def test_a_rate_that_float32_would_round_to_one_still_decays():
    rate = gradtx.exponential(1.0, 1, 1 - 1e-9, end_value=0.2)
    np.testing.assert_allclose(rate(10**9), np.exp(-1), rtol=1e-6)
    np.testing.assert_allclose(rate(LAST), 0.2, rtol=1e-6)


def test_a_decay_rate_of_zero_cuts_to_zero():
    assert [float(gradtx.step_decay(0.5, 2, 0.0)(step)) for step in (0, 1, 2, LAST)] == [0.5, 0.5, 0.0, 0.0]


def test_no_schedule_warns_of_overflow():
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        for rate in (
            gradtx.exponential(0.1, 1, 1e30),
            gradtx.exponential(0.1, 1, 1e-30),
            gradtx.cosine(1.0, 10**10),
            gradtx.noam(512, 10**10),
            gradtx.cosine_restarts(1.0, 10**10, 2),
            gradtx.cyclical(0.1, 1.0, 10**10, mode="triangular2"),
            gradtx.one_cycle(0.1, 10**10),
        ):
            assert np.all(np.isfinite(rate(np.array([0, 1, LAST]))))


def test_a_schedule_can_be_an_argument_of_another():
    rate = gradtx.cosine(gradtx.warmup(1.0, 4), 8)
    np.testing.assert_allclose(rate(2), 0.5 * 0.5 * (1 + np.cos(np.pi / 4)), rtol=1e-6)
    alpha = gradtx.cosine_decay_schedule(2.0, 4, gradtx.warmup(0.5, 8))
    np.testing.assert_allclose(alpha(4), 0.5, rtol=1e-6)


def test_an_end_value_of_zero_can_be_an_int():
    assert float(gradtx.exponential(1, 1, 0.1, end_value=0)(LAST)) == 0.0
    assert float(gradtx.one_cycle(1, 10, 0, 0)(0)) == np.float32(1 / 25)


def test_rounded_boundaries_do_not_move_with_pct_start_and_exact_ones_do():
    def value(pct, at_last_step):
        return gradtx.one_cycle(1.0, 100, pct, at_last_step=at_last_step)(10)

    assert float(jax.grad(value)(0.3, False)) == 0.0
    assert float(jax.grad(value)(0.3, True)) < 0.0


def test_pct_start_can_be_traced():
    rates = jax.vmap(lambda pct: gradtx.one_cycle(1.0, 100, pct)(np.arange(101)))(jnp.array([0.25, 0.5]))
    for values, pct in zip(rates, (0.25, 0.5), strict=True):
        np.testing.assert_allclose(values, gradtx.one_cycle(1.0, 100, pct)(np.arange(101)), rtol=1e-5, atol=1e-8)


OUT_OF_RANGE = {
    "a negative length": lambda: gradtx.linear(1.0, 0.0, -1),
    "a length that is no int": lambda: gradtx.cosine(1.0, 10.5),
    "a negative beginning": lambda: gradtx.polynomial(1.0, 0.0, 2.0, 10, -1),
    "a negative power": lambda: gradtx.polynomial(1.0, 0.0, -1.0, 10),
    "a negative exponent": lambda: gradtx.cosine(1.0, 10, exponent=-1.0),
    "a rate of zero": lambda: gradtx.exponential(1.0, 10, 0.0),
    "an infinite value": lambda: gradtx.linear(float("inf"), 0.0, 10),
    "an end that is NaN": lambda: gradtx.exponential(1.0, 10, 0.5, end_value=float("nan")),
    "a fall that ends before the rise": lambda: gradtx.warmup_linear(1.0, 20, 10),
    "a shape that is none": lambda: gradtx.warmup_stable_decay(1.0, 1, 1, 1, shape="round"),
    "a mode that is none": lambda: gradtx.cyclical(0.0, 1.0, 10, mode="square"),
    "a rise of no steps in a cycle": lambda: gradtx.cyclical(0.0, 1.0, 0),
    "a rise as long as the cycle": lambda: gradtx.one_cycle(1.0, 10, 1.0),
    "a second mark before the first": lambda: gradtx.one_cycle(1.0, 10, 0.5, 0.3),
    "a division by zero": lambda: gradtx.one_cycle(1.0, 10, div_factor=0.0),
    "a multiplier that is no int": lambda: gradtx.cosine_restarts(1.0, 10, 1.5),
    "a model of no size": lambda: gradtx.noam(0),
    "a boundary below zero": lambda: gradtx.piecewise_interpolate(1.0, {-1: 0.5}),
    "a timescale of zero": lambda: gradtx.rsqrt(1.0, 0),
}


@pytest.mark.parametrize("case", OUT_OF_RANGE)
def test_an_argument_out_of_range_raises_when_the_schedule_is_built(case):
    with pytest.raises((ValueError, TypeError), match="expected"):
        OUT_OF_RANGE[case]()


STATELESS = [name for name in registry.SCHEDULES if not keeps_state(registry.make(name).mathematics)]


@pytest.mark.parametrize("name", STATELESS)
def test_a_schedule_holds_its_first_value_before_step_zero(name):
    schedule = registry.make(name)
    np.testing.assert_array_equal(schedule(jnp.array([-(2**31), -5, -1])), np.full(3, schedule(0)))
    assert schedule(-3) == schedule(0)


@pytest.mark.parametrize("name", STATELESS)
def test_derivatives_before_step_zero_are_those_at_step_zero(name):
    derivative = jax.grad(lambda schedule, step: schedule(step), allow_int=True)
    before, at = (jax.tree.leaves(derivative(registry.make(name), step)) for step in (-3, 0))
    assert registry.is_finite(before) and registry.bits(before) == registry.bits(at)


@pytest.mark.parametrize("name", STATELESS)
def test_beyond_the_largest_step_a_schedule_holds_its_last_value(name):
    schedule = registry.make(name)
    assert schedule(2**40) == schedule(LAST)


@pytest.mark.parametrize("fraction", [0.01, 0.07, 0.14, 0.28, 0.29, 0.55, 0.57, 0.58])
def test_the_peak_of_one_cycle_is_not_moved_by_rounding(fraction):
    schedule, steps = gradtx.one_cycle(1.0, 100, fraction), jnp.arange(101)
    for values in (schedule(steps), jax.jit(lambda schedule: schedule(steps))(schedule)):
        assert jnp.argmax(values) == round(100 * fraction)
