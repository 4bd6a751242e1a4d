"""Common mistakes of users. misuses.txt holds the message for each: who complains, where, and what to do."""

import jax
import jax.numpy as jnp

import gradtx

P = {"dense": {"kernel": jnp.ones((2, 3)), "bias": jnp.ones(3)}}
G = jax.tree.map(lambda x: 2 * x, P)
SMALL = {"dense": {"kernel": jnp.ones((2, 2)), "bias": jnp.ones(2)}}
ADAM = gradtx.adam(0.1)
MUON = gradtx.muon(0.1)
CUBE = {"w": jnp.ones((2, 3, 4))}
CLIPPED = gradtx.chain(gradtx.clip(1.0), adam=ADAM)


def adam_on(g, p=P):
    """An Adam update with these gradients."""
    return ADAM.update(g, ADAM.init(p), p)


def adam_with_rate(rate):
    """An Adam update with this learning rate."""
    tx = gradtx.adam(rate)
    return tx.update(G, tx.init(P))


def one_update(tx):
    """The first update of a transformation."""
    return tx.update(G, tx.init(P), P)


def velocity(u, s, p):
    """The update of a user's own stage."""
    return u + s, u + s


def nothing():
    """A factory that forgets to return."""


def plateau_with(**extra):
    """An update that needs the loss, with these extra arguments."""
    tx = gradtx.sgd(gradtx.plateau(0.1))
    return tx.update(G, tx.init(P), P, **extra)


MISUSES = {
    # Hyperparameters out of range
    "b1 of one": lambda: gradtx.adam(0.1, b1=1.0),
    "negative b2": lambda: gradtx.adamw(0.1, b2=-0.5),
    "negative rate": lambda: gradtx.sgd(-0.1),
    "infinite rate": lambda: gradtx.sgd(float("inf")),
    "NaN rate": lambda: gradtx.adam(float("nan")),
    "an array with one bad rate": lambda: gradtx.sgd(jnp.array([0.1, -1.0])),
    "negative decay": lambda: gradtx.adamw(0.1, weight_decay=-1.0),
    "negative eps": lambda: gradtx.rmsprop(0.1, eps=-1e-8),
    "momentum of one": lambda: gradtx.sgd(0.1, momentum=1.0),
    "negative norm": lambda: gradtx.clip_by_global_norm(-1.0),
    "negative bound": lambda: gradtx.clip(-1.0),
    "a rate in words": lambda: gradtx.sgd("fast"),
    "a truth value for a rate": lambda: gradtx.sgd(True),
    "a complex rate": lambda: gradtx.sgd(0.1 + 0.2j),
    "no rate": lambda: gradtx.adam(None),
    "a rate left out": lambda: gradtx.adam(),
    "a hyperparameter by another name": lambda: gradtx.adam(0.1, beta1=0.9),
    "a rate for each of three": lambda: adam_with_rate(jnp.ones(3)),
    "a decay for each of three": lambda: one_update(gradtx.adam(0.1, b1=jnp.full(3, 0.9))),
    "a schedule that returns an array": lambda: adam_with_rate(lambda step: jnp.array([0.1, 0.2])),
    "negative steps": lambda: gradtx.cosine(0.1, -5),
    "half a step": lambda: gradtx.warmup(0.1, 2.5),
    "no steps between cuts": lambda: gradtx.step_decay(0.1, 0),
    "warm-up beyond the end": lambda: gradtx.warmup_cosine(0.1, 10, 5),
    "patience below zero": lambda: gradtx.plateau(0.1, patience=-1),
    "a factor of one": lambda: gradtx.plateau(0.1, factor=1.0),
    # Chains
    "moments where arrays are wanted": lambda: gradtx.chain(gradtx.track_moments(), gradtx.scale(0.1)),
    "arrays where moments are wanted": lambda: gradtx.chain(gradtx.scale(0.1), gradtx.scale_by_moments()),
    "two stages of one name": lambda: gradtx.chain(gradtx.scale(1.0), scale=gradtx.clip(1.0)),
    "a stage called step": lambda: gradtx.chain(step=gradtx.scale(1.0)),
    "a stage with a slash in its name": lambda: gradtx.chain(**{"a/b": gradtx.scale(1.0)}),
    "a stage called lambda": lambda: gradtx.chain(**{"lambda": gradtx.scale(1.0)}),
    "a factory not called": lambda: gradtx.chain(gradtx.adam),
    "a number as a stage": lambda: gradtx.chain(clip=1.0),
    "a list of stages": lambda: gradtx.chain([gradtx.scale(1.0)]),
    # Values
    "replacing what is not there": lambda: ADAM.replace(lr=0.1),
    "the class called": lambda: gradtx.GradientTransformation(lambda p: p, lambda u, s: u),
    "an option that has no hash": lambda: gradtx.treewise(lambda updates, s, params, names: (updates, s), names={1, 2}),
    "a factory by position": lambda: gradtx.transformation(lambda *stages: None),
    "a stateful schedule called": lambda: gradtx.plateau(0.1)(3),
    # Stages that users write
    "keep for keeps": lambda: gradtx.leafwise(velocity, keep="x"),
    "init without keeps": lambda: gradtx.leafwise(velocity, jnp.zeros_like),
    "a treewise init without keeps": lambda: gradtx.treewise(velocity, lambda params: params),
    "an update of two arguments": lambda: gradtx.leafwise(lambda u, s: (u, s)),
    "an update without its hyperparameter": lambda: gradtx.leafwise(lambda u, s, p: (u, s), b=0.9),
    "a wrapper's update without run": lambda: gradtx.wrapping(ADAM, lambda g, s, p: (g, s)),
    "a schedule of two arguments": lambda: gradtx.stepwise(lambda step, rate: rate * step),
    "an update that returns one thing": lambda: one_update(gradtx.leafwise(lambda u, s, p: u)),
    "an update that returns its moments": lambda: one_update(
        gradtx.leafwise(lambda u, s, p: gradtx.Moments(u, u), keeps=gradtx.Moments)
    ),
    "an update that keeps what it does not declare": lambda: one_update(gradtx.leafwise(lambda u, s, p: (u, u))),
    "an update that forgets what it keeps": lambda: one_update(
        gradtx.leafwise(lambda u, s, p: (u, (s.first, s.second)), keeps=gradtx.Moments)
    ),
    "a treewise update that returns one thing": lambda: one_update(gradtx.treewise(lambda u, s, p: u)),
    "keeps of a list": lambda: gradtx.leafwise(velocity, keeps=["m", "v"]),
    "needs of a string": lambda: gradtx.leafwise(velocity, keeps="velocity", needs="params"),
    "one name for what is kept and for a hyperparameter": lambda: gradtx.leafwise(
        lambda u, s, p, decay: (u, s), keeps="decay", decay=0.9
    ),
    "an age without a field": lambda: gradtx.leafwise(
        lambda u, s, p, age: (u, s), keeps=gradtx.Moments, needs=("age",)
    ),
    "a factory that returns nothing": lambda: gradtx.transformation(nothing)(),
    "a wrapper of what is no transformation": lambda: gradtx.wrapping(gradtx.adam, lambda run, g, s, p: (run(g), s)),
    "run.when undeclared": lambda: one_update(gradtx.wrapping(ADAM, lambda run, g, s, p: (run.when(True, g), s))),
    "boundaries in a list": lambda: gradtx.piecewise_constant(0.1, [10, 20]),
    "a word that is no choice": lambda: gradtx.polyak_sgd(variant="spss"),
    "a stage after a line search": lambda: gradtx.chain(gradtx.line_search(), gradtx.scale(0.5)),
    "a stage after a wrapped line search": lambda: gradtx.chain(gradtx.ema_params(gradtx.lbfgs()), gradtx.clip(0.5)),
    # Trees
    "a gradient of another shape": lambda: adam_on({"dense": {"kernel": jnp.ones((2, 3)), "bias": jnp.ones(1)}}),
    "a gradient of another shape, without params": lambda: ADAM.update(
        {"dense": {"kernel": jnp.ones((2, 3)), "bias": jnp.ones(1)}}, ADAM.init(P)
    ),
    "a missing gradient": lambda: adam_on({"dense": {"kernel": jnp.ones((2, 3))}}),
    "a gradient too many": lambda: adam_on({**P, "extra": jnp.ones(1)}),
    "integer parameters": lambda: ADAM.init({"ids": jnp.arange(3)}),
    "params forgotten": lambda: gradtx.adamw(0.1).update(G, gradtx.adamw(0.1).init(P)),
    "an array where there was none": lambda: ADAM.update({"a": jnp.ones(2)}, ADAM.init({"a": None})),
    "params of another structure in apply_updates": lambda: gradtx.apply_updates(P, {"dense": jnp.ones(3)}),
    "an update of another shape in apply_updates": lambda: gradtx.apply_updates(jnp.ones(3), jnp.ones(1)),
    "a mask that lacks an array": lambda: gradtx.masked(ADAM, {"dense": {"kernel": True}}).init(P),
    "a mask of words": lambda: gradtx.masked(ADAM, {"dense": "yes"}).init(P),
    "a wrapper that never runs what it wraps": lambda: one_update(gradtx.wrapping(ADAM, lambda run, g, s, p: (g, s))),
    "a wrapper that runs twice": lambda: one_update(gradtx.wrapping(ADAM, lambda run, g, s, p: (run(run(g)), s))),
    "a wrapper that returns only updates": lambda: gradtx.wrapping(ADAM, lambda run, g, s, p: run(g)),
    "a wrapper that returns another structure": lambda: gradtx.wrapping(ADAM, lambda run, g, s, p: ([run(g)], s)),
    "an array that no group takes": lambda: gradtx.groups({"*/bias": ADAM}).init(P),
    "no groups": lambda: gradtx.groups({}),
    "a number as a pattern": lambda: gradtx.groups({1: ADAM}),
    "an override of an option": lambda: gradtx.overrides(ADAM, {"*/bias": {"where": "*/bias"}}),
    "an override of an unknown argument": lambda: gradtx.overrides(ADAM, {"*/bias": {"rate": 0.1}}),
    "an override that needs another stage": lambda: gradtx.overrides(gradtx.sgd(0.1), {"*": {"momentum": 0.9}}),
    "half a gradient for a step": lambda: gradtx.accumulate(ADAM, 0.5),
    "a schedule of an adjustable number": lambda: gradtx.adjustable(gradtx.cosine(0.1, 10)),
    "no function to measure with": lambda: gradtx.measure(norm=1.0),
    "a pattern that fits no array": lambda: gradtx.masked(ADAM, ".*bias").init(P),
    "a mask of arrays": lambda: gradtx.masked(ADAM, {"dense": jnp.array([True, False])}).init(P),
    "a mask that jit traces": lambda: jax.jit(lambda m: gradtx.masked(ADAM, m).init(P))(True),
    "None as a label": lambda: gradtx.partition({None: ADAM, "a": ADAM}, "a"),
    "a tuple as a label": lambda: gradtx.partition({("a", 1): ADAM}, ("a", 1)),
    "a label with a slash": lambda: gradtx.partition({"a/b": ADAM}, "a/b"),
    "labels of two types": lambda: gradtx.partition({"a": ADAM, 1: ADAM}, "a"),
    "a label of no group": lambda: gradtx.partition(
        {"a": ADAM}, lambda p: {"dense": {"kernel": "a", "bias": "b"}}
    ).init(P),
    "a mask for what is no transformation": lambda: gradtx.masked(gradtx.adam, True),
    "a mask for a stage that gives moments": lambda: gradtx.masked(gradtx.track_moments(), True),
    "a group called step": lambda: gradtx.partition({"step": ADAM}, "step"),
    # Matrices
    "three axes without words": lambda: MUON.init(CUBE),
    "words of another array": lambda: gradtx.muon(0.1, axes={"w": "i o"}).init(CUBE),
    "a word that is none": lambda: gradtx.muon(0.1, axes={"w": "in out"}),
    "no transformation for biases": lambda: one_update(MUON),
    "an unknown set of coefficients": lambda: gradtx.muon(0.1, coefficients="yu"),
    "a mesh axis that is not there": lambda: one_update(gradtx.orthogonalize(spread="data")),
    # States
    "the state of another optimizer": lambda: ADAM.update(G, gradtx.sgd(0.1, 0.9).init(P), P),
    "params in the place of the state": lambda: ADAM.update(G, P, ADAM.init(P)),
    "the state of a longer chain": lambda: gradtx.sgd(0.1).update(G, gradtx.sgd(0.1, 0.9).init(P)),
    "no state": lambda: ADAM.update(G, None),
    "the state for other params": lambda: ADAM.update(G, ADAM.init({"w": jnp.ones(3)})),
    "a state from before the chain was edited": lambda: CLIPPED.update(
        G, gradtx.chain(adam=ADAM, ema=gradtx.trace(0.9)).init(P), P
    ),
    "a checkpoint of other shapes": lambda: gradtx.restore_state(ADAM.init(P), gradtx.flat_state(ADAM.init(SMALL))),
    # Extra arguments
    "a loss forgotten": lambda: plateau_with(),
    "a loss misspelt": lambda: plateau_with(vlaue=1.0),
    "a loss that is None": lambda: plateau_with(value=None),
    "a complex loss": lambda: plateau_with(value=1.0 + 1.0j),
    "a loss per example": lambda: plateau_with(value=jnp.ones(4)),
}
