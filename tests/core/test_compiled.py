"""What is compiled for an un-jitted update lives as long as the functions that it calls."""

import functools
import gc
import weakref

import jax
import jax.numpy as jnp
import pytest

import gradtx

P = {"w": jnp.ones(3), "k": jnp.ones((2, 2))}


def double(x):
    return 2 * x


def closure(shape):
    """A function of a kind that a transformation is made of, new at each call."""
    return {
        "leafwise": lambda u, s, p: (double(u) + s, u),
        "treewise": lambda updates, s, params: (jax.tree.map(double, updates), s),
        "stateless": lambda updates, params: jax.tree.map(double, updates),
        "project": lambda x: double(x),
    }[shape]


MAKE = {
    "leafwise": functools.partial(gradtx.leafwise, keeps="last"),
    "treewise": gradtx.treewise,
    "stateless": gradtx.stateless,
    "project": gradtx.project,
}


def update(tx):
    tx.update(P, tx.init(P), P)


@pytest.mark.parametrize("kind", MAKE)
def test_what_is_compiled_for_a_closure_goes_with_it(kind):
    function = closure(kind)
    update(MAKE[kind](function))
    gone = weakref.ref(function)
    del function
    gc.collect()
    assert gone() is None


@pytest.mark.parametrize("kind", MAKE)
def test_a_transformation_that_is_made_again_of_the_same_closure_compiles_nothing(kind, caplog):
    function = closure(kind)
    update(MAKE[kind](function))
    gc.collect()
    with jax.log_compiles():
        update(MAKE[kind](function))
    assert not [x for x in caplog.messages if x.startswith("Finished XLA compilation")]


def test_an_optimizer_that_is_made_again_compiles_nothing(caplog):
    update(gradtx.chain(gradtx.clip_by_global_norm(1.0), gradtx.adam(0.1)))
    gc.collect()
    with jax.log_compiles():
        update(gradtx.chain(gradtx.clip_by_global_norm(0.5), gradtx.adam(0.2)))
    assert not [x for x in caplog.messages if x.startswith("Finished XLA compilation")]
