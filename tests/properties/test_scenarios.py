"""Cases that break optimizer libraries in practice, tested on gradtx and, where they apply, on Optax.

Each case here concerns a single transformation. The cases that concern all of them are tested with their promise.
"""

import functools

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest
from jax.sharding import AxisType, NamedSharding, PartitionSpec

import gradtx
from properties import registry

lib = registry.lib
LAST = 2**31 - 1


def update(tx, g, p=None, **extra):
    return tx.update(g, tx.init(g if p is None else p), p, **extra)[0]


scenario_5 = pytest.mark.scenario(
    5, "clip_by_global_norm works at the limits of float16 and float32, on zeros, and on mixed dtypes"
)


@scenario_5
def test_a_thousand_float16_tens_are_clipped_to_one():
    clipped = update(lib.clip_by_global_norm(1.0), jnp.full(1000, 10.0, jnp.float16))
    np.testing.assert_allclose(np.asarray(clipped, np.float32), 0.0316, atol=5e-5)


@scenario_5
def test_gradients_of_1e20_are_clipped_correctly():
    clipped = update(lib.clip_by_global_norm(1.0), jnp.array([3e20, -4e20]))
    np.testing.assert_allclose(clipped, [0.6, -0.8], rtol=1e-5)


@scenario_5
def test_a_bound_of_zero_and_zero_gradients_give_zero():
    np.testing.assert_array_equal(update(lib.clip_by_global_norm(0.0), jnp.zeros(3)), 0.0)


@scenario_5
def test_a_tree_of_mixed_dtypes_has_the_right_norm_and_keeps_each_dtype():
    tree = {"a": jnp.full(2, 2.0, jnp.bfloat16), "b": jnp.array(4.0), "c": jnp.array([3.0 + 4.0j], jnp.complex64)}
    np.testing.assert_allclose(lib.global_norm(tree), (4 + 4 + 16 + 25) ** 0.5, rtol=1e-6)
    clipped = update(lib.clip_by_global_norm(1.0), tree)
    assert clipped["c"].dtype == jnp.complex64
    assert clipped["b"].dtype == jnp.float32
    np.testing.assert_allclose(clipped["c"], (3 + 4j) / 7, rtol=1e-6)


@scenario_5
def test_the_norm_of_4096_bfloat16_arrays_of_one_is_64():
    assert float(lib.global_norm([jnp.ones((), jnp.bfloat16)] * 4096)) == 64.0


SCHEDULES = {
    "gradtx": {
        "warm-up": lambda steps, end: gradtx.warmup_cosine(0.5, steps, end),
        "pieces": lambda: gradtx.piecewise_constant(1.0, {0: 0.5, 3: 0.5}),
    },
    "optax": {
        "warm-up": lambda steps, end: optax.warmup_cosine_decay_schedule(0.0, 0.5, steps, end),
        "pieces": lambda: optax.piecewise_constant_schedule(1.0, {0: 0.5, 3: 0.5}),
    },
}[registry.LIBRARY]
scenario_7 = pytest.mark.scenario(
    7, "schedules work without a warm-up, with a warm-up as long as the run, and with a boundary at 0"
)


@scenario_7
def test_without_a_warm_up_the_peak_is_at_step_zero():
    assert float(SCHEDULES["warm-up"](0, 10)(0)) == 0.5


@scenario_7
def test_a_warm_up_as_long_as_the_run_rises_to_the_end():
    rate = SCHEDULES["warm-up"](10, 10)
    np.testing.assert_allclose([rate(step) for step in range(10)], np.arange(10) / 20, rtol=1e-6)


@scenario_7
def test_a_boundary_at_zero_applies_immediately():
    np.testing.assert_allclose([SCHEDULES["pieces"]()(step) for step in range(5)], [0.5, 0.5, 0.5, 0.25, 0.25])


class Net(eqx.Module):
    """A callable module, so a mask or labels made from it are callable too."""

    w: object
    b: object

    def __call__(self, x):
        return self.w * x + self.b


MODEL, GRADS = Net(jnp.ones(2), jnp.ones(2)), Net(jnp.full(2, 3.0), jnp.full(2, 4.0))
HELD = {"gradtx": lambda: gradtx.set_to_zero(), "optax": lambda: optax.set_to_zero()}[registry.LIBRARY]
scenario_9 = pytest.mark.scenario(
    9, "gradients can be None; Equinox modules can be params, masks and labels; frozen arrays stay bit-identical"
)


@scenario_9
def test_an_equinox_module_of_bools_is_a_mask():
    updates = update(lib.masked(lib.scale(-1.0), Net(True, False)), GRADS, MODEL)
    np.testing.assert_array_equal(updates.w, -3.0)
    np.testing.assert_array_equal(updates.b, 4.0)


@scenario_9
def test_an_equinox_module_of_labels_defines_groups():
    transforms = {"down": lib.scale(-1.0), "still": HELD()}
    partition = gradtx.partition if registry.LIBRARY == "gradtx" else optax.partition
    updates = update(partition(transforms, Net("down", "still")), GRADS, MODEL)
    np.testing.assert_array_equal(updates.w, -3.0)
    np.testing.assert_array_equal(updates.b, 0.0)


@scenario_9
def test_a_frozen_array_with_nan_gradients_and_weight_decay_is_bit_identical_and_has_no_state():
    partition = gradtx.partition if registry.LIBRARY == "gradtx" else optax.partition
    tx = partition({"fit": lib.adamw(0.1, weight_decay=0.1), "held": HELD()}, {"w": "fit", "b": "held"})
    first = p = {"w": jnp.ones(2), "b": jnp.array([1.0, -0.0, -2.5])}
    g = {"w": jnp.ones(2), "b": jnp.full(3, jnp.nan)}
    state = tx.init(p)
    held = sum(x.size for x in jax.tree.leaves(state) if jnp.issubdtype(x.dtype, jnp.floating))
    assert held == 2 * first["w"].size

    @jax.jit
    def step(p, state):
        updates, state = tx.update(g, state, p)
        return lib.apply_updates(p, updates), state

    # Step outside jit too, where nothing is simplified: -0 + 0 is 0, which has other bits.
    updates, state = tx.update(g, state, p)
    p = lib.apply_updates(p, updates)
    for _ in range(20):
        p, state = step(p, state)
    assert registry.bits(p["b"]) == registry.bits(first["b"])
    assert not np.array_equal(p["w"], first["w"])


def plateau():
    if registry.LIBRARY == "gradtx":
        return gradtx.plateau(1.0, 0.5, patience=1)
    return optax.contrib.reduce_on_plateau(0.5, patience=2)


def follow(tx, losses):
    state, values, traces = tx.init(jnp.float32(1.0)), [], []

    @jax.jit
    def step(state, loss):
        traces.append(1)
        return tx.update(jnp.float32(1.0), state, value=loss)

    for loss in losses:
        value, state = step(state, jnp.asarray(loss))
        values.append(float(value))
    return values, len(traces)


scenario_15 = pytest.mark.scenario(15, "a plateau at -1 behaves like one at +1, and under x64 it is traced once")


@scenario_15
def test_a_plateau_at_minus_one_behaves_like_one_at_one():
    assert follow(plateau(), [-1.0] * 6)[0] == follow(plateau(), [1.0] * 6)[0]
    assert follow(plateau(), [-1.0] * 6)[0][-1] < 1


@scenario_15
def test_a_plateau_under_x64_is_traced_once():
    with jax.enable_x64(True):
        assert follow(plateau(), [1.0] * 4)[1] == 1


scenario_16 = pytest.mark.scenario(
    16, "rebuilt optimizers with equal arguments compile once, and so does a sweep that is passed as an argument"
)


@scenario_16
def test_an_optimizer_rebuilt_as_a_static_argument_compiles_once():
    traces = []

    @functools.partial(jax.jit, static_argnums=0)
    def step(update, g, state):
        traces.append(1)
        return update(g, state)

    for _ in range(3):
        tx = lib.adam(0.1)
        step(tx.update, jnp.ones(2), tx.init(jnp.ones(2)))
    assert len(traces) == 1


scenario_19 = pytest.mark.scenario(19, "counters saturate at 2^31 - 1, and schedules hold their end value there")


@scenario_19
def test_counters_saturate_at_the_largest_int32():
    cosine = gradtx.cosine if registry.LIBRARY == "gradtx" else optax.cosine_decay_schedule
    tx = lib.adam(cosine(1.0, 100, 0.25))
    state = jax.tree.map(lambda x: jnp.full_like(x, LAST - 1) if x.dtype == jnp.int32 else x, tx.init(jnp.ones(2)))
    step = jax.jit(tx.update)
    for _ in range(3):
        updates, state = step(jnp.ones(2), state)
        assert registry.is_finite(updates)
    counters = [int(x) for x in jax.tree.leaves(state) if x.dtype == jnp.int32]
    assert counters
    assert set(counters) == {LAST}


@scenario_19
@pytest.mark.parametrize("name", registry.SCHEDULES if registry.LIBRARY == "gradtx" else [])
def test_a_schedule_holds_its_end_value_at_the_largest_step(name):
    schedule = registry.make(name)
    np.testing.assert_array_equal(schedule(LAST), schedule(LAST - 1))


scenario_20 = pytest.mark.scenario(
    20, "a callable mask is never mistaken for a schedule, and a dtype argument never breaks hashing"
)


@scenario_20
def test_a_callable_mask_among_hyperparameters_is_not_mistaken_for_a_schedule():
    def mask(params):
        return jax.tree.map(lambda p: p.ndim > 1, params)

    if registry.LIBRARY == "gradtx":
        tx = gradtx.chain(gradtx.masked(gradtx.add_decayed_weights(0.5), mask), gradtx.sgd(gradtx.cosine(1.0, 10)))
        step = registry.step_with
    else:
        tx = optax.inject_hyperparams(
            lambda rate, mask: optax.chain(optax.add_decayed_weights(0.5, mask), optax.sgd(rate))
        )(rate=optax.cosine_decay_schedule(1.0, 10), mask=mask)
        step = registry.advance
    p = {"w": jnp.ones((1, 1)), "b": jnp.ones(1)}
    state = tx.init(p)
    updates, _ = (
        tx.update(p, state, registry.copy(p)) if step is registry.advance else step(tx, p, state, registry.copy(p))
    )
    assert float(updates["w"][0, 0]) == -1.5
    assert float(updates["b"][0]) == -1.0


@scenario_20
@pytest.mark.parametrize("dtype", [jnp.bfloat16, "bfloat16", jnp.dtype("bfloat16"), np.float32], ids=str)
def test_a_dtype_among_hyperparameters_does_not_break_hashing(dtype):
    if registry.LIBRARY == "gradtx":

        def keep(u, s, p, dtype, b):
            return u + b * s, u.astype(dtype)

        @gradtx.transformation
        def narrow(b: gradtx.ScalarOrSchedule, dtype: object):
            return gradtx.leafwise(keep, lambda p: jnp.zeros_like(p, dtype), keeps="last", b=b, dtype=dtype)

        tx, again = narrow(0.5, dtype), narrow(0.5, dtype)
        assert tx == again
        assert hash(tx) == hash(again)
        updates, _ = registry.step_with(tx, jnp.ones(2), tx.init(jnp.ones(2)), None)
    else:
        tx = optax.inject_hyperparams(optax.adam)(0.1, mu_dtype=dtype)
        updates, _ = jax.jit(tx.update)(jnp.ones(2), tx.init(jnp.ones(2)))
    assert registry.is_finite(updates)


@pytest.mark.scenario(
    22, "an optimizer built without a learning rate descends or raises an error, and a plateau recovers from a NaN loss"
)
def test_a_plateau_still_decays_after_a_nan_loss():
    values, _ = follow(plateau(), [1.0, float("nan"), *[1.0] * 6])
    assert values[-1] < 1
    values, _ = follow(plateau(), [float("nan"), *[1.0] * 6])
    assert values[-1] < 1


@pytest.mark.scenario(
    23, "on an explicit mesh of 8 devices, the state is sharded like params, a step gathers nothing, and norms agree"
)
@pytest.mark.parametrize("kind", [AxisType.Auto, AxisType.Explicit], ids=str)
def test_the_norm_of_sharded_gradients_equals_that_of_unsharded_ones(kind):
    g = {"w": jnp.linspace(-1.0, 1.0, 32).reshape(16, 2), "b": jnp.linspace(0.5, 1.0, 8)}
    mesh = jax.make_mesh((8,), ("x",), axis_types=(kind,))
    split = jax.tree.map(lambda x: jax.device_put(x, NamedSharding(mesh, PartitionSpec("x"))), g)
    tx = lib.clip_by_global_norm(1.0)
    with jax.set_mesh(mesh):
        np.testing.assert_allclose(jax.jit(lib.global_norm)(split), lib.global_norm(g), rtol=1e-6)
        clipped, _ = jax.jit(tx.update)(split, tx.init(split))
    registry.assert_close(clipped, update(tx, g))
