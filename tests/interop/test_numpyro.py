"""gradtx as the optimizer of NumPyro's stochastic variational inference."""

import jax
import jax.numpy as jnp
import numpyro
import numpyro.distributions as dist
import optax
import pytest
from numpyro.infer import SVI, Trace_ELBO

import gradtx


def model(data):
    mean = numpyro.sample("mean", dist.Normal(0.0, 3.0))
    numpyro.sample("data", dist.Normal(mean, 1.0), obs=data)


def guide(data):
    location = numpyro.param("location", jnp.array(0.0))
    width = numpyro.param("width", jnp.array(1.0), constraint=dist.constraints.positive)
    numpyro.sample("mean", dist.Normal(location, width))


def infer(optimizer):
    data = jnp.array([1.5, 2.5, 2.0])
    return SVI(model, guide, optimizer, Trace_ELBO()).run(jax.random.key(0), 8, data, progress_bar=False)


def test_svi_refuses_a_transformation_without_to_optax():
    with pytest.raises(TypeError, match=r"optax\.GradientTransformation"):
        SVI(model, guide, gradtx.adam(0.1), Trace_ELBO())


def test_svi_with_to_optax_infers_as_with_optax(assert_agree):
    ours, theirs = infer(gradtx.to_optax(gradtx.adam(0.1))), infer(optax.adam(0.1))
    assert_agree(ours.losses, theirs.losses)
    assert_agree(ours.params, theirs.params)


def test_svi_passes_the_loss_to_a_plateau(assert_agree):
    ours = gradtx.to_optax(gradtx.sgd(gradtx.plateau(0.3, factor=0.1, patience=0)))
    theirs = optax.chain(optax.sgd(0.3), optax.contrib.reduce_on_plateau(factor=0.1, patience=1))
    results = [infer(tx) for tx in (ours, theirs)]
    assert any(jnp.diff(results[0].losses) > 0)  # it stalled, so the rate was cut
    assert_agree(results[0].losses, results[1].losses)
