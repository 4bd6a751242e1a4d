"""Promise 10: transformations work in Optax, Flax, Equinox and other libraries, and Optax's transformations work here.

Each transformation takes one step inside each library; tests/interop holds the details.
"""

import functools

import equinox as eqx
import flax.training.train_state
import jax
import jax.numpy as jnp
import optax
import pytest
from flax import nnx

import gradtx
from properties import registry

pytestmark = registry.of_gradtx
# Transformations whose update needs only gradients and parameters. Others need a training loop that passes more.
PLAIN = [name for name in registry.NAMES if registry.LIBRARY == "gradtx" and not registry.make(name).needs]


@functools.cache
def one_step(name):
    tx, p = registry.make(name), registry.params()
    updates, _ = registry.advance(tx, registry.grads(), tx.init(p), p)
    return updates


@pytest.mark.parametrize("name", registry.sampled(registry.NAMES))
def test_a_transformation_gives_the_same_bits_inside_an_optax_chain(name):
    tx, p = registry.make(name), registry.params()
    pair = optax.chain(optax.identity(), tx if name in PLAIN else gradtx.to_optax(tx), optax.identity())
    updates, _ = registry.advance(pair, registry.grads(), pair.init(p), p)
    assert registry.bits(updates) == registry.bits(one_step(name))


@pytest.mark.parametrize("name", registry.NAMES)
def test_a_transformation_works_after_an_optax_transformation_in_a_chain(name):
    p = registry.params()
    tx = gradtx.chain(optax.identity(), registry.make(name))
    updates, _ = jax.eval_shape(lambda g, p: registry.advance(tx, g, tx.init(p), p), registry.grads(), p)
    assert jax.tree.structure(updates) == jax.tree.structure(p)


@pytest.mark.exhaustive
@pytest.mark.parametrize("name", registry.NAMES)
def test_a_transformation_gives_the_same_bits_after_an_optax_transformation(name):
    p = registry.params()
    tx = gradtx.chain(optax.identity(), registry.make(name))
    updates, _ = registry.advance(tx, registry.grads(), tx.init(p), p)
    assert registry.bits(updates) == registry.bits(one_step(name))


@pytest.mark.parametrize("name", registry.sampled(PLAIN))
def test_a_flax_train_state_takes_the_same_step(name):
    p = registry.params()
    state = flax.training.train_state.TrainState.create(apply_fn=None, params=p, tx=registry.make(name))
    state = state.apply_gradients(grads=registry.grads())
    registry.assert_close(state.params, gradtx.apply_updates(p, one_step(name)))


class Model(nnx.Module):
    """The parameters of the registry as an nnx module."""

    def __init__(self, p):
        self.w, self.kernel, self.bias = nnx.Param(p["w"]), nnx.Param(p["deep"]["kernel"]), nnx.Param(p["deep"]["bias"])


@pytest.mark.parametrize("name", registry.sampled(PLAIN))
def test_an_nnx_optimizer_takes_the_same_step(name):
    model = Model(registry.params())
    optimizer = nnx.Optimizer(model, registry.make(name), wrt=nnx.Param)
    optimizer.update(model, nnx.state(Model(registry.grads()), nnx.Param))
    expected = gradtx.apply_updates(registry.params(), one_step(name))
    for x, y in ((model.w, expected["w"]), (model.kernel, expected["deep"]["kernel"])):
        registry.assert_close(x[...], y)


class Affine(eqx.Module):
    """The parameters of the registry as an Equinox module, with one field that is not an array."""

    bias: jax.Array
    kernel: jax.Array
    w: jax.Array
    activation: object = jnp.tanh


def affine(p):
    return Affine(p["deep"]["bias"], p["deep"]["kernel"], p["w"])


@pytest.mark.parametrize("name", registry.sampled(registry.NAMES))
def test_an_equinox_module_takes_the_same_step(name):
    tx, model = registry.make(name), affine(registry.params())
    params = eqx.filter(model, eqx.is_inexact_array)
    grads = eqx.filter(affine(registry.grads()), eqx.is_inexact_array)
    updates, _ = registry.advance(tx, grads, tx.init(params), params)
    model = eqx.apply_updates(model, updates)
    assert model.activation is jnp.tanh
    expected = affine(gradtx.apply_updates(registry.params(), one_step(name)))
    registry.assert_close(eqx.filter(model, eqx.is_array), eqx.filter(expected, eqx.is_array))
