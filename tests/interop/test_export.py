"""An update step that is exported with jax.export and called again."""

import chex
import jax
import pytest
from jax import export

import gradtx


@pytest.fixture(scope="module")
def tx():
    return gradtx.chain(gradtx.clip_by_global_norm(0.5), gradtx.adam(gradtx.warmup_cosine(0.1, 3, 10)))


@pytest.fixture(scope="module")
def step(tx, loss):
    @jax.jit
    def step(params, state):
        updates, state = tx.update(jax.grad(loss)(params), state, params)
        return gradtx.apply_updates(params, updates), state

    return step


@pytest.fixture(scope="module")
def exported(step, tx, problem):
    abstract = jax.eval_shape(lambda: (problem.params, tx.init(problem.params)))
    return export.export(step)(*abstract)


def run(step, params, state, steps=3):
    for _ in range(steps):
        params, state = step(params, state)
    return params, state


def test_an_exported_step_takes_the_state_unchanged(exported, step, tx, problem):
    state = tx.init(problem.params)
    chex.assert_trees_all_close(
        run(exported.call, problem.params, state), run(step, problem.params, state), rtol=1e-6, atol=1e-7
    )


def test_a_serialized_step_takes_the_state_unchanged(exported, step, tx, problem):
    pytest.importorskip("flatbuffers")  # JAX needs it for serialization, but does not depend on it
    export.register_namedtuple_serialization(gradtx.Moments, serialized_name="gradtx.Moments")
    restored = export.deserialize(exported.serialize())
    state = tx.init(problem.params)
    chex.assert_trees_all_close(
        run(restored.call, problem.params, state), run(step, problem.params, state), rtol=1e-6, atol=1e-7
    )
