"""Schedules of each library work in the other."""

import optax
import pytest

import gradtx


@pytest.fixture(scope="module")
def ours():
    return gradtx.warmup_cosine(0.1, 3, 10, init_value=0.01, end_value=0.001)


@pytest.fixture(scope="module")
def theirs():
    return optax.warmup_cosine_decay_schedule(0.01, 0.1, 3, 10, end_value=0.001)


@pytest.fixture(scope="module")
def expected(train, theirs):
    """The parameters that Optax alone reaches."""
    return train(optax.adam(theirs))[0]


def test_an_optax_schedule_is_a_learning_rate_in_gradtx(train, theirs, expected, assert_agree):
    assert_agree(train(gradtx.adam(theirs))[0], expected)


def test_a_gradtx_schedule_is_a_learning_rate_in_optax(train, ours, expected, assert_agree):
    assert_agree(train(optax.adam(ours))[0], expected)


def test_optax_joins_gradtx_schedules(theirs, assert_agree):
    joined = optax.join_schedules([gradtx.warmup(0.1, 3, 0.01), gradtx.cosine(0.1, 7, 0.001)], boundaries=[3])
    assert_agree([joined(step) for step in (0, 2, 5, 12)], [theirs(step) for step in (0, 2, 5, 12)])


def test_inject_hyperparams_refuses_a_schedule_with_an_error_that_suggests_to_optax(problem, ours):
    tx = optax.inject_hyperparams(optax.adam)(learning_rate=ours)
    with pytest.raises(TypeError, match=r"called with a step, not with a state.*to_optax"):
        tx.init(problem.params)


def test_inject_hyperparams_takes_a_schedule_from_to_optax(train, ours, expected, assert_agree):
    params, state = train(optax.inject_hyperparams(optax.adam)(learning_rate=gradtx.to_optax(ours)))
    assert_agree(params, expected)
    assert_agree(state.hyperparams["learning_rate"], ours(7))


def test_inject_hyperparams_refuses_a_plateau_because_init_has_no_loss(problem):
    tx = optax.inject_hyperparams(optax.sgd)(learning_rate=gradtx.plateau(2.0, patience=0))
    with pytest.raises(TypeError, match="plateau"):  # init evaluates every schedule, but has no loss to pass
        tx.init(problem.params)


def test_inject_hyperparams_passes_the_loss_to_a_plateau_inside_a_factory(train, plateau_pair, assert_agree):
    def descend(factor):
        return gradtx.to_optax(gradtx.chain(plateau_pair.ours, gradtx.scale(factor)))

    params, state = train(optax.inject_hyperparams(descend)(factor=1.0))
    assert optax.tree.get(state.inner_state, "Plateau").scale < 1
    assert_agree(params, train(plateau_pair.theirs)[0])
