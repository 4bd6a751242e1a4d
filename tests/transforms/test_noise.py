"""Noise and its keys."""

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


def test_a_jax_key_gives_the_same_noise_as_its_seed():
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
def test_anything_but_a_seed_or_a_key_is_refused(key):
    with pytest.raises(TypeError, match="neither a seed, an int, nor a JAX key"):
        gradtx.add_noise(1.0, 0.0, key)


def test_keys_of_another_kind_work_and_seeds_that_are_too_large_are_refused():
    u = jnp.zeros(3)
    plain = jax.random.PRNGKey(5, impl="rbg")
    np.testing.assert_array_equal(
        once(gradtx.add_noise(1.0, 0.0, plain), u), once(gradtx.add_noise(1.0, 0.0, jax.random.key(5, impl="rbg")), u)
    )
    with pytest.raises(ValueError, match="below 2\\^32, or a JAX key"):
        gradtx.add_noise(1.0, 0.0, 2**32)


def test_noise_decreases_with_the_step():
    tx = gradtx.add_noise(4.0, 1.0, key=0)
    u, _ = tx.update(jnp.zeros(4000), {"step": jnp.int32(15)})
    np.testing.assert_allclose(np.std(u), 0.5, rtol=0.1)
