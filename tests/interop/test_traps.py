"""Details of the protocol that are easy to get wrong."""

from functools import partial

import chex
import jax
import jax.numpy as jnp
import optax
import pytest

import gradtx
from properties import registry


def assert_arrays_only(state):
    for path, leaf in jax.tree_util.tree_leaves_with_path(state):
        assert isinstance(leaf, jax.Array), path
        assert not jnp.issubdtype(leaf.dtype, jax.dtypes.prng_key), path


@pytest.mark.parametrize("name", registry.NAMES)
def test_the_leaves_of_an_initial_state_are_plain_arrays(name, problem):
    state = registry.make(name).init(problem.params)
    assert "step" in state
    assert_arrays_only(state)


@pytest.mark.parametrize("name", registry.sampled(registry.OPTIMIZERS))
def test_the_leaves_of_a_later_state_are_plain_arrays(name, train):
    _, state = train(registry.make(name), steps=1)
    assert_arrays_only(state)


def test_the_leaves_of_the_state_of_a_plateau_are_plain_arrays(plateau_pair, train):
    _, state = train(plateau_pair.ours, steps=1)
    assert len(jax.tree.leaves(state)) == 1 + len(gradtx.Plateau._fields)
    assert_arrays_only(state)


def test_optax_chain_drops_the_extra_arguments_of_a_foreign_class(plateau_pair, train):
    with pytest.raises(TypeError, match="needs the extra argument 'value'"):
        train(optax.chain(plateau_pair.ours), steps=1)


def test_optax_chain_passes_extra_arguments_on_with_to_optax(plateau_pair, train, assert_agree):
    ours, state = train(optax.chain(optax.identity(), gradtx.to_optax(plateau_pair.ours)))
    assert state[1]["scale_by_learning_rate"]["learning_rate"].scale < 1
    assert_agree(ours, train(plateau_pair.theirs)[0])


def test_to_optax_returns_an_optax_transformation_with_the_same_pair():
    tx = gradtx.adam(0.1)
    converted = gradtx.to_optax(tx)
    assert isinstance(converted, optax.GradientTransformationExtraArgs)
    assert tuple(converted) == tuple(tx)


@pytest.fixture
def traced():
    """A function that runs a jitted step with `tx.update` as a static argument, and returns the number of traces."""
    traces = []

    @partial(jax.jit, static_argnums=0)
    def step(update, grads, state):
        traces.append(update)
        return update(grads, state)

    def run(tx, params):
        step(tx.update, params, tx.init(params))
        return len(traces)

    return run


def test_the_update_of_a_transformation_built_twice_is_traced_once(traced, problem):
    build = partial(gradtx.adam, gradtx.warmup_cosine(0.1, 3, 10))
    assert traced(build(), problem.params) == 1
    assert traced(build(), problem.params) == 1


def test_the_update_of_a_chain_built_twice_is_traced_once(traced, problem):
    def build():
        return gradtx.chain(gradtx.clip_by_global_norm(1.0), gradtx.sgd(0.1, momentum=0.9))

    assert traced(build(), problem.params) == 1
    assert traced(build(), problem.params) == 1


def test_the_update_of_a_transformation_with_other_arguments_is_traced_again(traced, problem):
    assert traced(gradtx.sgd(0.1), problem.params) == 1
    assert traced(gradtx.sgd(0.2), problem.params) == 2


def test_the_update_of_a_chain_built_twice_around_one_optax_pair_is_traced_once(traced, problem):
    pair = optax.scale_by_adam()
    assert traced(gradtx.chain(pair, gradtx.scale(-0.1)), problem.params) == 1
    assert traced(gradtx.chain(pair, gradtx.scale(-0.1)), problem.params) == 1


@pytest.mark.parametrize("half", ["init", "update"])
def test_init_and_update_are_equal_and_hash_alike_only_for_equal_arguments(half):
    first, again, other = (getattr(gradtx.adam(rate), half) for rate in (0.1, 0.1, 0.2))
    assert (first, hash(first)) == (again, hash(again))
    assert first != other
    assert hash(first) != hash(other)


def test_a_float_and_an_array_learning_rate_train_to_the_same_bits(train):
    chex.assert_trees_all_equal(*(train(gradtx.adam(rate), steps=2)[0] for rate in (0.1, jnp.float32(0.1))))
