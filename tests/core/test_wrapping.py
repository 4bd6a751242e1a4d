"""`wrapping`: where it keeps state, how it counts steps, and what a skipped step leaves unchanged."""

import itertools

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import gradtx
from properties import registry, wrappers

P = {"w": jnp.array([1.0, -2.0]), "deep": [jnp.ones((2, 2))]}
G = jax.tree.map(lambda p: 0.5 * p + 0.25, P)
INNER = gradtx.adamw(0.1)
# `make test` tries one inner wrapper for each outer wrapper, and `make test-all` tries all pairs.
NESTINGS = [
    pytest.param(outer, inner, marks=() if (i + j) % 15 == 0 else pytest.mark.slow)
    for (i, outer), (j, inner) in itertools.product(enumerate(wrappers.WRAPPERS), enumerate(wrappers.WRAPPERS))
]


def walk(tx, gradients, params=P, jit=jax.jit):
    """The parameters and states before the first step and after each step."""
    step, state, path = jit(lambda g, s, p: tx.update(g, s, p)), tx.init(params), []
    for g in gradients:
        path.append((params, state))
        updates, state = step(g, state, params)
        params = gradtx.apply_updates(params, updates)
    return [*path, (params, state)]


def names(tx):
    return set(gradtx.flat_state(tx.init(P)))


@pytest.mark.parametrize("wrapper", [name for name in wrappers.WRAPPERS if name not in ("partition", "frozen")])
def test_wrapping_changes_no_names(wrapper):
    for inner in (INNER, gradtx.scale_by_adan(), gradtx.trace(0.9), gradtx.sgd(gradtx.step_decay(0.1, 2), 0.9)):
        chosen = {name for name in names(inner) if wrapper != "masked" or not name.endswith("/w")}
        assert chosen <= names(wrappers.WRAPPERS[wrapper](inner))


def test_a_wrapped_stage_keeps_its_name_in_a_chain():
    plain = gradtx.chain(gradtx.clip(1.0), gradtx.adam(0.1), gradtx.trace(0.9))
    wrapped = gradtx.chain(
        gradtx.clip(1.0), wrappers.accumulate(gradtx.adam(0.1), 2), gradtx.masked(gradtx.trace(0.9), True)
    )
    assert list(wrapped.stages) == ["clip", "adam", "trace"]
    assert names(wrapped) - names(plain) == {
        "adam/step",
        "adam/accumulate/count",
        "adam/accumulate/mean/w",
        "adam/accumulate/mean/deep/0",
    }
    assert names(plain) <= names(wrapped)


def test_the_outer_of_two_wrappers_with_the_same_name_is_numbered():
    assert {name.split("/")[0] for name in names(wrappers.ema(wrappers.ema(INNER)))} >= {"ema", "ema_2"}


def test_the_step_counter_of_a_stage_is_numbered_where_a_field_is_called_step():
    tx = gradtx.chain(wrappers.accumulate(gradtx.scale_by_adadelta(), 2))
    assert names(tx) >= {"scale_by_adadelta/step/w", "scale_by_adadelta/step_2"}


def test_a_plain_state_restores_into_a_wrapped_one_and_back():
    (_, state), wrapped = walk(INNER, [G, G])[-1], wrappers.ema(INNER)
    restored = gradtx.restore_state(wrapped.init(P), gradtx.flat_state(state))
    assert {name.split("/")[0] for name in restored.missing} == {"ema"}
    assert restored.unexpected == ()
    back = gradtx.restore_state(INNER.init(P), gradtx.flat_state(restored.state))
    assert back.missing == ()
    assert registry.bits(back.state) == registry.bits(state)


def test_accumulation_takes_one_step_with_the_mean_gradient():
    gradients = [G, jax.tree.map(lambda g: 3 * g, G), G, G]
    path = walk(wrappers.accumulate(gradtx.sgd(0.5), 2), gradients)
    registry.assert_close(path[1][0], P)
    registry.assert_close(path[2][0], jax.tree.map(lambda p, g: p - 0.5 * 2 * g, P, G))
    registry.assert_close(path[4][0], jax.tree.map(lambda p, g: p - 0.5 * 3 * g, P, G))


def test_an_inner_schedule_sees_only_the_steps_taken():
    rate = gradtx.linear(1.0, 0.0, 4)
    wrapped = walk(wrappers.accumulate(gradtx.sgd(rate), 2), [G] * 8)
    plain = walk(gradtx.sgd(rate), [G] * 4)
    for (p, state), (expected, _) in zip(wrapped[::2], plain, strict=True):
        registry.assert_close(p, expected)
        assert int(state["step"]) <= 4
    assert int(wrapped[-1][1]["step"]) == 4


def test_each_stage_of_a_chain_counts_its_own_steps():
    tx = gradtx.chain(gradtx.trace(0.9), wrappers.accumulate(gradtx.sgd(gradtx.linear(1.0, 0.0, 4)), 2))
    state = walk(tx, [G] * 6)[-1][1]
    assert (int(state["step"]), int(state["sgd"]["step"])) == (6, 3)


def test_the_age_of_an_inner_statistic_is_the_number_of_steps_taken():
    state = walk(wrappers.accumulate(INNER, 2), [G] * 6)[-1][1]
    assert int(state["bias_correction"]["age"]) == 3


@pytest.mark.parametrize("average", [wrappers.ema, wrappers.held_ema])
def test_averaging_and_accumulating_commute(average):
    one = walk(average(wrappers.accumulate(INNER, 2)), [G] * 5)[-1]
    other = walk(wrappers.accumulate(average(INNER), 2), [G] * 5)[-1]
    registry.assert_close(one, other)


def test_a_wrapper_that_holds_its_own_state_equals_one_whose_state_is_held_for_it():
    one, other = (walk(average(wrappers.every_other(INNER)), [G] * 5) for average in (wrappers.ema, wrappers.held_ema))
    for (p, state), (expected, expected_state) in zip(one, other, strict=True):
        registry.assert_close((p, state["ema"]), (expected, expected_state["held_ema"]))


@pytest.mark.parametrize("jit", [jax.jit, lambda f: f], ids=["jit", "eager"])
@pytest.mark.parametrize("wrapper", ["accumulate", "ema", "lookahead", "masked", "mechanize", "scaled", "aged"])
def test_a_skipped_step_changes_no_bit(wrapper, jit):
    tx = wrappers.skip_nonfinite(wrappers.WRAPPERS[wrapper](INNER))
    bad = {**G, "w": jnp.array([jnp.nan, 1.0])}
    path = walk(tx, [G, bad, G, G], jit=jit)
    assert registry.bits(path[1]) == registry.bits(path[2])
    assert registry.bits(path[4]) != registry.bits(path[2])


@pytest.mark.parametrize("wrapper", ["ema", "lookahead", "mechanize", "scaled", "aged", "cautious"])
def test_a_skipped_step_changes_no_bit_of_an_outer_wrapper(wrapper):
    tx = wrappers.WRAPPERS[wrapper](wrappers.skip_nonfinite(INNER))
    path = walk(tx, [G, jax.tree.map(lambda g: g * jnp.inf, G), G])
    assert registry.bits(path[1]) == registry.bits(path[2])


@pytest.mark.parametrize("outer, inner", NESTINGS)
def test_two_wrappers_trace_once_keep_every_type_and_can_be_donated(outer, inner):
    tx = wrappers.WRAPPERS[outer](wrappers.WRAPPERS[inner](gradtx.chain(gradtx.trace(0.9), gradtx.scale(-0.1))))
    params = {"w": jnp.ones(3, jnp.bfloat16), "z": jnp.ones((2, 2)), "none": None, "n": jnp.arange(2)}
    grads = {"w": jnp.full(3, 0.5), "z": jnp.full((2, 2), 0.5), "none": None, "n": None}
    traces = []

    def step(p, state):
        traces.append(1)
        updates, state = tx.update(grads, state, p)
        return gradtx.apply_updates(p, updates), state

    state = tx.init(params)
    expected = registry.avals((params, state))
    compiled = jax.jit(step, donate_argnums=(0, 1))
    for _ in range(3):
        params, state = compiled(params, state)
        assert registry.avals((params, state)) == expected
    assert len(traces) == 1


def test_a_wrapped_optimizer_gives_the_same_result_with_and_without_jit():
    tx = wrappers.ema(wrappers.accumulate(gradtx.chain(gradtx.clip_by_global_norm(1.0), INNER), 2))
    registry.assert_close(walk(tx, [G] * 4)[-1], walk(tx, [G] * 4, jit=lambda f: f)[-1])


def test_complex_arrays_accumulate_and_split():
    p = {"z": jnp.array([1.0 + 2.0j, -1.0j])}
    tx = gradtx.split_real_and_imaginary(wrappers.accumulate(gradtx.sgd(0.5), 2))
    (last, _) = walk(tx, [{"z": jnp.array([2.0 + 0j, 2.0j])}, {"z": jnp.array([0j, 2.0j])}], p)[-1]
    np.testing.assert_allclose(last["z"], [0.5 + 2.0j, -2.0j])


def test_a_static_condition_is_a_plain_if():
    tx = gradtx.wrapping(gradtx.sgd(0.5), lambda run, g, s, p, on: (run.when(on, g), s), skips=True, on=False)
    assert not np.any(walk(tx, [G])[-1][1]["step"])


def test_replaced_params_and_extra_arguments_reach_the_inner_transformation():
    def elsewhere(run, g, s, params):
        return run(g, params=gradtx.each(jnp.zeros_like, params), value=2.0), s

    tx = gradtx.wrapping(gradtx.chain(gradtx.add_decayed_weights(1.0), gradtx.scale_by_polyak()), elsewhere)
    updates, _ = tx.update({"w": jnp.full(4, 2.0)}, tx.init({"w": jnp.ones(4)}), {"w": jnp.ones(4)}, value=1.0)
    np.testing.assert_allclose(updates["w"], 2.0 * 2.0 / 16.0)


def test_the_inner_transformation_sees_the_view_of_updates_and_params():
    seen = []

    def first_only(tree, params):
        return {"w": tree["w"]}

    def look(updates, s, params):
        seen.append((set(updates), set(params)))
        return updates, s

    tx = gradtx.wrapping(
        gradtx.chain(gradtx.treewise(look, needs=("params",)), gradtx.trace(0.9)),
        lambda run, g, s, p: ({**g, **run(g)}, s),
        view=first_only,
    )
    state = tx.init(P)
    tx.update(G, state, P)
    assert seen == [({"w"}, {"w"})]
    assert set(state["trace"]["velocity"]) == {"w"}
