"""Promise 3: finite gradients give finite updates, nothing freezes for good, and nonfinite gradients are visible."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from properties import registry

DTYPES = {"bfloat16": jnp.bfloat16, "float16": jnp.float16, "float32": jnp.float32}
# Stages that only pass on or accumulate updates cannot bound them: adding half the largest number twice gives the
# largest number, and adding it three times overflows.
GATHERS = {"leafwise", "muon", "normuon", "scale", "scale_by_param_block_norm", "sgd", "trace", "treewise"}


def sizes(dtype):
    largest = float(jnp.finfo(dtype).max)
    return [0.0, float(jnp.finfo(dtype).tiny), 1.0, 300.0, *([1e20] if largest > 1e21 else []), largest / 2]


def assert_stays_finite(name, dtype, sizes):
    tx, step, p = registry.make(name), registry.step(name), registry.params(dtype)
    for size in sizes:
        if name in GATHERS and size > 1e30:
            continue
        state = tx.init(p)
        g = jax.tree.map(lambda x, size=size: jnp.full_like(x, size), p)
        for gradients in (g, g, jax.tree.map(jnp.ones_like, p), jax.tree.map(jnp.negative, g)):
            updates, state = step(gradients, state, p)
            assert registry.is_finite(updates), (size, updates)
        kept = [x for x in jax.tree.leaves(state) if x.ndim or name != "plateau"]
        assert registry.is_finite(kept), (size, state)


@pytest.mark.parametrize("name", registry.sampled(registry.NAMES))
def test_finite_gradients_of_any_size_of_any_dtype_give_finite_updates_and_states(name):
    """This tests float32 only, because narrower gradients give the same bits as in float32 (see test_precision)."""
    assert_stays_finite(name, jnp.float32, sorted({size for dtype in DTYPES.values() for size in sizes(dtype)}))


@pytest.mark.exhaustive
@pytest.mark.parametrize("dtype", DTYPES.values(), ids=DTYPES)
@pytest.mark.parametrize("name", registry.NAMES)
def test_finite_gradients_of_any_size_give_finite_updates_and_states(name, dtype):
    assert_stays_finite(name, dtype, sizes(dtype))


@pytest.mark.scenario(4, "a zero float16 gradient gives a zero update, even if eps is a float16 scalar")
@pytest.mark.parametrize("name", registry.sampled([name for name in registry.NAMES if name not in registry.NOISY]))
def test_a_zero_float16_gradient_gives_a_zero_update(name):
    # Run eagerly, as in a notebook: under jit, XLA may keep more precision than the dtype has.
    p = {"w": jnp.zeros((2, 2), jnp.float16)}
    tx = registry.make(name)
    updates, _ = registry.advance(tx, registry.copy(p), tx.init(p), p)
    assert all(not np.any(np.asarray(u, np.float32)) for u in jax.tree.leaves(updates))


def _with_eps(name):
    if registry.LIBRARY == "gradtx":
        return "eps" in registry.make(name).arguments and not registry.annotated(name)["eps"][1].open_low
    return name in ("adabelief", "adagrad", "adam", "adamw", "amsgrad", "nadam", "rmsprop")


@pytest.mark.scenario(4, "a zero float16 gradient gives a zero update, even if eps is a float16 scalar")
@pytest.mark.parametrize("eps", [0.0, np.float16(1e-8), jnp.float16(1e-8)], ids=["zero", "numpy", "jax"])
@pytest.mark.parametrize("name", [name for name in registry.OPTIMIZERS if _with_eps(name)])
def test_a_zero_gradient_gives_a_zero_update_even_with_eps_rounded_to_zero(name, eps):
    g = jnp.zeros(3, jnp.float16)
    if registry.LIBRARY == "gradtx":
        tx = registry.make(name).replace(eps=eps)
    else:
        tx = getattr(registry.lib, name)(0.01, eps=eps)
    updates, _ = registry.advance(tx, g, tx.init(g), registry.copy(g))
    np.testing.assert_array_equal(updates, 0.0)


# Optimizers that forget outliers: an average of squares decays, but AdaGrad's sum and AMSGrad's maximum do not.
FORGETS = [name for name in ("adabelief", "adam", "adamw", "nadam", "rmsprop") if name in registry.MAKE]


@pytest.mark.scenario(
    6, "after one float16 gradient of 300 or one float32 gradient of 1e20, Adam is finite and moves again"
)
@pytest.mark.parametrize(("size", "dtype"), [(300.0, jnp.float16), (1e20, jnp.float32)], ids=["300", "1e20"])
@pytest.mark.parametrize("name", FORGETS)
def test_updates_return_to_their_size_after_one_outlier(name, size, dtype):
    tx = registry.make(name)
    p = jnp.zeros((), dtype)
    _, state = tx.update(jnp.array(size, dtype), tx.init(p), p)
    assert registry.is_finite(state)
    # Gradients alternate in sign, because AdaBelief divides by their deviation from the mean. With a decay of 0.999, it
    # takes 1e5 steps to forget a second moment of 1e37.
    run = jax.jit(
        lambda state: jax.lax.fori_loop(
            0, 120_000, lambda i, s: tx.update(jnp.where(i % 2, -1.0, 1.0).astype(dtype), s, p)[1], state
        )
    )
    updates, state = tx.update(jnp.ones((), dtype), run(state), p)
    assert 0.0005 < abs(float(updates)) < 0.05
    assert registry.is_finite(state)


@pytest.mark.parametrize("bad", [jnp.inf, jnp.nan], ids=["inf", "nan"])
@pytest.mark.parametrize("name", registry.OPTIMIZERS)
def test_a_nonfinite_gradient_is_visible_in_the_update(name, bad):
    p = registry.params()
    g = {**registry.grads(), "w": jnp.array([1.0, bad, 1.0])}
    updates, _ = registry.step(name)(g, registry.make(name).init(p), p)
    if not (np.isinf(bad) and name in registry.SIGNS):  # an infinite number has a sign
        assert not np.isfinite(updates["w"][1])
    if name not in registry.ARRAYWISE | registry.GLOBAL:
        assert np.isfinite(updates["w"][0])


def test_clipping_a_nonfinite_gradient_makes_every_update_nan():
    tx = registry.lib.clip_by_global_norm(1.0)
    updates, _ = tx.update([jnp.array([1.0, jnp.inf]), jnp.ones(2)], tx.init(jnp.ones(2)))
    assert all(np.all(np.isnan(u)) for u in updates)
