"""States that Orbax saves and restores."""

import chex
import jax
import orbax.checkpoint as ocp
import pytest

import gradtx


@pytest.fixture(scope="module")
def tx():
    """A transformation with every kind of state: trees of moments, other trees, and the scalars of a schedule."""
    return gradtx.chain(
        gradtx.clip_by_global_norm(0.5), gradtx.amsgrad(gradtx.plateau(0.1, patience=0)), momentum=gradtx.trace(0.1)
    )


@pytest.fixture(scope="module")
def halfway(tx, train):
    return train(tx, steps=4)


@pytest.fixture(scope="module")
def checkpoint(halfway, tmp_path_factory):
    path = tmp_path_factory.mktemp("orbax") / "halfway"
    with ocp.StandardCheckpointer() as checkpointer:
        checkpointer.save(path, halfway)
    return path


def restore(checkpoint, *like):
    with ocp.StandardCheckpointer() as checkpointer:
        return checkpointer.restore(checkpoint, *like)


def test_orbax_restores_what_was_saved(halfway, checkpoint):
    restored = restore(checkpoint, jax.eval_shape(lambda: halfway))
    chex.assert_trees_all_equal_structs(restored, halfway)
    chex.assert_trees_all_equal(restored, halfway)


def test_training_resumes_bit_for_bit_from_a_checkpoint(tx, train, halfway, checkpoint):
    params, state = restore(checkpoint, jax.eval_shape(lambda: halfway))
    chex.assert_trees_all_equal(train(tx, params, state, steps=4), train(tx, steps=8))


def test_a_checkpoint_is_laid_out_by_the_names_of_stages_and_fields(checkpoint):
    _, state = restore(checkpoint)
    assert set(state) == {"step", "amsgrad", "momentum"}
    assert state["amsgrad"]["track_moments"]["first"]["kernel"].shape == (3, 2)
    assert set(state["amsgrad"]["scale_by_learning_rate"]["learning_rate"]) == set(gradtx.Plateau._fields)
