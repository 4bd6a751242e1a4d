"""Promise 7: what is wrong raises when it is built or traced, and says what, where and what to do."""

import jax
import jax.numpy as jnp
import pytest

import gradtx
from properties import registry

P = {"dense": {"kernel": jnp.ones((2, 3)), "bias": jnp.ones(3)}}
ADAM = gradtx.adam(0.1)


def adam_on(g, p=P):
    return ADAM.update(g, ADAM.init(p), p)


def plateau_with(**extra):
    tx = gradtx.sgd(gradtx.plateau(0.1))
    return tx.update(P, tx.init(P), P, **extra)


MISUSES = {
    # Hyperparameters out of their range
    "b1 of one": (
        lambda: gradtx.adam(0.1, b1=1.0),
        ValueError,
        ["b1 = 1.0", "at least 0 and below 1", "adam(learning_rate=0.1, b1=1.0"],
    ),
    "negative b2": (lambda: gradtx.adamw(0.1, b2=-0.5), ValueError, ["b2 = -0.5", "track_moments("]),
    "negative rate": (
        lambda: gradtx.sgd(-0.1),
        ValueError,
        ["learning_rate = -0.1", "at least 0", "while making sgd("],
    ),
    "infinite rate": (lambda: gradtx.sgd(float("inf")), ValueError, ["learning_rate = inf", "finite"]),
    "NaN rate": (lambda: gradtx.adam(float("nan")), ValueError, ["learning_rate = nan"]),
    "an array with one bad rate": (lambda: gradtx.sgd(jnp.array([0.1, -1.0])), ValueError, ["out of range"]),
    "negative decay": (lambda: gradtx.adamw(0.1, weight_decay=-1.0), ValueError, ["weight_decay = -1.0"]),
    "negative eps": (lambda: gradtx.rmsprop(0.1, eps=-1e-8), ValueError, ["eps = -1e-08"]),
    "momentum of one": (
        lambda: gradtx.sgd(0.1, momentum=1.0),
        ValueError,
        ["decay = 1.0", "sgd(learning_rate=0.1, momentum=1.0)"],
    ),
    "negative norm": (lambda: gradtx.clip_by_global_norm(-1.0), ValueError, ["max_norm = -1.0"]),
    "negative bound": (lambda: gradtx.clip(-1.0), ValueError, ["max_delta = -1.0"]),
    "a rate in words": (lambda: gradtx.sgd("fast"), TypeError, ["learning_rate = 'fast' is not a number", "schedule"]),
    "no rate": (lambda: gradtx.adam(None), TypeError, ["learning_rate = None is not a number"]),
    "a rate for each of three": (
        lambda: adam_with_rate(jnp.ones(3)),
        ValueError,
        ["learning_rate has shape (3,)", "jax.vmap"],
    ),
    "negative steps": (lambda: gradtx.cosine(0.1, -5), ValueError, ["decay_steps = -5", "at least 0"]),
    "half a step": (lambda: gradtx.warmup(0.1, 2.5), TypeError, ["warmup_steps = 2.5 is not an int"]),
    "no steps between cuts": (lambda: gradtx.step_decay(0.1, 0), ValueError, ["transition_steps = 0", "at least 1"]),
    "warm-up beyond the end": (
        lambda: gradtx.warmup_cosine(0.1, 10, 5),
        ValueError,
        ["decay_steps = 5", "at least 10"],
    ),
    "patience below zero": (lambda: gradtx.plateau(0.1, patience=-1), ValueError, ["patience = -1"]),
    "a factor of one": (lambda: gradtx.plateau(0.1, factor=1.0), ValueError, ["factor = 1.0"]),
    # Chains
    "moments where arrays are wanted": (
        lambda: gradtx.chain(gradtx.track_moments(), gradtx.scale(0.1)),
        TypeError,
        ["'track_moments' gives Moments", "'scale' after it takes arrays", "takes Moments and gives arrays"],
    ),
    "arrays where moments are wanted": (
        lambda: gradtx.chain(gradtx.scale(0.1), gradtx.scale_by_moments()),
        TypeError,
        ["'scale' gives arrays", "takes Moments"],
    ),
    "two stages of one name": (
        lambda: gradtx.chain(gradtx.scale(1.0), scale=gradtx.clip(1.0)),
        TypeError,
        ["two stages are called 'scale'"],
    ),
    "a stage called step": (
        lambda: gradtx.chain(step=gradtx.scale(1.0)),
        TypeError,
        ["'step' is the name of the step counter"],
    ),
    "a factory not called": (lambda: gradtx.chain(gradtx.adam), TypeError, ["adam", "was it meant to be called?"]),
    "a number as a stage": (lambda: gradtx.chain(clip=1.0), TypeError, ["stage 'clip' is not a transformation", "1.0"]),
    "a list of stages": (lambda: gradtx.chain([gradtx.scale(1.0)]), TypeError, ["is not a transformation"]),
    # Values
    "replacing what is not there": (
        lambda: ADAM.replace(lr=0.1),
        TypeError,
        ["adam has no argument 'lr'", "learning_rate, b1, b2, eps"],
    ),
    "the class called": (
        lambda: gradtx.GradientTransformation(lambda p: p, lambda u, s: u),
        TypeError,
        ["made by a factory", "gradtx.chain(pair)"],
    ),
    "an option that has no hash": (
        lambda: gradtx.leafwise(lambda u, s, p, names: (u, s), names={1, 2}),
        TypeError,
        ["must be hashable"],
    ),
    "a factory by position": (
        lambda: gradtx.transformation(lambda *stages: None),
        TypeError,
        ["by position only", "named parameters"],
    ),
    "a stateful schedule called": (
        lambda: gradtx.plateau(0.1)(3),
        TypeError,
        ["not a function of the step alone", "init and update"],
    ),
    # Trees
    "a gradient of another shape": (
        lambda: adam_on({"dense": {"kernel": jnp.ones((2, 3)), "bias": jnp.ones(1)}}),
        ValueError,
        [
            "adam: updates['dense']['bias'] is float32[1]",
            "params['dense']['bias'] is float32[3]",
            "Nothing is broadcast",
        ],
    ),
    "a gradient of another shape, without params": (
        lambda: ADAM.update({"dense": {"kernel": jnp.ones((2, 3)), "bias": jnp.ones(1)}}, ADAM.init(P)),
        ValueError,
        ["(3,)", "updates['dense']['bias']"],
    ),
    "a missing gradient": (
        lambda: adam_on({"dense": {"kernel": jnp.ones((2, 3))}}),
        ValueError,
        ["['dense']['bias']", "same structure"],
    ),
    "a gradient too many": (
        lambda: adam_on({**P, "extra": jnp.ones(1)}),
        ValueError,
        ["updates['extra'] has no counterpart in params"],
    ),
    "integer parameters": (
        lambda: ADAM.init({"ids": jnp.arange(3)}),
        TypeError,
        ["params['ids'] is int32[3]", "leave it out"],
    ),
    "params forgotten": (
        lambda: gradtx.adamw(0.1).update(P, gradtx.adamw(0.1).init(P)),
        TypeError,
        ["adamw: stage 'add_decayed_weights' needs params", "update(updates, state, params)"],
    ),
    "an array where there was none": (
        lambda: ADAM.update({"a": jnp.ones(2)}, ADAM.init({"a": None})),
        ValueError,
        ["updates['a'] is an array", "keeps nothing for it", "when init(params) was called"],
    ),
    "params of another structure in apply_updates": (
        lambda: gradtx.apply_updates(P, {"dense": jnp.ones(3)}),
        ValueError,
        ["same structure"],
    ),
    "an update of another shape in apply_updates": (
        lambda: gradtx.apply_updates(jnp.ones(3), jnp.ones(1)),
        ValueError,
        ["updates is float32[1]", "params is float32[3]"],
    ),
    # States
    "the state of another optimizer": (
        lambda: ADAM.update(P, gradtx.sgd(0.1, 0.9).init(P)),
        ValueError,
        ["adam: the state has no 'track_moments'", "['step', 'trace']", "init(params)"],
    ),
    "params in the place of the state": (
        lambda: ADAM.update(P, P, P),
        ValueError,
        ["adam: the state has no 'step'", "['dense']"],
    ),
    "the state of a longer chain": (
        lambda: gradtx.sgd(0.1).update(P, gradtx.sgd(0.1, 0.9).init(P)),
        ValueError,
        ["sgd: the state has 'trace', which no stage here keeps", "init(params)"],
    ),
    "no state": (lambda: ADAM.update(P, None), ValueError, ["the state has no 'step'", "NoneType"]),
    "the state for other params": (
        lambda: ADAM.update(P, ADAM.init({"w": jnp.ones(3)})),
        ValueError,
        ["state['track_moments'].first", "updates"],
    ),
    # Extra arguments
    "a loss forgotten": (
        lambda: plateau_with(),
        TypeError,
        ["sgd: stage 'scale_by_learning_rate' needs the extra argument 'value'", "value=..."],
    ),
    "a loss misspelt": (lambda: plateau_with(vlaue=1.0), TypeError, ["'vlaue' was given: was 'value' meant?"]),
    "a loss per example": (lambda: plateau_with(value=jnp.ones(4)), ValueError, ["value has shape (4,)"]),
}


def adam_with_rate(rate):
    tx = gradtx.adam(rate)
    return tx.update(P, tx.init(P))


@pytest.mark.parametrize("misuse", MISUSES)
def test_a_misuse_says_what_is_wrong_and_what_to_do(misuse):
    call, kind, parts = MISUSES[misuse]
    with pytest.raises(kind) as caught:
        call()
    message = "\n".join([str(caught.value), *getattr(caught.value, "__notes__", [])])
    for part in parts:
        assert part in message


def test_a_misuse_raises_while_tracing():
    with pytest.raises(ValueError, match="Nothing is broadcast"):
        jax.eval_shape(adam_on, {"dense": {"kernel": jnp.ones((2, 3)), "bias": jnp.ones(1)}})


def test_an_error_inside_a_stage_is_noted_with_the_path_and_type_of_its_array():
    tx = gradtx.leafwise(lambda u, s, p: (u @ u, s))
    with pytest.raises(TypeError) as caught:
        tx.update({"square": jnp.ones((2, 2)), "oblong": jnp.ones((2, 3))}, tx.init({}))
    assert "updates['oblong'], float32[2,3]" in "\n".join(caught.value.__notes__)


@pytest.mark.parametrize("name", registry.NAMES)
def test_extra_arguments_that_no_stage_wants_are_ignored(name):
    tx, p = registry.MAKE[name](), registry.params()
    tx.update(registry.grads(), tx.init(p), p, value=1.0, grad=p, value_fn=lambda p: 0.0)


@pytest.mark.parametrize("name", registry.NAMES)
def test_a_gradient_of_another_shape_than_its_parameter_is_refused(name):
    tx, p = registry.MAKE[name](), registry.params()
    with pytest.raises(ValueError, match=r"updates\['w'\] is float32\[1\].*\n?"):
        registry.advance(tx, {**registry.grads(), "w": jnp.ones(1)}, tx.init(p), p)


@pytest.mark.parametrize("name", registry.NAMES)
def test_integer_parameters_alone_are_refused(name):
    with pytest.raises(TypeError, match="no array in params is floating"):
        registry.MAKE[name]().init({"ids": jnp.arange(3)})
