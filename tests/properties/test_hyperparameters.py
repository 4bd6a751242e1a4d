"""Promise 6: a hyperparameter can be a number, an array, a tracer or a schedule, with the same results."""

import jax
import jax.numpy as jnp
import ml_dtypes
import numpy as np
import pytest

import gradtx
from properties import registry

pytestmark = registry.of_gradtx

# `make test` tests all hyperparameters of a transformation at once, and `make test-all` also tests each one alone.
TOGETHER = [name for name in registry.NAMES if registry.LIBRARY == "gradtx" and registry.numeric(registry.make(name))]
ALONE = [(name, hyper) for name in TOGETHER for hyper in registry.numeric(registry.make(name))]


def program(tx, values, as_hyperparameter):
    """A jitted update of `tx` with these values as arguments, and its jaxpr as text."""
    p, g = registry.matrix()

    def update(values):
        changed = tx.replace(**{name: as_hyperparameter(x) for name, x in values.items()})
        return registry.advance(changed, g, changed.init(p), p)

    return jax.jit(update), str(jax.make_jaxpr(update)(values))


def assert_traced_and_scheduled_constants_are_one(name, hypers):
    tx = registry.make(name)
    values = {hyper: np.float32(tx.arguments[hyper]) for hyper in hypers}
    traced, text = program(tx, values, lambda x: x)
    scheduled, scheduled_text = program(tx, values, gradtx.constant)
    if text != scheduled_text:  # the same program gives the same bits
        assert registry.bits(traced(values)) == registry.bits(scheduled(values))


@pytest.mark.parametrize("name", registry.sampled(TOGETHER))
def test_traced_and_scheduled_constant_values_give_the_same_bits(name):
    assert_traced_and_scheduled_constants_are_one(name, registry.numeric(registry.make(name)))


@pytest.mark.exhaustive
@pytest.mark.parametrize(("name", "hyper"), ALONE)
def test_a_traced_and_a_scheduled_constant_value_give_the_same_bits(name, hyper):
    assert_traced_and_scheduled_constants_are_one(name, [hyper])


@pytest.mark.parametrize("name", registry.sampled(TOGETHER))
def test_static_values_give_the_same_result_up_to_rounding(name):
    tx, (p, g) = registry.make(name), registry.matrix()
    static = registry.step(name)(g, tx.init(p), p)
    injected = registry.step_with(tx, g, tx.init(p), p)
    # 1 - 0.999 in float32 is off by 1.3e-5, 1 - 0.9999 by ten times that; all other rounding errors are far smaller.
    slow = any(0.999 < x < 1 for x in registry.numeric(tx).values())
    registry.assert_close(static, injected, rtol=2e-4 if slow else 2e-5, atol=1e-9)


@pytest.mark.parametrize("name", registry.sampled(TOGETHER))
def test_a_new_value_does_not_recompile_if_the_transformation_is_an_argument(name):
    tx, (p, g) = registry.make(name), registry.matrix()
    registry.step_with(tx, g, tx.init(p), p)
    compiled = registry.step_with._cache_size()
    changed = tx.replace(**registry.other_values(tx))
    registry.step_with(changed, g, changed.init(p), p)
    assert registry.step_with._cache_size() == compiled


def assert_population_is_its_members(name, hypers):
    tx, (p, g) = registry.make(name), registry.matrix()
    choices = registry.numeric(tx), registry.other_values(tx)
    members = [tx.replace(**{h: np.float32(values[h]) for h in hypers}) for values in choices]
    batched = jax.tree.map(lambda x: 0 if isinstance(x, np.float32) else None, members[0])
    stacked = jax.tree.map(lambda *xs: jnp.stack(xs) if isinstance(xs[0], np.float32) else xs[0], *members)
    in_axes = (batched, None, None, None)
    population = jax.jit(jax.vmap(registry.advance, in_axes=in_axes))(stacked, g, tx.init(p), p)
    for i, member in enumerate(members):
        alone = registry.step_with(member, g, member.init(p), p)
        registry.assert_close(jax.tree.map(lambda x, i=i: x[i], population), alone)


@pytest.mark.parametrize("name", registry.sampled(TOGETHER))
def test_vmap_over_all_hyperparameters_equals_each_member_alone(name):
    assert_population_is_its_members(name, registry.numeric(registry.make(name)))


@pytest.mark.exhaustive
@pytest.mark.parametrize(("name", "hyper"), ALONE)
def test_vmap_over_a_hyperparameter_equals_each_value_alone(name, hyper):
    assert_population_is_its_members(name, [hyper])


@pytest.mark.scenario(
    16, "rebuilt optimizers with equal arguments compile once, and so does a sweep that is passed as an argument"
)
def test_a_sweep_over_learning_rates_and_decays_compiles_once():
    traces = []

    @jax.jit
    def step(tx, g):
        traces.append(1)
        return tx.update(g, tx.init(g), jnp.ones(()))

    for rate in np.linspace(0.1, 1.0, 10):
        for decay in (0.0, 0.1, 0.2):
            updates, _ = step(gradtx.adamw(rate, weight_decay=decay), jnp.ones(()))
            np.testing.assert_allclose(updates, -rate * (1 + decay), rtol=1e-6)
    assert len(traces) == 1


NUMBERS = [
    (name, argument)
    for name in registry.NAMES
    if registry.LIBRARY == "gradtx" and registry.make(name).name == name
    for argument, (kind, limit) in registry.annotated(name).items()
    if isinstance(limit, gradtx.Range)
]


@pytest.mark.parametrize(("name", "argument"), NUMBERS)
def test_a_number_is_the_same_however_it_is_spelt_and_a_truth_value_is_none(name, argument):
    tx = registry.make(name)
    value = tx.arguments[argument]
    if isinstance(value, float):
        assert tx.replace(**{argument: np.float64(value)}) == tx
        whole = next((x for x in (1, 0) if in_range(name, argument, x)), None)
        for kind in (int, np.int32, np.int64, np.uint8, ml_dtypes.bfloat16) if whole is not None else ():
            spelt = tx.replace(**{argument: kind(whole)}).arguments[argument]
            assert float(spelt) == whole and isinstance(spelt, float | ml_dtypes.bfloat16)
    for wrong in (True, np.True_, 1.0 + 1.0j, "1"):
        with pytest.raises(TypeError, match=f"{argument} = .* is not a number"):
            tx.replace(**{argument: wrong})


def in_range(name, argument, value):
    """Whether a transformation takes this value."""
    try:
        registry.make(name).replace(**{argument: value})
    except ValueError:
        return False
    return True


@pytest.mark.parametrize(
    ("name", "argument"),
    [(name, hyper) for name, hyper in ALONE if (name, hyper) in NUMBERS],
)
def test_a_schedule_that_returns_an_array_is_refused_by_the_name_of_its_argument(name, argument):
    tx, (p, g) = registry.make(name), registry.matrix()
    value = tx.arguments[argument]
    tx = tx.replace(**{argument: lambda step: jnp.full(3, value)})
    with pytest.raises(ValueError, match=r"has shape \(3,\); a hyperparameter is one number"):
        jax.eval_shape(registry.advance, tx, g, tx.init(p), p)


# The derivative at the end of a range is finite, but is not the slope there: the function jumps (a power of 0 at a base
# of 0), has a corner (a bound that is just reached), or is singular (a root of what vanishes).
NOT_SMOOTH = {
    ("dion", "momentum"),  # whose basis counts as a constant
    *(("acprop", "b1"), ("adabelief", "b1"), ("adafactor", "decay_rate"), ("stable_adamw", "b2")),
    *(("dadapt_adamw", "b2"), ("prodigy", "b2"), ("madgrad", "learning_rate"), ("noisy_sgd", "eta")),
    *(("sophia", "clip_threshold"), ("cosine", "exponent"), ("cosine_decay_schedule", "exponent")),
    *(("polynomial", "power"), ("polynomial_schedule", "power"), ("warmup_cosine", "exponent")),
    *(("warmup_cosine_decay_schedule", "exponent"), ("schedule_free_sgd", "learning_rate")),
    ("schedule_free_adamw", "learning_rate"),
}
ENDS = [
    (name, argument, end)
    for name in [*registry.OPTIMIZERS, *registry.SCHEDULES, "ema", "trace", "add_decayed_weights"]
    if registry.LIBRARY == "gradtx" and registry.make(name).name == name
    for argument, (kind, limit) in registry.annotated(name).items()
    if isinstance(limit, gradtx.Range)
    and kind is not float
    and isinstance(registry.make(name).arguments[argument], float)
    for end in (float(limit.low), limit.high - 2.0**-20)
    if np.isfinite(end) and not (end == limit.low and limit.open_low)
]


def after_two_updates(tx):
    """A number that depends on all parameters after two updates, or on a schedule's values."""
    if isinstance(tx, gradtx.Schedule):
        return sum(tx(step) * (step + 1.3) for step in (0, 1, 2, 5, 11))
    p = {"w": jnp.array([1.0, -2.0, 0.5]), "k": jnp.array([[0.3, -1.0], [3.0, 0.2]])}
    state = tx.init(p)
    for i in range(2):
        g = jax.tree.map(lambda x: x * (1 + i) + 0.3, p)
        updates, state = tx.update(g, state, p, value=3.0, hessian=jax.tree.map(jnp.abs, g))
        p = gradtx.apply_updates(p, updates)
    return sum(jnp.vdot(x, jnp.arange(1.0, x.size + 1).reshape(x.shape)) for x in jax.tree.leaves(p))


@registry.of_gradtx
@pytest.mark.parametrize(
    "name, argument, end",
    [
        pytest.param(*case, marks=() if case[0] in ("adam", "step_decay", "dog") and case[2] == 0 else pytest.mark.slow)
        for case in ENDS
    ],
)
def test_the_derivative_at_the_end_of_a_range_is_finite_and_the_slope_there(name, argument, end):
    def result(x):
        return after_two_updates(registry.make(name).replace(**{argument: x}))

    with jax.enable_x64(True):
        derivative = jax.jit(jax.grad(result))(end)
        assert np.isfinite(derivative)
        if end == registry.annotated(name)[argument][1].low and (name, argument) not in NOT_SMOOTH:
            compiled, step = jax.jit(result), 1e-7
            slope = (compiled(end + step) - compiled(end)) / step
            np.testing.assert_allclose(derivative, slope, rtol=1e-3, atol=1e-3)
