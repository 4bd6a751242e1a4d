"""Schedules that are made from other schedules."""

import pickle

import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest

import gradtx

STEPS = np.arange(131)


def test_each_joined_schedule_starts_at_its_own_step_zero():
    rate = gradtx.join([gradtx.constant(9.0), gradtx.warmup(1.0, 4), gradtx.warmup(2.0, 4)], [2, 4])
    assert [float(rate(step)) for step in (0, 1, 2, 3, 4, 6, 8)] == [9.0, 9.0, 0.0, 0.25, 0.0, 1.0, 2.0]


def test_numbers_and_functions_of_the_step_can_be_joined():
    rate = gradtx.join([1.0, optax.linear_schedule(1.0, 0.0, 4), 2], [2, 6])
    np.testing.assert_allclose(rate(jnp.arange(8)), [1, 1, 1, 0.75, 0.5, 0.25, 2, 2], rtol=1e-6)


def test_join_passes_no_step_beyond_its_end_to_a_schedule():
    seen = []

    def watch(step):
        seen.append(int(step))
        return 1.0

    rate = gradtx.join([watch, watch], [10])
    rate(100)
    assert seen == [10, 90]


def test_joined_schedules_can_be_joined():
    inner = gradtx.join([1.0, gradtx.warmup(2.0, 4)], [5])
    rate = gradtx.join([inner, inner], [20])
    np.testing.assert_array_equal(rate(STEPS[20:]), inner(STEPS[:-20]))


def test_join_refuses_boundaries_that_do_not_fit():
    with pytest.raises(ValueError, match="2 schedules were given with 2 boundaries; expected one boundary between"):
        gradtx.join([1.0, 2.0], [1, 2])
    with pytest.raises(ValueError, match="a boundary = 3 is out of range: expected at least 5"):
        gradtx.join([1.0, 2.0, 3.0], [5, 3])


def test_join_refuses_a_stateful_schedule_and_says_what_to_do():
    with pytest.raises(TypeError, match=r"plateau keeps a state.*gradtx.product"):
        gradtx.join([gradtx.warmup(1.0, 4), gradtx.plateau(1.0)], [4])


def test_a_joined_schedule_is_a_value():
    rate = gradtx.join([gradtx.warmup(1.0, 4), gradtx.cosine(1.0, 8)], [4])
    assert rate == gradtx.join((gradtx.warmup(1.0, 4), gradtx.cosine(1.0, 8)), (4,))
    assert pickle.loads(pickle.dumps(rate)) == rate
    assert jax.tree.leaves(rate) == [1.0, 0.0, 1.0, 0.0, 1.0]


def test_a_product_is_the_chain_of_its_factors():
    a, b = gradtx.warmup(2.0, 4), gradtx.cosine(0.5, 100)
    assert gradtx.product(a, b) == gradtx.chain(a, b)
    np.testing.assert_allclose(gradtx.product(a, b)(STEPS), a(STEPS) * b(STEPS), rtol=1e-6)


def test_a_product_takes_numbers_and_functions_of_the_step():
    rate = gradtx.product(2.0, lambda step: 0.5**step)
    assert [float(rate(step)) for step in range(3)] == [2.0, 1.0, 0.5]


def test_a_total_takes_numbers_functions_and_names():
    rate = gradtx.total(2.0, lambda step: 0.5**step, third=gradtx.warmup(1.0, 4))
    assert [float(rate(step)) for step in (0, 1, 2)] == [3.0, 2.75, 2.75]
    assert list(rate.arguments) == ["term_1", "term_2", "third"]


def test_product_and_total_need_at_least_one_argument():
    for combine in (gradtx.product, gradtx.total):
        with pytest.raises(TypeError, match="give at least one"):
            combine()


@pytest.mark.parametrize(
    ("combine", "expected"), [(gradtx.product, [1.0, 0.5, 0.25]), (gradtx.total, [3.0, 2.5, 2.25])]
)
def test_a_plateau_keeps_its_state_in_a_product_or_a_total(combine, expected):
    rate = combine(2.0, gradtx.plateau(1.0, 0.5, patience=0))
    if combine is gradtx.product:
        rate = gradtx.product(0.5, rate)
    update, state, values = jax.jit(rate.update), rate.init(), []
    for _ in range(3):
        value, state = update(jnp.float32(1.0), state, value=3.0)
        values.append(float(value))
    assert values == expected


def test_a_combined_schedule_works_as_a_learning_rate():
    tx = gradtx.sgd(gradtx.join([gradtx.product(0.5, gradtx.warmup(1.0, 4)), 0.25], [4]))
    state = tx.init(jnp.zeros(()))
    for expected in (0.0, -0.125, -0.25, -0.375, -0.25):
        updates, state = tx.update(jnp.float32(1.0), state)
        assert float(updates) == expected
