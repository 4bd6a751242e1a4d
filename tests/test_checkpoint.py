"""Restoring a state by name loses nothing without a word."""

import jax.numpy as jnp
import ml_dtypes
import numpy as np
import pytest

import gradtx

P = {"w": jnp.zeros(2)}
TX = gradtx.chain(gradtx.adam(0.1))
COUNTERS = ["step", "adam/bias_correction/age"]
FIRST = "adam/track_moments/first/w"


def restored(name, x):
    """What stands in the state in the place of `name` once `x` is restored there."""
    return gradtx.flat_state(gradtx.restore_state(TX.init(P), {name: x}).state)[name]


@pytest.mark.parametrize("name", COUNTERS)
@pytest.mark.parametrize(
    "x",
    [np.int64(2**32 + 5), 2**40, np.uint32(2**31), 3.7, np.float32(3.7), 1e300, np.nan, np.inf, 1.0 + 1.0j],
)
def test_a_counter_that_int32_cannot_hold_is_refused(name, x):
    with pytest.raises(ValueError, match=f"restore_state: '{name}' is .*, which int32, the dtype in the state, cannot"):
        restored(name, x)


@pytest.mark.parametrize("name", COUNTERS)
@pytest.mark.parametrize("x", [-1, np.int64(-5), jnp.int32(-1), -2.0])
def test_a_negative_counter_is_refused(name, x):
    with pytest.raises(ValueError, match=f"'{name}' is -.*, but it counts steps"):
        restored(name, x)


@pytest.mark.parametrize("name", COUNTERS)
@pytest.mark.parametrize("x", [7, 7.0, np.int8(7), np.uint64(7), np.float64(7), jnp.float32(7), 7 + 0j])
def test_a_counter_of_another_type_is_the_same_number(name, x):
    assert restored(name, x) == 7 and restored(name, x).dtype == jnp.int32


@pytest.mark.parametrize("x", [np.array([1e300, 1]), np.array([1, -1e39]), np.array([1j, 0]), np.array([2**24 + 1, 0])])
def test_numbers_that_float32_cannot_hold_are_refused(x):
    with pytest.raises(ValueError, match=f"'{FIRST}' is an array of .*, which float32, the dtype in the state, cannot"):
        restored(FIRST, x)


@pytest.mark.parametrize(
    "x",
    [
        *(np.array([0.1, 2.0]), [1.0, 2.0], np.array([3, 4]), np.array([1 + 0j, 2]), jnp.array([1, 2], jnp.float16)),
        *(np.array([np.nan, np.inf]), np.array([1, 2], ml_dtypes.bfloat16)),
    ],
)
def test_numbers_that_float32_holds_but_for_rounding_are_taken(x):
    np.testing.assert_allclose(restored(FIRST, x), np.asarray(x).real.astype(np.float32), rtol=1e-7)


def test_a_stage_does_not_get_the_state_of_a_removed_one_of_the_same_name():
    both = gradtx.chain(gradtx.trace(0.9), gradtx.trace(0.5))
    one = gradtx.chain(gradtx.trace(0.5))
    saved = gradtx.flat_state(both.init(P))
    with pytest.raises(ValueError, match="'trace_2/velocity/w' has no place in the state, but 'trace/velocity/w' has"):
        gradtx.restore_state(one.init(P), saved)
    renamed = {"step": saved["step"], "trace/velocity/w": saved["trace_2/velocity/w"]}
    assert gradtx.restore_state(one.init(P), renamed)[1:] == ((), ())


def test_parameters_with_numbered_names_may_be_removed():
    state = gradtx.chain(gradtx.trace(0.9)).init({"dense": jnp.ones(2), "dense_2": jnp.ones(2)})
    fewer = gradtx.chain(gradtx.trace(0.9)).init({"dense": jnp.ones(2)})
    restored = gradtx.restore_state(fewer, gradtx.flat_state(state))
    assert restored.unexpected == ("trace/velocity/dense_2",)
