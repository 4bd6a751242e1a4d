"""Promise 8: state is addressable. Its flat names survive edits, and arrays are restored by name, with a report."""

import chex
import jax
import jax.numpy as jnp
import orbax.checkpoint as ocp
import pytest

import gradtx
from gradtx.core.mathematics import Stepwise, Treewise
from properties import registry

pytestmark = registry.of_gradtx


def filled(tx):
    """A state whose arrays hold distinct numbers."""
    leaves, treedef = jax.tree.flatten(tx.init(registry.params()))
    return treedef.unflatten([jnp.arange(x.size, dtype=x.dtype).reshape(x.shape) + i for i, x in enumerate(leaves)])


@pytest.mark.parametrize("name", registry.NAMES)
def test_every_array_is_restored_by_its_name(name):
    tx = registry.make(name)
    state = filled(tx)
    restored = gradtx.restore_state(tx.init(registry.params()), gradtx.flat_state(state))
    assert restored.missing == restored.unexpected == ()
    assert registry.avals(restored.state) == registry.avals(state)
    assert registry.bits(restored.state) == registry.bits(state)


# After the others, another stage may stand.
GOES_ON = [name for name in registry.NAMES if name not in registry.LAST]


@pytest.mark.parametrize("name", GOES_ON)
def test_adding_stages_before_and_after_changes_no_name(name):
    tx, p = registry.make(name), registry.params()
    names = set(gradtx.flat_state(gradtx.chain(inner=tx).init(p)))
    edited = gradtx.chain(gradtx.trace(0.5), inner=tx, last=gradtx.scale_by_rss())
    added = {key for key in gradtx.flat_state(edited.init(p)) if key.startswith(("trace/", "last/"))}
    assert names | added == set(gradtx.flat_state(edited.init(p)))


@pytest.mark.parametrize("name", GOES_ON)
def test_arrays_that_an_edit_added_or_removed_are_reported(name):
    tx, p = registry.make(name), registry.params()
    before, after = gradtx.chain(gradtx.trace(0.5), inner=tx), gradtx.chain(inner=tx, last=gradtx.scale_by_rss())
    saved = gradtx.flat_state(filled(before))
    restored = gradtx.restore_state(after.init(p), saved)
    assert {key.split("/")[0] for key in restored.missing} == {"last"}
    assert {key.split("/")[0] for key in restored.unexpected} == {"trace"}
    kept = gradtx.flat_state(restored.state)
    assert registry.bits({k: x for k, x in kept.items() if k in saved}) == registry.bits(
        {k: x for k, x in saved.items() if k in kept}
    )


# Optimizers whose step depends on the step count of the run, because of noise or a built-in schedule.
OF_THE_RUN = registry.NOISY | {"asgd"}


@pytest.mark.parametrize("name", registry.sampled([name for name in registry.OPTIMIZERS if name not in OF_THE_RUN]))
def test_a_stage_added_to_a_run_takes_its_own_first_step(name):
    tx, p = registry.make(name), registry.params()
    saved = gradtx.flat_state({**gradtx.sgd(0.1).init(p), "step": jnp.array(1000)})
    joined = gradtx.restore_state(tx.init(p), saved).state
    (late, _), (first, _) = (registry.step(name)(registry.grads(), state, p) for state in (joined, tx.init(p)))
    assert int(joined["step"]) == 1000
    assert registry.bits(late) == registry.bits(first)


def test_names_are_stages_field_and_path():
    p = {"dense": {"kernel": jnp.ones(2)}}
    assert list(gradtx.flat_state(gradtx.chain(gradtx.adam(0.1)).init(p))) == [
        "adam/bias_correction/age",
        "adam/track_moments/first/dense/kernel",
        "adam/track_moments/second/dense/kernel",
        "step",
    ]


def test_two_arrays_with_the_same_name_are_refused():
    with pytest.raises(ValueError, match="two arrays of the state are called 'trace/velocity/a/b'"):
        gradtx.flat_state(gradtx.trace(0.9).init({"a": {"b": jnp.ones(1)}, "a/b": jnp.ones(1)}))


def test_orbax_restores_the_states_of_all_transformations(tmp_path):
    states = {name: filled(registry.make(name)) for name in registry.NAMES}
    with ocp.StandardCheckpointer() as checkpointer:
        checkpointer.save(tmp_path / "states", states)
        checkpointer.wait_until_finished()
        restored = checkpointer.restore(tmp_path / "states", jax.eval_shape(lambda: states))
    chex.assert_trees_all_equal_structs(restored, states)
    chex.assert_trees_all_equal(restored, states)


def cast(state, old, new):
    """A state with all arrays of one dtype in another."""
    return jax.tree.map(lambda x: x.astype(new) if x.dtype == old else x, state)


@pytest.mark.parametrize("name", registry.NAMES)
def test_a_state_in_the_dtype_of_its_parameters_is_refused(name):
    tx, p = registry.make(name), registry.params(jnp.bfloat16)
    state = jax.eval_shape(tx.init, p)

    def update(state, p):
        return registry.advance(tx, p, state, p)

    with pytest.raises(ValueError, match=r"'step' counts steps in int32, but is float32\[\]"):
        jax.eval_shape(lambda s, p: update(cast(s, jnp.int32, jnp.float32), p), state, p)
    stages = [stage for stage in registry.stages(tx.mathematics) if not isinstance(stage, Stepwise)]
    if any(stage.keeps.like_params if isinstance(stage, Treewise) else stage.keeps.fields for stage in stages):
        with pytest.raises(ValueError, match="in bfloat16, but init made it float32"):
            jax.eval_shape(lambda s, p: update(cast(s, jnp.float32, jnp.bfloat16), p), state, p)


def test_a_stage_may_keep_narrow_arrays_if_its_init_says_so():
    def init(p):
        return jnp.zeros(p.shape, jnp.bfloat16)

    tx, p = gradtx.leafwise(lambda u, s, p: (u + s, u + s), init, keeps="velocity"), {"w": jnp.ones(2)}
    state = tx.init(p)
    _, state = tx.update(p, state)
    assert state["leafwise"]["velocity"]["w"].dtype == jnp.bfloat16
