"""The rectification of RAdam for decays close to 1, where both terms of its length are large."""

from decimal import Decimal, getcontext

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import gradtx


def rectification(t, b2):
    """r_t to 50 digits, and 1 where it is not used."""
    getcontext().prec = 50
    b = Decimal(repr(b2))
    full = 2 / (1 - b) - 1
    rho = full - 2 * t * b**t / (1 - b**t)
    if rho <= 5:
        return 1.0
    return float(((rho - 4) * (rho - 2) * full / ((full - 4) * (full - 2) * rho)).sqrt())


@pytest.mark.parametrize("b2", [0.5, 0.7, 0.9, 0.99, 0.999, 0.9999, 0.999999, 0.99999999, 0.9999999999])
def test_every_step_is_rectified_to_all_digits(b2):
    tx = gradtx.radam(1.0, b1=0.0, b2=b2, eps=0.0)

    def step(state, _):
        updates, state = tx.update(jnp.ones(()), state)
        return state, updates

    _, updates = jax.jit(lambda: jax.lax.scan(step, tx.init(jnp.zeros(())), length=100))()
    np.testing.assert_allclose(-updates, [rectification(t, b2) for t in range(1, 101)], rtol=1e-6)
