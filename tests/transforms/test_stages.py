"""Single stages on numbers worked by hand."""

import copy
import pickle

import chex
import jax
import jax.numpy as jnp
import numpy as np
import pytest

import gradtx


def once(tx, u, p=None, **extra):
    return tx.update(u, tx.init(u if p is None else p), p, **extra)[0]


def test_decay_independent_of_the_rate_shrinks_by_its_own_part():
    tx = gradtx.chain(gradtx.sgd(0.5), gradtx.add_decayed_weights(0.1, mode="independent"))
    np.testing.assert_allclose(once(tx, jnp.array([1.0]), jnp.array([2.0])), [-0.7], rtol=1e-6)


def test_cautious_decay_shrinks_only_what_the_step_moves_towards_zero():
    tx = gradtx.chain(gradtx.add_decayed_weights(0.1, mode="cautious"), gradtx.scale_by_learning_rate(1.0))
    np.testing.assert_allclose(once(tx, jnp.array([1.0, 1.0]), jnp.array([2.0, -2.0])), [-1.2, -1.0], rtol=1e-6)


@pytest.mark.parametrize("step", [0, 2**24 + 1])
def test_noise_is_a_function_of_seed_step_and_array(step):
    tx = gradtx.add_noise(1.0, 0.0, key=5)
    u = {"a": jnp.zeros(1000), "b": jnp.zeros(1000)}
    state = {"step": jnp.int32(step)}
    first, after = tx.update(u, state)
    again, _ = tx.update(u, state)
    later, _ = tx.update(u, after)
    np.testing.assert_array_equal(first["a"], again["a"])
    for other in (first["b"], later["a"], gradtx.add_noise(1.0, 0.0, key=6).update(u, state)[0]["a"]):
        assert abs(np.corrcoef(first["a"], other)[0, 1]) < 0.15
    np.testing.assert_allclose([np.mean(first["a"]), np.std(first["a"])], [0.0, 1.0], atol=0.1)


def test_noise_of_a_jax_key_is_the_noise_of_its_seed():
    u = {"a": jnp.zeros(3), "b": jnp.zeros(3)}
    of_seed = once(gradtx.add_noise(1.0, 0.0, key=5), u)
    plain = jax.random.PRNGKey(5)
    for key in (jax.random.key(5), plain, np.asarray(plain), np.int64(5), jnp.int32(5)):
        chex.assert_trees_all_equal(once(gradtx.add_noise(1.0, 0.0, key), u), of_seed)


def test_a_transformation_with_a_jax_key_is_a_value():
    tx = gradtx.noisy_sgd(0.1, key=jax.random.key(5))
    assert eval(repr(tx), {"jax": jax, "jnp": jnp, "noisy_sgd": gradtx.noisy_sgd}) == tx
    assert pickle.loads(pickle.dumps(tx)) == tx and hash(copy.deepcopy(tx)) == hash(tx)
    assert tx != gradtx.noisy_sgd(0.1, key=jax.random.key(6))


def test_a_population_has_a_key_for_each_member_and_compiles_once():
    traces = []

    @jax.jit
    def noise(tx):
        traces.append(tx)
        axes = jax.tree.map(lambda x: 0 if jnp.ndim(x) else None, tx)
        return jax.vmap(lambda tx: once(tx, jnp.zeros(3)), (axes,))(tx)

    keys = [jax.random.split(jax.random.key(i), 2) for i in (0, 1)]
    first, second = (noise(gradtx.add_noise(1.0, 0.0, pair)) for pair in keys)
    assert len(traces) == 1
    alone = once(gradtx.add_noise(1.0, 0.0, keys[1][1]), jnp.zeros(3))
    np.testing.assert_array_equal(second[1], alone)
    assert not np.any(first == second) and not np.any(second[0] == second[1])


@pytest.mark.parametrize("key", [1.5, True, "seed", jnp.ones(2)])
def test_what_is_neither_seed_nor_key_is_refused(key):
    with pytest.raises(TypeError, match="neither a seed, an int, nor a JAX key"):
        gradtx.add_noise(1.0, 0.0, key)


def test_keys_of_another_kind_and_seeds_too_large():
    u = jnp.zeros(3)
    plain = jax.random.PRNGKey(5, impl="rbg")
    np.testing.assert_array_equal(
        once(gradtx.add_noise(1.0, 0.0, plain), u), once(gradtx.add_noise(1.0, 0.0, jax.random.key(5, impl="rbg")), u)
    )
    with pytest.raises(ValueError, match="below 2\\^32, or a JAX key"):
        gradtx.add_noise(1.0, 0.0, 2**32)


def test_noise_falls_with_the_steps():
    tx = gradtx.add_noise(4.0, 1.0, key=0)
    u, _ = tx.update(jnp.zeros(4000), {"step": jnp.int32(15)})
    np.testing.assert_allclose(np.std(u), 0.5, rtol=0.1)


def test_a_projection_keeps_parameters_in_its_set():
    tx = gradtx.chain(gradtx.sgd(1.0), gradtx.project(lambda x: jnp.clip(x, -1, 1)))
    p = jnp.array([0.5, -0.5])
    np.testing.assert_allclose(p + once(tx, jnp.array([-3.0, 0.25]), p), [1.0, -0.75])


def test_rows_and_columns_are_found_at_the_longest_axes():
    state = gradtx.scale_by_factored_rms(min_dim_size_to_factor=4).init(jnp.zeros((2, 5, 4)))
    kept = state["scale_by_factored_rms"]
    assert (kept.row.shape, kept.column.shape, kept.full.shape) == ((2, 4), (2, 5), (1,))


def test_the_average_begins_after_its_start():
    tx = gradtx.chain(gradtx.sgd(1.0), gradtx.track_average(start=1))
    p = jnp.array(0.0)
    state = tx.init(p)
    for _ in range(4):
        updates, state = tx.update(jnp.array(-1.0), state, p)
        p = gradtx.apply_updates(p, updates)
    assert float(state["track_average"]["average"]) == pytest.approx((2 + 3 + 4) / 3)


def test_cautious_keeps_the_state_of_the_inner_transformation_under_its_names():
    inner = gradtx.adam(0.1)
    p = {"w": jnp.ones(2)}
    assert jax.tree.structure(gradtx.cautious(inner).init(p)) == jax.tree.structure(inner.init(p))


def test_a_wrapper_within_a_group_is_held_against_the_gradients_of_its_own_arrays():
    tx = gradtx.masked(gradtx.cautious(gradtx.sgd(1.0, momentum=0.9)), {"a": True, "b": False})
    p = {"a": jnp.ones(2), "b": jnp.ones(2)}
    state = tx.init(p)
    _, state = tx.update({"a": jnp.array([1.0, 1.0]), "b": jnp.ones(2)}, state, p)
    updates, _ = tx.update({"a": jnp.array([1.0, -0.1]), "b": jnp.ones(2)}, state, p)
    np.testing.assert_allclose(updates["a"], [-1.9, 0.0], rtol=1e-6)
    np.testing.assert_allclose(updates["b"], [1.0, 1.0])
