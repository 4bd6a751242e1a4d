"""Guards: steps left out, against Optax, PyTorch's rule of the loss scale, and NumPy's statistics."""

import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest

import gradtx
from properties import registry
from wrappers.training import P, gradients, train

BAD = jax.tree.map(lambda p: p * jnp.nan, P)
GUARDS = {
    "skip_nonfinite": lambda inner: gradtx.skip_nonfinite(inner),
    "dynamic_loss_scale": lambda inner: gradtx.dynamic_loss_scale(inner, 4.0),
    "skip_spikes": lambda inner: gradtx.skip_spikes(inner, window=4),
    "conditionally": lambda inner: gradtx.conditionally(inner, lambda calls: calls != 1),
}


def test_skip_nonfinite_follows_optax_apply_if_finite():
    grads = [*gradients(2), BAD, BAD, BAD, *gradients(2)]
    ours, state = train(gradtx.skip_nonfinite(gradtx.adam(0.1), at_most=3), grads)
    theirs, _ = train(optax.apply_if_finite(optax.adam(0.1), 3), grads, apply=optax.apply_updates)
    registry.assert_close(ours, theirs, rtol=1e-4)  # Optax's bias correction loses digits
    assert (int(state["step"]), int(state["skip_nonfinite"].skipped)) == (4, 3)


def test_after_so_many_steps_left_out_in_a_row_the_next_is_taken():
    path, _ = train(gradtx.skip_nonfinite(gradtx.sgd(0.1), at_most=1), [BAD, BAD])
    assert registry.bits(path[0]) == registry.bits(P)
    assert not registry.is_finite(path[1])


@pytest.mark.parametrize("jit", [jax.jit, lambda f: f], ids=["jit", "eager"])
@pytest.mark.parametrize("guard", GUARDS)
def test_a_step_that_is_left_out_changes_no_bit_inside(guard, jit):
    inner = gradtx.ema_params(gradtx.lookahead(gradtx.adamw(0.1), 2))
    tx = GUARDS[guard](inner)
    own = set(gradtx.flat_state(tx.init(P))) - set(gradtx.flat_state(inner.init(P)))
    step, state = jit(tx.update), tx.init(P)
    _, state = step(gradients(1)[0], state, P)
    updates, after = step(BAD, state, P)
    before, now = ({k: x for k, x in gradtx.flat_state(s).items() if k not in own} for s in (state, after))
    assert registry.bits(before) == registry.bits(now)
    assert registry.bits(gradtx.apply_updates(P, updates)) == registry.bits(P)


def torch_scaler(found, scale, growth=2.0, backoff=0.5, interval=3):
    """The rule of torch.amp.GradScaler: the scale after each step, `found` says where gradients were infinite."""
    scales, good = [], 0
    for bad in found:
        scale, good = (scale * backoff, 0) if bad else (scale, good + 1)
        if good == interval:
            scale, good = scale * growth, 0
        scales.append(scale)
    return scales


def test_the_loss_scale_follows_the_rule_of_pytorch():
    found = [False] * 4 + [True, True] + [False] * 7
    tx = gradtx.dynamic_loss_scale(gradtx.sgd(0.1), 64.0, period=3)
    state, scales = tx.init(P), []
    for bad in found:
        _, state = tx.update(BAD if bad else P, state, P)
        scales.append(float(gradtx.loss_scale(tx, state)))
    assert scales == torch_scaler(found, 64.0)


def test_a_scaled_loss_gives_the_step_of_the_loss_itself():
    grads = gradients(3)
    scaled = [jax.tree.map(lambda g: 32.0 * g, g) for g in grads]
    inner = gradtx.chain(gradtx.clip_by_global_norm(0.5), gradtx.adam(0.1))
    ours, _ = train(gradtx.dynamic_loss_scale(inner, 32.0), scaled)
    registry.assert_close(ours, train(inner, grads)[0])


def test_the_loss_scale_is_found_through_any_nesting_and_is_one_without():
    tx = gradtx.chain(gradtx.ema_params(gradtx.dynamic_loss_scale(gradtx.sgd(0.1), 8.0)))
    assert float(gradtx.loss_scale(tx, tx.init(P))) == 8.0
    assert float(gradtx.loss_scale(gradtx.sgd(0.1), gradtx.sgd(0.1).init(P))) == 1.0


def usual(xs, window, sigmas):
    """Which numbers are no outliers among the last ones, with NumPy."""
    judged = []
    for i, x in enumerate(xs):
        seen = [y for y in xs[:i] if np.isfinite(y)][-window:]
        enough = len([y for y in xs[:i] if np.isfinite(y)]) + 1 >= max(3, window // 2)
        judged.append(bool(np.isfinite(x) and (not enough or x - np.mean(seen) <= sigmas * np.std(seen, ddof=1))))
    return judged


@pytest.mark.parametrize("watch", ["norm", "value"])
def test_spikes_are_outliers_of_the_last_numbers(watch):
    rng = np.random.default_rng(0)
    xs = np.abs(rng.normal(1.0, 0.1, 40)).astype(np.float32)
    xs[[12, 13, 25]] = [2.0, np.inf, 1.6]
    xs[30:] *= 3
    tx, p = gradtx.skip_spikes(gradtx.sgd(1.0), watch, window=8, sigmas=3.0), {"w": jnp.zeros(1)}
    step, state, taken = jax.jit(tx.update), tx.init(p), []
    for x in xs:
        g = {"w": jnp.full(1, x if watch == "norm" else 1.0)}
        updates, state = step(g, state, p, **({"value": x} if watch == "value" else {}))
        taken.append(bool(updates["w"][0] != 0))
    assert taken == usual(xs, 8, 3.0)
    assert not all(taken)
    assert int(state["skip_spikes"].skipped) == 40 - sum(taken)


def test_either_of_norm_and_loss_is_enough_for_a_spike():
    tx, p = gradtx.skip_spikes(gradtx.sgd(1.0), "both", window=4), jnp.zeros(1)
    state = tx.init(p)
    for value in (1.0, 1.1, 0.9, 1.0):
        _, state = tx.update(jnp.ones(1) * value, state, p, value=value)
    for norm, value in ((1.0, 50.0), (50.0, 1.0)):
        assert float(tx.update(jnp.ones(1) * norm, state, p, value=value)[0][0]) == 0.0


def test_time_stands_still_inside_where_a_condition_does_not_hold():
    tx = gradtx.conditionally(gradtx.sgd(gradtx.linear(1.0, 0.0, 4)), lambda calls: calls % 2 == 1)
    path, state = train(tx, [jax.tree.map(jnp.ones_like, P)] * 4)
    np.testing.assert_allclose([float(p["w"][0]) for p in path], [1.0, 0.0, 0.0, -0.75], rtol=1e-6)
    assert (int(state["step"]), int(state["conditionally"].calls)) == (2, 4)


def test_what_passes_a_condition_is_as_it_was_and_as_in_optax():
    grads = gradients(4)
    ours, _ = train(gradtx.conditionally(gradtx.trace(0.9), lambda calls: calls % 2 == 0, passing=True), grads)
    theirs, _ = train(
        optax.conditionally_transform(optax.trace(0.9), lambda step, **_: step % 2 == 0),
        grads,
        apply=optax.apply_updates,
    )
    registry.assert_close(ours, theirs, rtol=1e-5)


def test_a_condition_may_ask_for_an_extra_argument():
    tx = gradtx.conditionally(gradtx.sgd(1.0), lambda calls, value: value < 1.0, needs=("value",))
    path, _ = train(tx, [P, P], value=jnp.array([2.0, 0.5]))
    assert registry.bits(path[0]) == registry.bits(P)
    registry.assert_close(path[1], jax.tree.map(jnp.zeros_like, P))


WITH_TIME = {
    "an age": lambda inner: gradtx.schedule_free(inner, r=1.0),
    "a plateau": lambda inner: gradtx.lookahead(inner, 2, rate=gradtx.plateau(0.5, patience=0)),
    "a product": lambda inner: gradtx.ema_params(inner, gradtx.adjustable(0.9) * gradtx.plateau(0.5)),
}


@pytest.mark.parametrize("wrap", WITH_TIME.values(), ids=WITH_TIME)
def test_a_step_that_is_left_out_changes_no_bit_of_the_age_and_the_schedules_around(wrap):
    tx = wrap(gradtx.skip_nonfinite(gradtx.sgd(0.1)))
    _, state = tx.update(P, tx.init(P), P, value=1.0)
    _, after = tx.update(BAD, state, P, value=1.0)
    assert registry.bits({**state, "skip_nonfinite": 0}) == registry.bits({**after, "skip_nonfinite": 0})


AROUND_SAM = {
    "inside": lambda tx: gradtx.sam(gradtx.skip_nonfinite(tx)),
    "outside": lambda tx: gradtx.skip_nonfinite(gradtx.sam(tx)),
}


@pytest.mark.parametrize("bad", [0, 1])
@pytest.mark.parametrize("wrap", AROUND_SAM.values(), ids=AROUND_SAM)
def test_sam_survives_a_gradient_that_is_not_finite(wrap, bad):
    grads = gradients(4)
    grads[bad] = BAD
    path, _ = train(wrap(gradtx.sgd(0.1)), grads)
    assert registry.is_finite(path[-1])
