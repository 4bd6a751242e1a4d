"""The worked examples agree with the digits that were computed by hand."""

import jax
import jax.numpy as jnp
import numpy as np

import gradtx


def test_adam_on_a_parabola_from_two():
    tx = gradtx.adam(0.01)
    x = jnp.array(2.0)
    state, path, moments = tx.init(x), [], []
    for _ in range(3):
        updates, state = tx.update(2 * x, state, x)
        x = gradtx.apply_updates(x, updates)
        path.append(float(x))
        moments.append(state["track_moments"])
    np.testing.assert_allclose(path, [1.9900, 1.9800, 1.9700], atol=1e-4)
    np.testing.assert_allclose(moments[1], [0.7580, 0.031824], atol=2e-4)
    np.testing.assert_allclose(moments[2], [1.0782, 0.047474], atol=2e-4)


def test_corrected_moments_on_a_parabola_from_two():
    tx = gradtx.chain(gradtx.track_moments(), gradtx.bias_correction())
    state, corrected = tx.init(jnp.array(2.0)), []
    for x in (2.0, 1.99, 1.98):
        moments, state = tx.update(jnp.array(2 * x), state)
        corrected.append(moments)
    np.testing.assert_allclose(corrected[1], [3.9895, 15.9200], atol=2e-4)
    np.testing.assert_allclose(corrected[2], [3.9786, 15.8406], atol=2e-4)


def test_velocity_of_momentum():
    tx = gradtx.trace(0.9)
    state, velocities = tx.init(jnp.array(0.0)), []
    for g in (2.0, 1.8, 1.5, -0.5):
        velocity, state = tx.update(jnp.array(g), state)
        velocities.append(float(velocity))
    np.testing.assert_allclose(velocities, [2.0, 3.6, 4.74, 3.766], rtol=1e-6)


def test_clipping_to_a_global_norm_of_five():
    g = jnp.array([6.0, -8.0, 3.0, -4.0, 2.0])
    tx = gradtx.clip_by_global_norm(5.0)
    clipped, _ = tx.update(g, tx.init(g))
    np.testing.assert_allclose(gradtx.global_norm(g), 11.3578, atol=1e-4)
    np.testing.assert_allclose(clipped, [2.6414, -3.5218, 1.3207, -1.7609, 0.8805], atol=1e-4)
    np.testing.assert_allclose(jnp.linalg.norm(clipped), 5.0, rtol=1e-6)


def test_warm_up_and_cosine():
    rate = gradtx.warmup_cosine(0.001, warmup_steps=100, decay_steps=1000)
    steps = jnp.array([0, 50, 100, 300, 700, 1000])
    np.testing.assert_allclose(rate(steps), [0.0, 0.0005, 0.001, 0.000883, 0.00025, 0.0], atol=5e-7)


def test_l2_penalty_and_decoupled_decay_agree_for_sgd_and_differ_for_adam():
    p, g = jnp.array([1.0, -3.0]), jnp.array([0.5, 0.25])

    def after(tx):
        state, x = tx.init(p), p
        for _ in range(3):
            updates, state = tx.update(g, state, x)
            x = gradtx.apply_updates(x, updates)
        return x

    decoupled = gradtx.chain(gradtx.scale(1.0), gradtx.add_decayed_weights(0.1), gradtx.scale_by_learning_rate(0.01))
    penalty = gradtx.chain(gradtx.add_decayed_weights(0.1), gradtx.sgd(0.01))
    np.testing.assert_allclose(after(decoupled), after(penalty), rtol=1e-6)
    adamw, adam_l2 = gradtx.adamw(0.01, weight_decay=0.1), gradtx.adam_l2(0.01, l2=0.1)
    assert np.max(np.abs(after(adamw) - after(adam_l2))) > 1e-3


def test_reduce_on_plateau_as_a_learning_rate_cuts_when_the_loss_stalls():
    tx = gradtx.sgd(gradtx.plateau(1.0, factor=0.1, patience=2))
    state, rates = tx.init(jnp.zeros(())), []
    update = jax.jit(tx.update)
    for loss in (5.0, 4.0, 4.0, 4.0, 4.0, 4.0, 3.0):
        updates, state = update(jnp.ones(()), state, value=loss)
        rates.append(-float(updates))
    np.testing.assert_allclose(rates, [1, 1, 1, 1, 0.1, 0.1, 0.1], rtol=1e-6)
