"""Promise 1: three jitted steps trace once, and the state's structure, shapes, dtypes and weak types never change."""

import jax
import jax.numpy as jnp
import pytest

from properties import registry

DTYPES = ["bfloat16", "float16", "float32"]


def assert_next_state_is_like_the_first(name, param_dtype, grad_dtype):
    """If it is, the second step and all later steps reuse the trace of the first."""
    tx = registry.make(name)
    p, g = registry.params(jnp.dtype(param_dtype)), registry.grads(jnp.dtype(grad_dtype))
    state = tx.init(p)
    updates, after = jax.eval_shape(lambda *arguments: registry.advance(tx, *arguments), g, state, p)
    described = [(x.shape, x.dtype, x.weak_type) for x in jax.tree.leaves(after)]
    assert described == [(x.shape, x.dtype, x.weak_type) for x in jax.tree.leaves(state)]
    assert jax.tree.structure(after) == jax.tree.structure(state)
    assert not any(x.weak_type for x in jax.tree.leaves((updates, after)))


@pytest.mark.scenario(
    2, "parameters and gradients of different dtypes never change the state's dtypes, and a step is traced once"
)
@pytest.mark.parametrize("dtypes", [("bfloat16", "float32"), ("float32", "bfloat16"), ("bfloat16",) * 2], ids="-".join)
@pytest.mark.parametrize("name", registry.NAMES)
def test_the_next_state_is_like_the_first(name, dtypes):
    assert_next_state_is_like_the_first(name, *dtypes)


@pytest.mark.parametrize("name", registry.NAMES)
def test_the_next_state_is_like_the_first_under_x64(name):
    with jax.enable_x64(True):
        assert_next_state_is_like_the_first(name, "float64", "float32")


@pytest.mark.exhaustive
@pytest.mark.parametrize("g", [*DTYPES, "float64"])
@pytest.mark.parametrize("p", [*DTYPES, "float64"])
@pytest.mark.parametrize("name", registry.NAMES)
def test_the_next_state_is_like_the_first_for_every_pair_of_dtypes_under_x64(name, p, g):
    with jax.enable_x64(True):
        assert_next_state_is_like_the_first(name, p, g)


@pytest.mark.parametrize("name", registry.NAMES)
def test_three_jitted_steps_trace_once(name):
    p, g, step = registry.params(), registry.grads(), registry.step(name)
    born = registry.make(name).init(p)
    _, state = step(g, born, p)
    traced = step._cache_size()
    for _ in range(2):
        _, state = step(g, state, p)
    assert step._cache_size() == traced
    assert registry.avals(state) == registry.avals(born)


@registry.of_gradtx
@pytest.mark.parametrize("name", registry.NAMES)
def test_a_rebuilt_transformation_is_equal_and_is_not_traced_again(name):
    if name in ("leafwise", "treewise", "stepwise") or registry.numeric(registry.make(name)):
        again = registry.GRADTX[name]()
        assert again == registry.make(name)
        assert hash(again.update) == hash(registry.make(name).update)
        assert jax.tree.structure(again) == jax.tree.structure(registry.make(name))


@registry.of_gradtx
def test_rebuilt_transformations_share_one_compilation():
    traces = []

    @jax.jit
    def step(tx, g, state):
        traces.append(1)
        return tx.update(g, state)

    g = registry.grads()
    for _ in range(3):
        tx = registry.GRADTX["adam"]()
        step(tx, g, tx.init(g))
    assert len(traces) == 1
