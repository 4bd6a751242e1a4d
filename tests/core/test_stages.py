"""The building blocks for authors of transformations: leafwise, treewise, stepwise and chain."""

from typing import NamedTuple

import chex
import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest

import gradtx
from gradtx.core import trees


class Extremes(NamedTuple):
    low: jax.Array
    high: jax.Array


def _extremes(u, s, p):
    s = Extremes(jnp.minimum(s.low, u), jnp.maximum(s.high, u))
    return s.high - s.low, s


def test_a_leafwise_stage_keeps_a_named_tuple_of_arrays():
    tx = gradtx.leafwise(_extremes, keeps=Extremes)
    state = tx.init(jnp.zeros(2))
    for g in ([1.0, -1.0], [3.0, 2.0]):
        updates, state = tx.update(jnp.array(g), state)
    np.testing.assert_array_equal(updates, [3.0, 3.0])
    np.testing.assert_array_equal(state["leafwise"].low, [0.0, -1.0])


def test_the_index_is_the_position_of_an_array_in_the_tree():
    tx = gradtx.leafwise(lambda u, s, p, index: (u + index, s), needs=("index",))
    updates, _ = tx.update([jnp.zeros(2), None, jnp.zeros(2)], tx.init([jnp.zeros(2), None, jnp.zeros(2)]))
    np.testing.assert_array_equal(updates[0], 0.0)
    np.testing.assert_array_equal(updates[2], 2.0)


def test_a_leafwise_stage_receives_the_extra_arguments_it_needs():
    tx = gradtx.leafwise(lambda u, s, p, value: (u / value, s), needs=("value",))
    np.testing.assert_array_equal(tx.update(jnp.ones(2), tx.init({}), value=4.0)[0], 0.25)


def test_a_treewise_stage_keeps_what_its_init_returns():
    class Calls(NamedTuple):
        calls: jax.Array

    def count(updates, s, params, start):
        return jax.tree.map(lambda u: u * (s.calls + start), updates), Calls(s.calls + 1)

    tx = gradtx.treewise(count, lambda params: Calls(jnp.zeros(())), keeps=Calls, start=1.0)
    state = tx.init({"w": jnp.zeros(2)})
    for expected in (1.0, 2.0):
        updates, state = tx.update({"w": jnp.ones(2)}, state)
        np.testing.assert_array_equal(updates["w"], expected)


def test_a_leafwise_update_is_traced_once_per_shape_and_dtype():
    shapes = []

    def update(u, s, p):
        shapes.append(u.shape)
        return 2 * u, s

    tx = gradtx.leafwise(update)
    tree = [jnp.ones(i % 3 + 1) for i in range(60)]
    jax.eval_shape(lambda g: tx.update(g, tx.init(g))[0], tree)
    assert sorted(set(shapes)) == [(1,), (2,), (3,)]
    assert len(shapes) == 3


def test_adjacent_leafwise_stages_are_fused():
    tx = gradtx.chain(gradtx.clip(1.0), gradtx.adamw(0.1), gradtx.clip_by_global_norm(1.0), gradtx.scale(2.0))
    assert [type(part).__name__ for part in tx.plan.parts] == ["Fused", "Placed", "Fused"]
    assert len(tx.plan.parts[0].stages) == 6


def test_a_chain_of_schedules_is_a_schedule_of_their_product():
    product = gradtx.chain(gradtx.constant(3.0), gradtx.warmup(1.0, 4))
    assert isinstance(product, gradtx.Schedule)
    np.testing.assert_allclose([product(0), product(2), product(9)], [0.0, 1.5, 3.0])
    assert gradtx.sgd(product).update(jnp.ones(1), gradtx.sgd(product).init(jnp.ones(1)))[0] == 0.0


def test_a_schedule_as_a_stage_multiplies_updates_by_its_value():
    tx = gradtx.warmup(1.0, 4)
    state = tx.init()
    values = []
    for _ in range(6):
        updates, state = tx.update(jnp.ones(1), state)
        values.append(float(updates[0]))
    assert values == [0.0, 0.25, 0.5, 0.75, 1.0, 1.0]


def test_every_hyperparameter_can_be_a_schedule():
    falling = gradtx.step_decay(0.9, 1, 0.5)
    tx = gradtx.adamw(falling, b1=falling, b2=falling, eps=falling, weight_decay=falling)
    p = state = None
    p = jnp.array([1.0, -2.0])
    state, m, v, b1s, b2s = tx.init(p), 0.0, 0.0, 1.0, 1.0
    for t in range(4):
        g = np.array([0.5, 1.5]) * (t + 1)
        h = 0.9 * 0.5**t
        m, v, b1s, b2s = h * m + (1 - h) * g, h * v + (1 - h) * g**2, b1s * h, b2s * h
        expected = -h * (m / (1 - b1s) / (np.sqrt(v / (1 - b2s)) + h) + h * np.asarray(p))
        updates, state = tx.update(jnp.asarray(g, jnp.float32), state, p)
        np.testing.assert_allclose(updates, expected, rtol=1e-5)


def test_the_nesterov_lookahead_follows_the_schedule_of_b1():
    b1 = gradtx.step_decay(0.9, 1, 0.5)
    tx = gradtx.nadam(1.0, b1=b1, b2=0.99, eps=0.1)
    state, m, v, product = tx.init(jnp.zeros(())), 0.0, 0.0, 1.0
    for t in range(4):
        g, now, ahead = 1.0 + t, 0.9 * 0.5**t, 0.9 * 0.5 ** (t + 1)
        m, v, product = now * m + (1 - now) * g, 0.99 * v + 0.01 * g**2, product * now
        first = ahead * m / (1 - product * ahead) + (1 - now) * g / (1 - product)
        updates, state = tx.update(jnp.array(g), state)
        np.testing.assert_allclose(updates, -first / (np.sqrt(v / (1 - 0.99 ** (t + 1))) + 0.1), rtol=1e-5)


def test_an_optax_stage_keeps_its_state_under_the_name_of_its_factory():
    tx = gradtx.chain(optax.scale_by_adam(), gradtx.scale(-0.1))
    assert list(tx.stages) == ["scale_by_adam", "scale"]
    assert tx.init(jnp.zeros(2))["scale_by_adam"].mu.shape == (2,)


def test_arrays_of_one_shape_get_the_same_update_inside_and_outside_a_bundle():
    count = 2 * trees.BUNDLE + 3
    g = {f"{i:02}": jnp.full(3, float(i)) for i in range(count)}
    tx = gradtx.adam(0.1)
    jitted, _ = jax.jit(tx.update)(g, tx.init(g))
    for i in range(1, count):
        np.testing.assert_allclose(jitted[f"{i:02}"], -0.1, rtol=1e-6)
    np.testing.assert_array_equal(jitted["00"], 0.0)


def test_a_treewise_stage_that_changes_a_shape_is_an_error():
    tx = gradtx.treewise(lambda updates, s, params: (jax.tree.map(lambda u: u[None] * jnp.ones((2, 1)), updates), s))
    g = {"w": jnp.ones(3)}
    with pytest.raises(ValueError, match=r"updates\['w'\].*shape \(2, 3\): an update keeps its shape"):
        tx.update(g, tx.init(g))


def test_a_velocity_that_never_fades_is_the_sum_of_all_updates():
    tx = gradtx.trace(decay=1.0)
    state = tx.init(jnp.zeros(2))
    for _ in range(3):
        updates, state = tx.update(jnp.array([1.0, -2.0]), state)
    np.testing.assert_array_equal(updates, jnp.array([3.0, -6.0]))
    with pytest.raises(ValueError, match=r"decay = 1\.5 is out of range: expected a number at least 0 and at most 1"):
        gradtx.trace(decay=1.5)


def test_a_gradient_may_be_the_parameter_itself():
    p = jnp.array([1.0, -2.0])  # the gradient of |p|^2 / 2
    tx = gradtx.sgd(0.5)
    updates, _ = tx.update(p, tx.init(p), p)
    np.testing.assert_array_equal(updates, jnp.array([-0.5, 1.0]))


def test_a_pair_from_another_library_is_taken_wherever_a_transformation_is():
    p = {"w": jnp.array([1.0, -2.0]), "k": jnp.ones((2, 2))}
    pair = optax.sgd(0.5)
    for elsewhere in (pair, tuple(pair)):
        for tx in (
            gradtx.chain(elsewhere),
            gradtx.masked(elsewhere, True),
            gradtx.partition({"a": elsewhere}, "a"),
            gradtx.split_real_and_imaginary(elsewhere),
            gradtx.wrapping(elsewhere, lambda run, g, s, p: (run(g), s)),
        ):
            updates, _ = jax.jit(tx.update)(p, tx.init(p), p)
            chex.assert_trees_all_equal(updates, jax.tree.map(lambda x: -0.5 * x, p))


@pytest.mark.parametrize("name", ["own", "self", "tree", "kept", "fields", "record", "inner", "arguments", "name"])
def test_a_hyperparameter_may_have_any_name(name):
    names = {name: gradtx.plateau(0.5)}
    leaf = gradtx.leafwise(lambda u, s, p, **rate: (rate[name] * u, s), **names)
    tree = gradtx.treewise(
        lambda updates, s, params, **rate: (jax.tree.map(lambda u: rate[name] * u, updates), s), **names
    )
    scalar = gradtx.scale_by_learning_rate(gradtx.stepwise(lambda step, **rate: -rate[name], **names))
    for tx in (leaf, tree, scalar):
        p = jnp.ones(2)
        updates, state = tx.update(p, tx.init(p), value=1.0)
        np.testing.assert_array_equal(updates, jnp.full(2, 0.5))
        assert any(name in path for path in gradtx.flat_state(state))


def at_last(u, s, p):
    return u, s


LAST = {
    "leafwise": gradtx.leafwise(at_last, last=True),
    "treewise": gradtx.treewise(lambda updates, s, params: (updates, s), last=True),
    "nested": gradtx.chain(gradtx.scale(-1.0), a=gradtx.chain(b=gradtx.leafwise(at_last, last=True))),
    "wrapped": gradtx.skip_nonfinite(gradtx.lookahead(gradtx.leafwise(at_last, last=True))),
}


@pytest.mark.parametrize("tx", LAST.values(), ids=LAST)
def test_no_stage_may_stand_after_one_that_is_the_last(tx):
    gradtx.chain(gradtx.scale(-1.0), tx)
    with pytest.raises(TypeError, match=r"chain: stage 'scale' stands after .*, which is to be the last"):
        gradtx.chain(tx, gradtx.scale(-1.0))


def test_groups_of_arrays_may_each_have_a_last_stage():
    last = gradtx.chain(gradtx.scale(-0.5), gradtx.leafwise(at_last, last=True))
    p = {"a": jnp.ones(2), "b": jnp.ones(2)}
    tx = gradtx.partition({"one": last, "other": last, "still": gradtx.set_to_zero()}, {"a": "one", "b": "other"})
    tx = gradtx.chain(tx, gradtx.freeze({"a": False, "b": True}))
    updates, _ = tx.update(p, tx.init(p), p)
    np.testing.assert_array_equal(updates["a"], jnp.full(2, -0.5))
    np.testing.assert_array_equal(updates["b"], jnp.zeros(2))
