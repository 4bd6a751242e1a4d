"""Random nestings of wrappers keep what each of them promises. `make test-all` tries 500 of them."""

import pickle

import hypothesis.strategies as st
import jax
import jax.numpy as jnp
import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings

import gradtx
from properties import registry

P = {"w": jnp.array([1.0, -2.0]), "deep": {"kernel": jnp.array([[0.5, 1.0], [-1.0, 2.0]])}}
G = jax.tree.map(lambda p: 0.5 * p + 0.25, P)
BAD = jax.tree.map(lambda g: g * jnp.inf, G)
MATRIX = gradtx.ndim(2)


def wrappers(inner):
    """One more wrapper around a transformation."""
    return st.one_of(
        *(st.builds(make, inner) for make in WRAPPERS.values()),
        st.builds(lambda a, b: gradtx.groups({MATRIX: a, "**": b}, allow_unused=True), inner, inner),
    )


def _overridden(tx):
    rate = {"learning_rate": 0.2}
    if tx.arguments.get("learning_rate") is None:
        return gradtx.layerwise_rate_decay(tx, 0.5, [MATRIX, "**"], allow_unused=True)
    return gradtx.overrides(tx, {MATRIX: rate}, allow_unused=True)


WRAPPERS = {
    "overrides": _overridden,
    "freeze": lambda tx: gradtx.chain(tx, gradtx.freeze({"w": True, "deep": False})),
    "accumulate": lambda tx: gradtx.accumulate(tx, 2),
    "skip": gradtx.skip_nonfinite,
    "clip": lambda tx: gradtx.chain(gradtx.clip_by_global_norm(1.0), tx),
    "ema": lambda tx: gradtx.ema_params(tx, 0.5),
    "lookahead": lambda tx: gradtx.lookahead(tx, 2),
    "schedule_free": lambda tx: gradtx.schedule_free(tx, b1=0.5),
    "split": gradtx.split_real_and_imaginary,
    "measure": lambda tx: gradtx.chain(gradtx.measure(norm=gradtx.global_norm), tx),
}


OPTIMIZERS = st.sampled_from(
    [gradtx.adamw(0.1), gradtx.sgd(gradtx.adjustable(0.1), 0.9), gradtx.lion(gradtx.cosine(0.1, 10)), gradtx.adam(0.1)]
)
NESTINGS = st.recursive(OPTIMIZERS, wrappers, max_leaves=3)


def check(tx):
    """The promises that a nesting of wrappers keeps."""
    traces = []

    def step(g, state, params):
        traces.append(1)
        updates, state = tx.update(g, state, params)
        return gradtx.apply_updates(params, updates), state

    compiled, state, params = jax.jit(step), tx.init(P), P
    shapes = registry.avals(state)
    for _ in range(3):
        params, state = compiled(G, state, params)
        assert registry.avals(state) == shapes
    assert registry.is_finite(params)
    guarded = gradtx.skip_nonfinite(tx)
    held = guarded.init(P)
    updates, after = guarded.update(BAD, held, P)
    assert registry.bits(gradtx.apply_updates(P, updates)) == registry.bits(P)
    inside = set(gradtx.flat_state(tx.init(P)))
    names = [name for name in gradtx.flat_state(after) if name in inside]
    assert all(registry.bits(gradtx.flat_state(after)[n]) == registry.bits(gradtx.flat_state(held)[n]) for n in names)
    assert len(traces) == 1
    assert pickle.loads(pickle.dumps(tx)) == tx
    evaluated = gradtx.eval_params(tx, state, params)
    assert registry.avals(evaluated) == registry.avals(params)
    assert registry.avals(gradtx.restore_state(tx.init(P), gradtx.flat_state(state)).state) == shapes
    gradtx.metrics(tx, state)
    population = jax.tree.map(lambda x: jnp.stack([jnp.asarray(x)] * 2), tx)
    many, _ = jax.vmap(lambda tx: tx.update(G, tx.init(P), P))(population)
    one, _ = tx.update(G, tx.init(P), P)
    registry.assert_close(jax.tree.map(lambda x: x[1], many), one, rtol=1e-5, atol=1e-6)
    if not any(isinstance(x, gradtx.GradientTransformation) and "mask" in x.arguments for x in _parts(tx)):
        assert gradtx.parse(repr(tx)) == tx


def _parts(tx):
    yield tx
    for x in tx.arguments.values():
        for part in jax.tree.leaves(x, is_leaf=lambda y: isinstance(y, gradtx.GradientTransformation)):
            if isinstance(part, gradtx.GradientTransformation):
                yield from _parts(part)


@settings(max_examples=12, deadline=None, derandomize=True, database=None, suppress_health_check=list(HealthCheck))
@given(NESTINGS)
def test_a_nesting_of_wrappers_keeps_the_promises(tx):
    check(tx)


@pytest.mark.slow
@settings(max_examples=500, deadline=None, derandomize=True, database=None, suppress_health_check=list(HealthCheck))
@given(NESTINGS)
def test_500_nestings_of_wrappers_keep_the_promises(tx):
    check(tx)


@pytest.mark.parametrize("name", [name for name in WRAPPERS if name not in ("split", "measure")])
def test_wrapped_and_sharded_on_eight_devices_gives_the_numbers_of_one(name):
    if len(jax.devices()) < 8:
        pytest.skip("needs 8 devices; the suite gives the CPU so many")
    tx = WRAPPERS[name](gradtx.adamw(0.1))
    mesh = jax.sharding.Mesh(np.array(jax.devices()[:8]), ("x",))
    sharded = jax.sharding.NamedSharding(mesh, jax.sharding.PartitionSpec("x"))
    p = {"w": jnp.linspace(-1.0, 1.0, 16), "deep": {"kernel": jnp.ones((16, 2))}}
    q = jax.device_put(p, sharded)
    step = jax.jit(tx.update)
    state, other = tx.init(p), jax.jit(tx.init)(q)
    for _ in range(2):
        expected, state = step(p, state, p)
        found, other = step(q, other, q)
    registry.assert_close(found, expected, rtol=1e-5)
    for x in jax.tree.leaves(other):
        if x.shape in ((16,), (16, 2)):
            assert x.sharding.is_equivalent_to(sharded, x.ndim)
