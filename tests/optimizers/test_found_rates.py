"""Optimizers that find their own rate, or need the loss or the Hessian, follow their papers' rules in NumPy."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import gradtx
from optimizers.following import STARTS, numpy_of, path
from papers import (
    cautious,
    cocob,
    dadapt_adamw,
    dog,
    dowg,
    grams,
    mechanize,
    momo,
    momo_adam,
    polyak_sgd,
    prodigy,
    sophia,
)

START = STARTS["vector"]


def loss(p):
    xp = numpy_of(p)
    return xp.sum(p**2 + 0.5 * xp.sin(p) ** 2)


def gradient(p):
    return 2 * p + 0.5 * numpy_of(p).sin(2 * p)


def hessian(p):
    return 2 + numpy_of(p).cos(2 * p)


def extra(p):
    return {"value": loss(p), "hessian": hessian(p)}


RULES = {
    "prodigy": (gradtx.prodigy(), prodigy, {}),
    "prodigy with decay": (gradtx.prodigy(weight_decay=0.1), prodigy, {"weight_decay": 0.1}),
    "dadapt_adamw": (gradtx.dadapt_adamw(), dadapt_adamw, {}),
    "dog": (gradtx.dog(), dog, {}),
    "dowg": (gradtx.dowg(), dowg, {}),
    "dog with decay": (gradtx.dog(weight_decay=0.1), dog, {"weight_decay": 0.1}),
    "dowg with decay": (gradtx.dowg(weight_decay=0.1), dowg, {"weight_decay": 0.1}),
    "cocob with decay": (gradtx.cocob(weight_decay=0.1), cocob, {"weight_decay": 0.1}),
    "polyak_sgd with decay": (gradtx.polyak_sgd(weight_decay=0.1), polyak_sgd, {"value": loss, "weight_decay": 0.1}),
    "dadapt_adamw with decay": (gradtx.dadapt_adamw(weight_decay=0.1), dadapt_adamw, {"weight_decay": 0.1}),
    "cocob": (gradtx.cocob(), cocob, {}),
    "momo": (gradtx.momo(), momo, {"value": loss}),
    "momo_adam": (gradtx.momo_adam(0.05), momo_adam, {"value": loss, "rate": 0.05}),
    "polyak_sgd": (gradtx.polyak_sgd(), polyak_sgd, {"value": loss}),
    "sophia": (gradtx.sophia(0.05), sophia, {"hessian": hessian, "rate": 0.05}),
    "mechanize": (gradtx.mechanize(gradtx.sgd(0.01)), mechanize, {}),
    "cautious adam": (gradtx.cautious(gradtx.adam(0.01)), cautious, {"rate": 0.01}),
    "grams": (gradtx.grams(0.01), grams, {"rate": 0.01}),
}


@pytest.mark.parametrize("rule", RULES)
def test_steps_in_float64_follow_the_paper(rule):
    tx, paper, options = RULES[rule]
    steps = (
        20 if rule.startswith(("dadapt", "mechanize", "momo")) else 100
    )  # later steps are chaotic: 1e-15 grows to 1e-4
    ours = path(tx, START, steps, gradient=gradient, extra=extra)
    expected = paper.path(START, gradient, **options, steps=steps)[1:]
    np.testing.assert_allclose(ours, expected, rtol=1e-8, atol=1e-10)


def test_the_mean_of_hutchinsons_estimates_is_the_diagonal_of_the_hessian():
    matrix = jnp.array([[2.0, 0.5], [0.5, 1.0]])
    keys = jax.random.split(jax.random.key(0), 4000)
    estimates = jax.vmap(lambda key: gradtx.hutchinson(lambda p: 0.5 * p @ matrix @ p, jnp.ones(2), key))(keys)
    np.testing.assert_allclose(jnp.mean(estimates, 0), [2.0, 1.0], atol=0.03)


def test_dpsgd_adds_noise_of_the_promised_size():
    tx = gradtx.dpsgd(1.0, l2_norm_clip=2.0, noise_multiplier=3.0, batch_size=4, key=7)
    g = jnp.zeros(20_000)
    u, _ = tx.update(g, tx.init(g))
    np.testing.assert_allclose([jnp.mean(u), jnp.std(u)], [0.0, 1.5], atol=0.03)


def test_per_example_clipping_bounds_each_example_before_the_sum():
    g = {"a": jnp.array([[3.0], [0.3]]), "b": jnp.array([[4.0], [0.4]])}
    total, clipped = gradtx.per_example_global_norm_clip(g, 1.0)
    np.testing.assert_allclose([total["a"][0], total["b"][0]], [0.9, 1.2], rtol=1e-6)
    assert int(clipped) == 1
