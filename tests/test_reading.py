"""`hyperparams`, `set_hyperparams`, `metrics` and `describe`: what a run says of itself."""

import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest
from flax.training.train_state import TrainState

import gradtx
from properties import registry

P = {"w": jnp.ones((4, 4)), "b": jnp.ones(3)}


def steps(tx, n, **extra):
    state = tx.init(P)
    for _ in range(n):
        _, state = tx.update(P, state, P, **extra)
    return state


def numbers(tx, state, **extra):
    return {name: round(float(x), 6) for name, x in gradtx.hyperparams(tx, state, **extra).items()}


def test_hyperparameters_are_those_of_the_next_update():
    tx = gradtx.chain(clip=gradtx.clip_by_global_norm(2.0), opt=gradtx.sgd(gradtx.linear(1.0, 0.0, 4), momentum=0.9))
    for n in range(3):
        expected = {"clip/max_norm": 2.0, "opt/learning_rate": 1.0 - n / 4, "opt/momentum": 0.9}
        assert numbers(tx, steps(tx, n)) == expected
        found = jax.jit(lambda s: gradtx.hyperparams(tx, s))(steps(tx, n))
        assert {name: round(float(x), 6) for name, x in found.items()} == expected


@pytest.mark.parametrize("name", registry.OPTIMIZERS)
def test_an_optimizer_shows_every_number_under_its_own_name(name):
    tx = registry.make(name)
    shown = {key: float(x) for key, x in gradtx.hyperparams(tx, tx.init(P)).items() if key.startswith(f"{name}/")}
    given = {f"{name}/{key}": float(np.float32(x)) for key, x in tx.arguments.items() if isinstance(x, float)}
    assert shown == given


def test_a_plateau_is_shown_as_it_stands():
    tx = gradtx.masked(gradtx.sgd(gradtx.plateau(0.8, factor=0.5, patience=0)), True)
    assert numbers(tx, steps(tx, 3, value=1.0)) == {"sgd/learning_rate": 0.2}
    assert numbers(tx, steps(tx, 3, value=1.0), value=2.0) == {"sgd/learning_rate": 0.1}


def test_inside_a_wrapper_that_skips_a_schedule_is_shown_at_the_steps_taken():
    tx = gradtx.accumulate(gradtx.sgd(gradtx.linear(1.0, 0.0, 4)), gradtx.linear(2.0, 6.0, 4))
    assert numbers(tx, steps(tx, 2)) == {"accumulate/every": 3.0, "sgd/learning_rate": 0.75}


def test_one_optimizer_in_two_groups_is_shown_at_the_steps_of_each():
    tx = gradtx.sgd(gradtx.linear(1.0, 0.0, 4))
    both = gradtx.groups({"b": gradtx.accumulate(tx, 2), "**": gradtx.accumulate(tx, 4)})
    found = numbers(both, steps(both, 4))
    assert (found["b/sgd/learning_rate"], found["**/sgd/learning_rate"]) == (0.5, 0.75)


def test_overrides_are_shown_with_their_pattern():
    tx = gradtx.overrides(gradtx.sgd(1.0), {"b": {"learning_rate": gradtx.linear(2.0, 0.0, 4)}})
    assert numbers(tx, steps(tx, 1)) == {"sgd/learning_rate": 1.0, "sgd/learning_rate[b]": 1.5}


ADJUSTABLE = gradtx.adamw(gradtx.adjustable(0.1), b1=gradtx.adjustable(0.9))


def test_a_number_that_was_set_gives_the_bits_of_an_optimizer_with_that_number():
    state = gradtx.set_hyperparams(ADJUSTABLE.init(P), {"adamw/learning_rate": 0.3, "**/b1": 0.5})
    plain = gradtx.adamw(gradtx.constant(0.3), b1=gradtx.adjustable(0.5))
    found, _ = jax.jit(ADJUSTABLE.update)(P, state, P)
    expected, _ = jax.jit(plain.update)(P, plain.init(P), P)
    assert registry.bits(found) == registry.bits(expected)
    assert numbers(ADJUSTABLE, state)["adamw/b1"] == 0.5


def test_setting_a_number_compiles_nothing():
    traces = []

    @jax.jit
    def step(state):
        traces.append(1)
        return ADJUSTABLE.update(P, state, P)[1]

    state = step(ADJUSTABLE.init(P))
    step(gradtx.set_hyperparams(state, {"learning_rate": jnp.float16(0.5)}))
    assert len(traces) == 1


def test_a_number_is_set_in_the_train_state_of_flax():
    train = TrainState.create(apply_fn=None, params=P, tx=ADJUSTABLE)
    train = gradtx.set_hyperparams(train, {"adamw/learning_rate": 0.25})
    assert numbers(ADJUSTABLE, train.opt_state)["adamw/learning_rate"] == 0.25


NESTINGS = {
    "skip": gradtx.skip_nonfinite,
    "average": gradtx.ema_params,
    "chain": lambda tx: gradtx.chain(gradtx.clip(1.0), tx),
    "after a schedule": lambda tx: gradtx.chain(gradtx.adjustable(1.0) * gradtx.constant(1.0), tx),
}


@pytest.mark.parametrize("wrap", NESTINGS.values(), ids=NESTINGS)
def test_a_number_is_set_through_any_nesting(wrap):
    tx = wrap(ADJUSTABLE)
    state = gradtx.set_hyperparams(tx.init(P), {"adamw/learning_rate": 0.5})
    assert numbers(tx, state)["adamw/learning_rate"] == 0.5


def test_the_height_of_a_schedule_is_adjustable():
    tx = gradtx.sgd(gradtx.adjustable(1.0) * gradtx.linear(1.0, 0.0, 4))
    state = gradtx.set_hyperparams(steps(tx, 2), {"**/learning_rate": 0.5})
    assert numbers(tx, state) == {"sgd/learning_rate": 0.25}


def test_an_unknown_or_ambiguous_name_is_an_error():
    tx = gradtx.groups({"b": ADJUSTABLE, "**": ADJUSTABLE})
    with pytest.raises(ValueError, match=r"no adjustable hyperparameter is called 'learning_rat'.*adamw/learning_rate"):
        gradtx.set_hyperparams(tx.init(P), {"learning_rat": 0.1})
    with pytest.raises(ValueError, match="'learning_rate' is ambiguous"):
        gradtx.set_hyperparams(tx.init(P), {"learning_rate": 0.1})
    state = gradtx.set_hyperparams(tx.init(P), {"b/adamw/learning_rate": 0.5})
    assert [numbers(tx, state)[f"{group}/adamw/learning_rate"] for group in ("b", "**")] == [0.5, 0.1]
    state = gradtx.set_hyperparams(tx.init(P), {"**/learning_rate": 0.5})
    assert [numbers(tx, state)[f"{group}/adamw/learning_rate"] for group in ("b", "**")] == [0.5, 0.5]


def test_metrics_are_what_is_counted_and_measured_and_the_hyperparameters_but_no_parameter():
    tx = gradtx.skip_nonfinite(gradtx.chain(gradtx.measure(norm=gradtx.global_norm, ratio=_ratio), gradtx.sgd(0.1)))
    p = {"w": jnp.ones(3), "scalar": jnp.array(1.0)}
    _, state = tx.update(p, tx.init(p), p)
    found = {name: round(float(x), 6) for name, x in gradtx.metrics(tx, state).items()}
    counted = {"step": 1.0, "skip_nonfinite/in_a_row": 0.0, "skip_nonfinite/skipped": 0.0}
    assert found == {**counted, "measure/norm": 2.0, "measure/ratio": 1.0, "sgd/learning_rate": 0.1}
    momentum = gradtx.sgd(0.1, 0.9)
    assert set(gradtx.metrics(momentum, momentum.init(p))) == {"step", "sgd/learning_rate", "sgd/momentum"}


def _ratio(updates, params):
    return gradtx.global_norm(updates) / gradtx.global_norm(params)


def test_a_norm_that_is_measured_before_it_is_clipped_costs_nothing():
    def cost(*stages):
        tx = gradtx.chain(*stages, gradtx.clip_by_global_norm(1.0), gradtx.sgd(0.1))
        p = {f"w{i}": jnp.ones((64, 64 + i % 2)) for i in range(8)}
        analysis = jax.jit(tx.update).lower(p, tx.init(p)).compile().cost_analysis()
        return analysis["flops"], analysis["bytes accessed"]

    plain, measured = cost(), cost(gradtx.measure(norm=gradtx.global_norm))
    assert measured[0] <= plain[0] * 1.001
    assert measured[1] <= plain[1] * 1.001


def test_a_function_that_gives_no_number_is_an_error():
    tx = gradtx.measure(first=lambda updates: updates["w"])
    with pytest.raises(ValueError, match=r"first has shape \(4, 4\)"):
        tx.update(P, tx.init(P))
    with pytest.raises(TypeError, match=r"norm = 2\.0 is no function"):
        gradtx.measure(norm=2.0)


def test_describe_shows_stages_flows_rules_needs_and_bytes():
    tx = gradtx.accumulate(gradtx.chain(gradtx.clip(1.0), gradtx.adamw(gradtx.plateau(0.1))), 4)
    parts = {part.name: part for part in gradtx.describe(tx, P).rows}
    moments = parts["track_moments"]
    assert (moments.depth, moments.flow, moments.state) == (3, "arrays -> Moments", 2 * 4 * 19)
    assert parts["adamw"].needs == ("value",) and "b2 v" in moments.rule
    state = tx.init(P)
    assert parts["accumulate"].state == sum(x.nbytes for x in jax.tree.leaves(state))
    assert "<table>" in gradtx.describe(tx, P)._repr_html_()


@pytest.mark.parametrize("name", registry.NAMES)
def test_everything_can_be_described_and_explained(name):
    tx, state = registry.make(name), registry.make(name).init(P)
    held = sum(x.size * x.dtype.itemsize for x in jax.tree.leaves(state))
    assert gradtx.describe(tx, P).rows[0].state in (held, held - 4)  # without the counter of a single stage
    assert gradtx.explain(tx, P).total.startswith("2 arrays")
    gradtx.metrics(tx, state)


def test_a_model_of_70_billion_parameters_is_described_without_memory():
    block = {"qkv": (8192, 10240), "out": (8192, 8192), "up": (8192, 57344), "down": (28672, 8192)}
    params = {f"layer_{i}": {k: jax.ShapeDtypeStruct(s, jnp.bfloat16) for k, s in block.items()} for i in range(80)}
    assert "with a state of" in gradtx.describe(gradtx.adamw(3e-4), params).total


def test_optax_pairs_are_described_too():
    assert gradtx.describe(gradtx.chain(optax.adam(0.1)), P).rows[1].state > 0


def test_an_override_can_be_adjustable_and_is_set_by_its_label():
    tx = gradtx.overrides(gradtx.sgd(gradtx.adjustable(0.1)), {"b": {"learning_rate": gradtx.adjustable(0.3)}})
    assert numbers(tx, tx.init(P)) == {"sgd/learning_rate": 0.1, "sgd/learning_rate[b]": 0.3}
    state = gradtx.set_hyperparams(tx.init(P), {"sgd/learning_rate[b]": 0.5})
    assert numbers(tx, state) == {"sgd/learning_rate": 0.1, "sgd/learning_rate[b]": 0.5}
    state = gradtx.set_hyperparams(state, {"sgd/learning_rate": 0.2})
    assert numbers(tx, state) == {"sgd/learning_rate": 0.2, "sgd/learning_rate[b]": 0.5}
    state = gradtx.set_hyperparams(state, {"**/learning_rate": 0.7})
    assert set(numbers(tx, state).values()) == {0.7}


def test_the_decay_of_layers_is_one_number():
    tx = gradtx.layerwise_rate_decay(gradtx.sgd(1.0), gradtx.adjustable(0.5), ["w", "b"])
    state = gradtx.set_hyperparams(tx.init(P), {"layerwise_rate_decay/decay": 0.25})
    updates, _ = tx.update(P, state, P)
    assert (float(updates["w"][0, 0]), float(updates["b"][0])) == (-0.25, -1.0)


ONE, OTHER = gradtx.sgd(gradtx.adjustable(0.1)), gradtx.sgd(gradtx.adjustable(0.2))
TWICE = {
    "chains": gradtx.chain(a=gradtx.chain(x=ONE), b=gradtx.chain(y=OTHER)),
    "groups": gradtx.groups({"b": ONE, "**": gradtx.chain(gradtx.clip(1.0), OTHER)}),
}


@pytest.mark.parametrize("tx", TWICE.values(), ids=TWICE)
def test_one_name_for_two_numbers_is_ambiguous_wherever_they_stand(tx):
    with pytest.raises(ValueError, match="'sgd/learning_rate' is ambiguous"):
        gradtx.set_hyperparams(tx.init(P), {"sgd/learning_rate": 0.5})


def test_what_is_no_array_is_left_out_of_the_tables():
    p = {"a": jnp.ones(2), "number": 1.0, "function": jnp.sin, "n": 3, "none": None}
    assert [row.path for row in gradtx.explain(gradtx.adamw(0.1), p).rows] == ["a", "number"]
    assert gradtx.describe(gradtx.adamw(0.1), p).total.startswith("3 numbers of 12 B")
