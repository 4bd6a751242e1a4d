"""What is compiled for an un-jitted update lives as long as the functions that it calls."""

import functools
import gc
import weakref

import equinox as eqx
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


def quadratic(target, p):
    return sum(jnp.sum((x - target) ** 2) for x in jax.tree.leaves(p))


def search(loss):
    tx = gradtx.lbfgs(2)
    value, grad = jax.value_and_grad(loss)(P)
    return tx.update(grad, tx.init(P), P, value=value, grad=grad, value_fn=loss)[0]


def compilations(caplog):
    return [x for x in caplog.messages if x.startswith("Finished XLA compilation") and "call_program" in x]


def test_what_is_compiled_for_a_loss_goes_with_it():
    def step():
        target = jnp.array(3.0)
        loss = lambda p: quadratic(target, p)  # noqa: E731
        search(loss)
        return weakref.ref(loss)

    gone = step()
    gc.collect()
    assert gone() is None


def test_a_loss_that_is_given_again_compiles_nothing(caplog):
    loss = lambda p: quadratic(3.0, p)  # noqa: E731
    search(loss)
    with jax.log_compiles():
        search(loss)
    assert not compilations(caplog)


@pytest.mark.parametrize("bind", [functools.partial, jax.tree_util.Partial])
def test_a_loss_that_is_bound_to_other_arrays_compiles_nothing(bind, caplog):
    first = search(bind(quadratic, jnp.array(3.0)))
    with jax.log_compiles():
        second = search(bind(quadratic, jnp.array(-5.0)))
    assert not compilations(caplog)
    assert first["w"][0] > 0 > second["w"][0]


def test_a_loss_may_close_over_what_is_traced():
    def moved(target):
        return search(lambda p: quadratic(target, p))["w"][0]

    def last(targets):
        return jax.lax.scan(lambda _, target: (None, moved(target)), None, targets)[1]

    targets = jnp.array([3.0, -5.0])
    expected = [moved(x) for x in targets]
    for found in (jax.jit(last)(targets), jax.vmap(moved)(targets), [jax.jit(moved)(x) for x in targets]):
        assert jnp.allclose(jnp.stack(expected), jnp.stack(list(found)), rtol=1e-5)


def test_a_loss_may_be_a_method_a_module_or_compiled():
    class Quadratic(eqx.Module):
        target: jax.Array
        power: int = 2

        def __call__(self, p):
            return quadratic(self.target, p) ** (self.power / 2)

        def loss(self, p):
            return self(p)

    expected = search(functools.partial(quadratic, 3.0))
    module = Quadratic(jnp.array(3.0))
    for loss in (module, module.loss, jax.jit(functools.partial(quadratic, 3.0)), eqx.filter_jit(module)):
        for run in (search, lambda loss: jax.jit(lambda: search(loss))()):
            assert jnp.allclose(run(loss)["w"], expected["w"], rtol=1e-5)


def test_what_is_bound_to_a_loss_and_is_no_array_is_told_apart_by_its_type():
    def loss(kind, p):
        return quadratic(3.0 if kind is True else -3.0, p)

    yes, one = (search(functools.partial(loss, kind))["w"][0] for kind in (True, 1))
    assert yes > 0 > one
