"""Promise 1: three jitted steps trace once, and the state's structure, shapes, dtypes and weak types never change."""

import jax
import jax.numpy as jnp
import pytest

from properties import registry

NARROW = ["bfloat16", "float16", "float32"]
USUAL = [("float32", "float32"), ("bfloat16", "bfloat16"), ("bfloat16", "float32"), ("float32", "bfloat16")]
PRODUCT = [(p, g) for p in [*NARROW, "float64"] for g in [*NARROW, "float64"]]


def check(name: str, param_dtype: str, grad_dtype: str) -> None:
    traces = []
    tx = registry.MAKE[name]()

    @jax.jit
    def step(p, state):
        traces.append(1)
        g = registry.grads(jnp.dtype(grad_dtype))
        updates, new = registry.advance(tx, g, state, p)
        return jax.tree.map(lambda a, b: (a + b).astype(a.dtype), p, updates), new

    p = registry.params(jnp.dtype(param_dtype))
    born = state = tx.init(p)
    for _ in range(3):
        p, state = step(p, state)
    assert len(traces) == 1
    assert registry.avals(state) == registry.avals(born)
    assert not any(x.weak_type for x in jax.tree.leaves((p, state)))


@pytest.mark.parametrize("dtypes", USUAL, ids="-".join)
@pytest.mark.parametrize("name", registry.NAMES)
def test_three_steps_trace_once(name, dtypes):
    check(name, *dtypes)


@pytest.mark.parametrize("name", registry.NAMES)
def test_three_steps_trace_once_with_float64_parameters_and_float32_gradients(name):
    with jax.enable_x64(True):
        check(name, "float64", "float32")


@pytest.mark.exhaustive
@pytest.mark.parametrize("dtypes", PRODUCT, ids="-".join)
@pytest.mark.parametrize("name", registry.NAMES)
def test_three_steps_trace_once_for_every_pair_of_dtypes_under_x64(name, dtypes):
    with jax.enable_x64(True):
        check(name, *dtypes)


def test_rebuilt_transformations_share_one_compilation():
    traces = []

    @jax.jit
    def step(tx, g, state):
        traces.append(1)
        return tx.update(g, state)

    g = registry.grads()
    for _ in range(3):
        tx = registry.MAKE["adam"]()
        step(tx, g, tx.init(g))
    assert len(traces) == 1
