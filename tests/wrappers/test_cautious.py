"""`cautious` keeps only the entries of a step that agree with the gradient."""

import jax
import jax.numpy as jnp
import numpy as np

import gradtx


def test_cautious_keeps_the_state_of_the_inner_transformation_under_the_same_names():
    inner = gradtx.adam(0.1)
    p = {"w": jnp.ones(2)}
    assert jax.tree.structure(gradtx.cautious(inner).init(p)) == jax.tree.structure(inner.init(p))


def test_a_wrapper_inside_a_group_compares_with_the_gradients_of_that_group():
    tx = gradtx.masked(gradtx.cautious(gradtx.sgd(1.0, momentum=0.9)), {"a": True, "b": False})
    p = {"a": jnp.ones(2), "b": jnp.ones(2)}
    state = tx.init(p)
    _, state = tx.update({"a": jnp.array([1.0, 1.0]), "b": jnp.ones(2)}, state, p)
    updates, _ = tx.update({"a": jnp.array([1.0, -0.1]), "b": jnp.ones(2)}, state, p)
    np.testing.assert_allclose(updates["a"], [-1.9, 0.0], rtol=1e-6)
    np.testing.assert_allclose(updates["b"], [1.0, 1.0])
