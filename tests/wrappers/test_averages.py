"""Averages of parameters, and optimizers that evaluate elsewhere than they train."""

import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest

import gradtx
from properties import registry
from wrappers.training import P, gradients, train


def test_ema_params_is_the_average_of_the_parameters():
    grads = gradients(5)
    tx = gradtx.ema_params(gradtx.sgd(0.1), 0.7)
    path, state = train(tx, grads)
    average = P
    for p in path:
        average = jax.tree.map(lambda a, x: 0.7 * a + 0.3 * x, average, p)
    registry.assert_close(gradtx.eval_params(tx, state, path[-1]), average, rtol=1e-5)


def test_swa_is_the_mean_of_every_second_result_from_the_third_on_and_the_parameters_before():
    grads = gradients(7)
    tx = gradtx.swa(gradtx.sgd(0.1), start=2, every=2)
    path, state = train(tx, grads)
    mean = jax.tree.map(lambda *xs: sum(xs) / 3, path[2], path[4], path[6])
    registry.assert_close(gradtx.eval_params(tx, state, path[-1]), mean, rtol=1e-5)
    short, state = train(tx, grads[:2])
    assert registry.bits(gradtx.eval_params(tx, state, short[-1])) == registry.bits(short[-1])


def test_lookahead_follows_optax():
    grads = gradients(7)
    tx = gradtx.lookahead(gradtx.adam(0.1), every=3, rate=0.4)
    ours, state = train(tx, grads)
    theirs = optax.lookahead(optax.adam(0.1), sync_period=3, slow_step_size=0.4)
    params = optax.LookaheadParams.init_synced(P)
    optax_state = theirs.init(params)
    for g, p in zip(grads, ours, strict=True):
        updates, optax_state = theirs.update(g, optax_state, params)
        params = optax.apply_updates(params, updates)
        registry.assert_close(p, params.fast, rtol=1e-5)
    registry.assert_close(gradtx.eval_params(tx, state, ours[-1]), params.slow, rtol=1e-5)


def test_schedule_free_follows_optax():
    grads = gradients(6)
    tx = gradtx.schedule_free(gradtx.sgd(0.1), 0.1, b1=0.8)
    ours, state = train(tx, grads)
    theirs = optax.contrib.schedule_free(optax.sgd(0.1), 0.1, b1=0.8)
    path, optax_state = train(theirs, grads, apply=optax.apply_updates)
    registry.assert_close(ours, path, rtol=1e-5)
    registry.assert_close(
        gradtx.eval_params(tx, state, ours[-1]),
        optax.contrib.schedule_free_eval_params(optax_state, path[-1]),
        rtol=1e-5,
        atol=1e-6,
    )


def authors(method, grads, y, rate, b1, warmup_steps, r, weight_decay, b2=0.999, eps=1e-8):
    """The update of the authors' schedulefree 1.4 in NumPy and float64: y after each step, and x at the end."""
    y = np.array(y, np.float64)
    z, square, largest, total, path = y.copy(), np.zeros_like(y), -1.0, 0.0, []
    for k, g in enumerate(grads):
        g = np.array(g, np.float64)
        lr = rate * min((k + 1) / warmup_steps, 1.0)
        largest = max(lr, largest)
        weight = (k + 1) ** r * largest**2
        total += weight
        c = weight / total
        if method == "adamw":
            square = b2 * square + (1 - b2) * g * g
            g = g / (np.sqrt(square / (1 - b2 ** (k + 1))) + eps)
        g = g + weight_decay * y
        y = y + c * (z - y) + lr * (b1 * (1 - c) - 1) * g
        z = z - lr * g
        path.append(y)
    return path, z + (y - z) / b1


@pytest.mark.parametrize("method", ["sgd", "adamw"])
def test_schedule_free_optimizers_follow_the_authors_with_warm_up_and_decay(method):
    with jax.enable_x64(True):
        p = {"w": jnp.array([1.0, -2.0, 0.5])}
        grads = gradients(12, p)
        options = {"b1": 0.9, "warmup_steps": 5, "r": 0.5, "weight_decay": 0.1}
        tx = getattr(gradtx, f"schedule_free_{method}")(0.1, **options)
        ours, state = train(tx, grads, p)
        theirs, x = authors(method, [g["w"] for g in grads], p["w"], 0.1, **options)
        np.testing.assert_allclose(np.stack([q["w"] for q in ours]), theirs, rtol=1e-10)
        np.testing.assert_allclose(gradtx.eval_params(tx, state, ours[-1])["w"], x, rtol=1e-10)


def test_schedule_free_without_a_rate_averages_all_steps_alike():
    grads = gradients(4)
    tx = gradtx.schedule_free(gradtx.sgd(0.1), b1=0.5)
    path, state = train(tx, grads)
    zs = np.cumsum([-0.1 * np.asarray(g["w"]) for g in grads], axis=0) + np.asarray(P["w"])
    np.testing.assert_allclose(gradtx.eval_params(tx, state, path[-1])["w"], zs.mean(0), rtol=1e-5)


def test_sam_follows_optax():
    grads = gradients(6)
    tx = gradtx.sam(gradtx.sgd(0.1, 0.9), rho=0.05)
    ours, state = train(tx, grads)
    theirs = optax.contrib.sam(
        optax.sgd(0.1, 0.9), optax.chain(optax.contrib.normalize(), optax.sgd(0.05)), sync_period=2, reset_state=False
    )
    # Optax's adversary descends: its gradients are the negative ones.
    signs = [(-1) ** (i + 1) for i in range(6)]
    path, _ = train(theirs, [jax.tree.map(lambda x, s=s: s * x, g) for g, s in zip(grads, signs, strict=True)],
                    apply=optax.apply_updates)  # fmt: skip
    registry.assert_close(ours[1::2], path[1::2], rtol=1e-5)
    registry.assert_close(gradtx.eval_params(tx, state, ours[-1]), ours[-1])


def test_both_forms_of_sam_take_the_same_step():
    loss = lambda p: sum(jnp.sum(jnp.sin(x) ** 2) for x in jax.tree.leaves(p))  # noqa: E731
    tx, state, p = gradtx.sam(gradtx.sgd(0.1), 0.3), None, P
    state = tx.init(p)
    for _ in range(4):
        updates, state = tx.update(jax.grad(loss)(p), state, p)
        p = gradtx.apply_updates(p, updates)
    inner, q = gradtx.sgd(0.1), P
    held = inner.init(q)
    for _ in range(2):
        value, g = gradtx.sam_value_and_grad(loss, 0.3)(q)
        assert float(value) == float(loss(q))
        updates, held = inner.update(g, held, q)
        q = gradtx.apply_updates(q, updates)
    registry.assert_close(p, q, rtol=1e-5)


def test_on_top_of_the_climb_the_parameters_to_evaluate_with_are_those_before():
    tx = gradtx.sam(gradtx.sgd(0.1), 0.3)
    path, state = train(tx, gradients(1))
    assert registry.bits(path[0]) != registry.bits(P)
    registry.assert_close(gradtx.eval_params(tx, state, path[0]), P)


@pytest.mark.parametrize("wrap", [gradtx.masked, lambda tx, m: gradtx.groups({m: tx, "**": gradtx.sgd(0.1)})])
def test_parameters_to_evaluate_with_are_found_behind_masks_and_groups(wrap):
    tx = gradtx.chain(
        gradtx.clip(9.0), gradtx.skip_nonfinite(wrap(gradtx.ema_params(gradtx.sgd(0.1), 0.5), "*/kernel"))
    )
    path, state = train(tx, gradients(1))
    found = gradtx.eval_params(tx, state, path[0])
    kernel = (P["deep"]["kernel"] + path[0]["deep"]["kernel"]) / 2
    np.testing.assert_allclose(found["deep"]["kernel"], kernel, rtol=1e-6)
    assert registry.bits(found["w"]) == registry.bits(path[0]["w"])


@pytest.mark.parametrize("average", [gradtx.ema_params, lambda tx: gradtx.swa(tx, 0), gradtx.lookahead])
def test_averages_and_accumulation_commute(average):
    one = train(average(gradtx.accumulate(gradtx.adam(0.1), 2)), gradients(5))
    other = train(gradtx.accumulate(average(gradtx.adam(0.1)), 2), gradients(5))
    registry.assert_close(one, other)


def test_sam_climbs_from_a_complex_number_along_the_conjugate_of_its_gradient():
    _, g = gradtx.sam_value_and_grad(lambda z: jnp.abs(z) ** 2, 0.5)(jnp.array(3.0 + 4.0j))
    np.testing.assert_allclose(g, 6.6 - 8.8j, rtol=1e-6)
