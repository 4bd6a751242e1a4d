"""Queries and keys shrink where their logits have grown."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import gradtx

AXES = {"*/query": "i b o", "*/key": "i 2o", "*/out": None}
P = {
    "attention": {
        "query": jnp.arange(1.0, 13.0).reshape(3, 2, 2),
        "key": jnp.arange(1.0, 13.0).reshape(3, 4) / 7,
        "out": jnp.ones((4, 3)),
    }
}
LOGITS = {"*/query": jnp.array([50.0, 400.0]), "*/key": jnp.array([50.0, 400.0])}


def clipped(logits, updates=None, tx=None):
    tx = tx or gradtx.clip_query_key(100.0, axes=AXES)
    updates = jax.tree.map(lambda p: -0.1 * p, P) if updates is None else updates
    found, _ = jax.jit(tx.update)(updates, tx.init(P), P, max_logits=logits)
    return jax.tree.map(jnp.add, P, found)["attention"]


def test_each_head_is_shrunk_by_the_root_of_its_excess():
    new = clipped(LOGITS)
    old = jax.tree.map(lambda p: 0.9 * p, P)["attention"]
    factors = np.array([1.0, 0.5])
    np.testing.assert_allclose(new["query"], old["query"] * factors[:, None], rtol=1e-6)
    np.testing.assert_allclose(new["key"], old["key"] * np.repeat(factors, 2), rtol=1e-6)
    np.testing.assert_allclose(new["out"], old["out"], rtol=1e-6)


def test_the_largest_logit_is_the_bound_after_the_step():
    rng = np.random.default_rng(0)
    x = rng.normal(size=(5, 3))
    query, key = rng.normal(size=(3, 2, 4)) * 3, rng.normal(size=(3, 2, 4)) * 3

    def logits(query, key):
        return np.einsum("xhd,yhd->hxy", *(np.einsum("xi,ihd->xhd", x, w) for w in (query, key))).max((1, 2))

    before = logits(query, key)
    tx = gradtx.clip_query_key(2.0, axes="i b o")
    p = {"query": jnp.asarray(query), "key": jnp.asarray(key)}
    zero = jax.tree.map(jnp.zeros_like, p)
    given = dict.fromkeys(p, jnp.asarray(before))
    u, _ = tx.update(zero, tx.init(p), p, max_logits=given)
    after = logits(*(np.asarray(p[k] + u[k]) for k in ("query", "key")))
    assert np.all(before > 2)
    np.testing.assert_allclose(after, 2.0, rtol=1e-5)


def test_a_scalar_is_for_all_heads_and_one_that_is_not_a_number_shrinks_nothing():
    np.testing.assert_allclose(clipped({"*/query": 400.0})["query"], 0.45 * P["attention"]["query"], rtol=1e-6)
    np.testing.assert_allclose(clipped({"*/query": jnp.nan})["query"], 0.9 * P["attention"]["query"], rtol=1e-6)


def test_muon_clips_what_it_and_its_decay_have_moved():
    tx = gradtx.muon(0.1, others=gradtx.sgd(0.1), axes=AXES, weight_decay=0.1, max_logit=100.0)
    plain = gradtx.muon(0.1, others=gradtx.sgd(0.1), axes=AXES, weight_decay=0.1)
    g = jax.tree.map(jnp.sin, P)
    expected, _ = plain.update(g, plain.init(P), P)
    expected = jax.tree.map(jnp.add, P, expected)["attention"]["query"]
    found = clipped(LOGITS, g, tx)["query"]
    np.testing.assert_allclose(found, expected * np.array([1.0, 0.5])[:, None], rtol=1e-5)
    assert tx.needs == ("max_logits",)


@pytest.mark.parametrize(
    ("logits", "error", "message"),
    [
        (jnp.ones(2), TypeError, "max_logits is .*; expected a dict such as"),
        ({"*/value": 1.0}, ValueError, r"max_logits: \*/value fits no array. The arrays are attention/key"),
        ({"*/query": jnp.ones(3)}, ValueError, r"max_logits\['\*/query'\] has shape \(3,\), but attention/query"),
    ],
)
def test_logits_that_fit_nothing_are_an_error(logits, error, message):
    tx = gradtx.clip_query_key(100.0, axes=AXES)
    with pytest.raises(error, match=message):
        tx.update(P, tx.init(P), P, max_logits=logits)
