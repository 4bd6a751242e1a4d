"""Optimizers that find their own rate, or need the loss or the Hessian, against their papers' rules in NumPy."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import gradtx
import papers_free
import papers_more
import papers_norms

START = np.array([1.0, -2.0, 0.5, 0.1])


def loss(p):
    xp = np if isinstance(p, np.ndarray) else jnp
    return xp.sum(p**2 + 0.5 * xp.sin(p) ** 2)


def gradient(p):
    xp = np if isinstance(p, np.ndarray) else jnp
    return 2 * p + 0.5 * xp.sin(2 * p)


def hessian(p):
    xp = np if isinstance(p, np.ndarray) else jnp
    return 2 + xp.cos(2 * p)


def path(tx, steps):
    def step(carry, _):
        p, state = carry
        updates, state = tx.update(gradient(p), state, p, value=loss(p), hessian=hessian(p))
        p = gradtx.apply_updates(p, updates)
        return (p, state), p

    p = jnp.asarray(START, jnp.float64)
    return np.asarray(jax.lax.scan(step, (p, tx.init(p)), length=steps)[1])


RULES = {
    "prodigy": (gradtx.prodigy(), papers_free.prodigy, (), {}),
    "prodigy with decay": (gradtx.prodigy(weight_decay=0.1), papers_free.prodigy, (), {"weight_decay": 0.1}),
    "dadapt_adamw": (gradtx.dadapt_adamw(), papers_free.dadapt_adam, (), {}),
    "dog": (gradtx.dog(), papers_free.dog, (), {}),
    "dowg": (gradtx.dowg(), papers_free.dowg, (), {}),
    "dog with decay": (gradtx.dog(weight_decay=0.1), papers_free.dog, (), {"weight_decay": 0.1}),
    "dowg with decay": (gradtx.dowg(weight_decay=0.1), papers_free.dowg, (), {"weight_decay": 0.1}),
    "cocob with decay": (gradtx.cocob(weight_decay=0.1), papers_free.cocob, (), {"weight_decay": 0.1}),
    "polyak_sgd with decay": (
        gradtx.polyak_sgd(weight_decay=0.1),
        papers_norms.polyak,
        (loss,),
        {"weight_decay": 0.1},
    ),
    "dadapt_adamw with decay": (
        gradtx.dadapt_adamw(weight_decay=0.1),
        papers_free.dadapt_adam,
        (),
        {"weight_decay": 0.1},
    ),
    "cocob": (gradtx.cocob(), papers_free.cocob, (), {}),
    "momo": (gradtx.momo(), papers_free.momo, (loss,), {}),
    "momo_adam": (gradtx.momo_adam(0.05), papers_free.momo_adam, (loss,), {"rate": 0.05}),
    "polyak_sgd": (gradtx.polyak_sgd(), papers_norms.polyak, (loss,), {}),
    "sophia": (gradtx.sophia(0.05), papers_more.sophia, (hessian,), {"rate": 0.05}),
    "mechanize": (gradtx.mechanize(gradtx.sgd(0.01)), papers_free.mechanic, (), {}),
    "cautious adam": (gradtx.cautious(gradtx.adam(0.01)), papers_more.cautious_adamw, (), {"rate": 0.01}),
    "grams": (gradtx.grams(0.01), papers_more.grams, (), {"rate": 0.01}),
}


@pytest.mark.parametrize("rule", RULES)
def test_steps_in_float64_follow_the_paper(rule):
    tx, expected, needs, options = RULES[rule]
    steps = 20 if rule.startswith(("dadapt", "mechanize", "momo")) else 100  # chaotic beyond: 1e-15 grows to 1e-4
    with jax.enable_x64(True):
        ours = path(tx, steps)
    np.testing.assert_allclose(
        ours, expected(START, gradient, *needs, **options, steps=steps)[1:], rtol=1e-8, atol=1e-10
    )


def test_the_mean_of_hutchinsons_estimates_is_the_diagonal_of_the_hessian():
    matrix = jnp.array([[2.0, 0.5], [0.5, 1.0]])
    keys = jax.random.split(jax.random.key(0), 4000)
    estimates = jax.vmap(lambda key: gradtx.hutchinson(lambda p: 0.5 * p @ matrix @ p, jnp.ones(2), key))(keys)
    np.testing.assert_allclose(jnp.mean(estimates, 0), [2.0, 1.0], atol=0.03)


def test_private_descent_has_the_noise_that_it_promises():
    tx = gradtx.dpsgd(1.0, l2_norm_clip=2.0, noise_multiplier=3.0, batch_size=4, key=7)
    g = jnp.zeros(20_000)
    u, _ = tx.update(g, tx.init(g))
    np.testing.assert_allclose([jnp.mean(u), jnp.std(u)], [0.0, 1.5], atol=0.03)


def test_clipping_single_examples_bounds_each_before_the_sum():
    g = {"a": jnp.array([[3.0], [0.3]]), "b": jnp.array([[4.0], [0.4]])}
    total, clipped = gradtx.per_example_global_norm_clip(g, 1.0)
    np.testing.assert_allclose([total["a"][0], total["b"][0]], [0.9, 1.2], rtol=1e-6)
    assert int(clipped) == 1
