"""Every schedule follows its rule at any step, at any time scale, in both precisions, and has derivatives."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import gradtx
from schedules.rules import ENDLESS, RULES

LAST = 2**31 - 1
SMALL = np.arange(131)


def steps_at(unit):
    """Steps around every fifth multiple of `unit`, and the two largest steps."""
    marks = [m * unit + d for m in range(0, 131, 5) for d in (-2, -1, 0, 1, 2, unit // 3)] + [LAST - 1, LAST]
    return np.array(sorted({m for m in marks if 0 <= m <= LAST}), np.int32)


def assert_follows(schedule, rule, steps, rtol):
    np.testing.assert_allclose(
        np.asarray(schedule(steps), np.float64), [rule(int(s)) for s in steps], rtol=rtol, atol=1e-300
    )


@pytest.mark.parametrize("name", RULES)
def test_a_schedule_follows_its_rule_to_float32_precision(name):
    assert_follows(*RULES[name](1), SMALL, 1e-6)


@pytest.mark.parametrize("name", RULES)
def test_a_schedule_follows_its_rule_to_float64_precision(name):
    with jax.enable_x64(True):
        assert_follows(*RULES[name](1), SMALL, 1e-12)


@pytest.mark.parametrize("unit", [2 * 10**7, 10**8], ids=["that ends below 2^31", "of 1e10 steps"])
@pytest.mark.parametrize("name", RULES)
def test_a_schedule_follows_its_rule_at_huge_steps(name, unit):
    assert_follows(*RULES[name](unit), steps_at(unit), 1e-6)


@pytest.mark.parametrize("dtype", [np.int32, np.int64])
@pytest.mark.parametrize("name", RULES)
def test_a_schedule_follows_its_rule_at_huge_steps_in_float64(name, dtype):
    with jax.enable_x64(True):
        assert_follows(*RULES[name](10**8), steps_at(10**8).astype(dtype), 1e-12)


@pytest.mark.parametrize("name", RULES)
def test_a_schedule_takes_an_int_or_a_traced_step(name):
    schedule, _ = RULES[name](1)
    values = schedule(SMALL)
    np.testing.assert_allclose([schedule(47), jax.jit(schedule)(47)], [values[47]] * 2, rtol=1e-6)
    assert jax.typeof(schedule(47)).shape == ()
    assert values.dtype == jnp.float32
    assert not values.weak_type


@pytest.mark.parametrize("name", RULES)
def test_init_and_update_give_the_same_values_as_calls(name):
    schedule, _ = RULES[name](1)
    _, values = jax.lax.scan(lambda s, _: schedule.update(jnp.float32(1.0), s)[::-1], schedule.init(), length=131)
    np.testing.assert_allclose(values, schedule(SMALL), rtol=1e-6)


@pytest.mark.parametrize("name", [name for name in RULES if name not in ENDLESS])
def test_a_schedule_holds_its_end_value_at_the_largest_step(name):
    schedule, _ = RULES[name](1)
    np.testing.assert_array_equal(schedule(LAST), schedule(LAST - 1))


def numbers_of(schedule):
    """The numbers of a schedule as an array, and a function that replaces them."""
    leaves, treedef = jax.tree.flatten(schedule)
    return jnp.array(leaves, jnp.float32), lambda numbers: treedef.unflatten(list(numbers))


@pytest.mark.parametrize("name", RULES)
def test_traced_numbers_give_the_same_values_as_static_ones(name):
    schedule, _ = RULES[name](1)
    numbers, rebuild = numbers_of(schedule)
    np.testing.assert_allclose(jax.jit(lambda x: rebuild(x)(SMALL))(numbers), schedule(SMALL), rtol=1e-5, atol=1e-9)


@pytest.mark.slow
@pytest.mark.parametrize("name", RULES)
def test_vmap_over_the_numbers_gives_the_same_values_as_each_alone(name):
    numbers, rebuild = numbers_of(RULES[name](1)[0])
    several = jnp.stack([numbers, numbers * 0.5, numbers * 0.9])
    together = jax.jit(jax.vmap(lambda x: rebuild(x)(SMALL)))(several)
    for values, alone in zip(together, several, strict=True):
        np.testing.assert_allclose(values, rebuild(alone)(SMALL), rtol=2e-6, atol=1e-9)


@pytest.mark.slow
@pytest.mark.parametrize("name", RULES)
def test_derivatives_with_respect_to_every_number_are_finite_at_every_step(name):
    numbers, rebuild = numbers_of(RULES[name](1)[0])
    steps = np.append(SMALL, LAST)
    forward = jax.jit(jax.jacfwd(lambda x: rebuild(x)(steps)))(numbers)
    backward = jax.jit(jax.jacrev(lambda x: rebuild(x)(steps)))(numbers)
    assert np.all(np.isfinite(forward))
    np.testing.assert_allclose(forward, backward, rtol=1e-4, atol=1e-4)


# Rounded boundaries do not move with a small change of `pct_start`, so that derivative is 0.
@pytest.mark.slow
@pytest.mark.parametrize("name", [name for name in RULES if name not in ("one_cycle", "one_cycle in three")])
def test_derivatives_match_finite_differences(name):
    with jax.enable_x64(True):
        leaves, treedef = jax.tree.flatten(RULES[name](1)[0])
        numbers = jnp.array(leaves, jnp.float64)
        steps = np.array([1, 23, 44, 61, 85])

        @jax.jit
        def values(x):
            return treedef.unflatten(list(x))(steps)

        exact = jax.jit(jax.jacfwd(values))(numbers)
        for i in range(len(leaves)):
            small = jnp.zeros_like(numbers).at[i].set(1e-6)
            slope = (values(numbers + small) - values(numbers - small)) / 2e-6
            np.testing.assert_allclose(exact[:, i], slope, rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("name", RULES)
def test_a_schedule_equals_its_evaluated_repr(name):
    schedule, _ = RULES[name](1)
    assert eval(repr(schedule), {**vars(gradtx)}) == schedule
