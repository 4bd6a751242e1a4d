"""Methods of matrices follow their papers' rules, which `papers` implements independently in NumPy and float64."""

import functools

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import gradtx
from gradtx.transforms.matrices import noise
from gradtx.transforms.orthogonalize import COEFFICIENTS
from papers import adamuon, apollo, dion, galore, muon, normuon, psgd_kron, scion, shampoo, soap

STEPS = 30
SQUARE, TALL, WIDE, NEARLY = (5, 5), (6, 4), (4, 6), (5, 4)
RANDOM = np.random.default_rng(0)
# New gradients of full rank in each step, for a method of eigenvectors is ill-conditioned where those repeat.
GRADIENTS = {shape: RANDOM.normal(size=(STEPS, *shape)) for shape in (SQUARE, TALL, WIDE, NEARLY)}
JORDAN = COEFFICIENTS["jordan"]


def path(tx, shape, dtype=np.float64):
    """The parameters after each step, and before the first."""

    def step(carry, g):
        p, state = carry
        updates, state = tx.update(g, state, p)
        p = gradtx.apply_updates(p, updates)
        return (p, state), p

    with jax.enable_x64(dtype == np.float64):
        p = jnp.ones(shape, dtype)
        found = jax.jit(lambda p, gs: jax.lax.scan(step, (p, tx.init(p)), gs)[1])(
            p, jnp.asarray(GRADIENTS[shape], dtype)
        )
        return np.concatenate([np.ones((1, *shape)), np.asarray(found)])


def paper(rule, shape, **options):
    return rule.path(np.ones(shape), GRADIENTS[shape], **options)


def kron_noise(t, shape):
    with jax.enable_x64(True):
        return np.asarray(noise(0, jnp.int32(t - 1), jnp.uint32(0), jnp.zeros(shape)))


def apollo_noise(k, rank, rows):
    return np.asarray(noise(0, jnp.int32(k - 1), jnp.uint32(0), jnp.zeros((rank, rows), np.float32)))


def first_factor(shape, rank):
    return np.asarray(jax.random.normal(jax.random.key(0), (shape[0], rank), jnp.float32))


EXACT = {
    "muon": (gradtx.muon(0.02), muon, {"rate": 0.02}, (SQUARE, TALL, WIDE)),
    "muon of other options": (
        gradtx.muon(0.02, 0.9, False, "jordan", "rms", weight_decay=0.1),
        muon,
        {"momentum": 0.9, "nesterov": False, "coefficients": JORDAN, "sides": "rms", "weight_decay": 0.1},
        (TALL,),
    ),
    "muon of own numbers": (
        gradtx.muon(0.02, coefficients=[(3, -3.2, 1.2), (1.5, -0.5, 0.0)], iterations=4, sides="unit"),
        muon,
        {"coefficients": [(3, -3.2, 1.2), *[(1.5, -0.5, 0.0)] * 3], "sides": "unit"},
        (WIDE,),
    ),
    "normuon": (gradtx.normuon(0.02), normuon, {}, (SQUARE, TALL, WIDE)),
    "adamuon": (gradtx.adamuon(0.02), adamuon, {"nesterov": True, "norm_eps": 1e-8}, (SQUARE, WIDE)),
    "scion": (gradtx.scion(0.001), scion, {"rate": 0.001}, (SQUARE, TALL)),
    "scion with a constraint": (
        gradtx.scion(0.001, weight_decay=1.0),
        scion,
        {"rate": 0.001, "constrained": True},
        (WIDE,),
    ),
    "soap": (
        gradtx.soap(0.01, floor=0.0, stagger=False, weight_decay=None),
        soap,
        {"rate": 0.01},
        (SQUARE, NEARLY),
    ),
    "soap with a floor": (
        gradtx.soap(0.01, update_interval=3, floor=0.1, stagger=False, weight_decay=None),
        soap,
        {"rate": 0.01, "interval": 3, "floor": 0.1},
        (SQUARE,),
    ),
    "dion": (
        gradtx.dion(0.01, rank=3, weight_decay=0.1),
        dion,
        {"weight_decay": 0.1},
        (SQUARE, TALL, WIDE),
    ),
    "psgd_kron": (gradtx.psgd_kron(0.01), psgd_kron, {"rate": 0.01}, (SQUARE, TALL, WIDE)),
    "psgd_kron with a diagonal": (
        gradtx.psgd_kron(0.01, max_side=4),
        psgd_kron,
        {"rate": 0.01, "max_side": 4},
        (TALL,),
    ),
    "psgd_kron of an interval": (
        gradtx.psgd_kron(0.01, update_interval=gradtx.kron_interval(1.0, 4.0, 0.1, 3)),
        psgd_kron,
        {"rate": 0.01, "interval": lambda t: t in psgd_kron.update_steps(STEPS, KRON_PROBABILITY)},
        (SQUARE,),
    ),
    "galore": (
        gradtx.galore(0.01, rank=2),
        galore,
        {"rank": 2},
        (SQUARE, TALL, WIDE),
    ),
    "apollo": (gradtx.apollo(0.01, rank=2), apollo, {}, (SQUARE, TALL, WIDE)),
    "apollo_mini": (gradtx.apollo_mini(0.01), apollo, {"scale": 128.0, "whole": True}, (SQUARE, TALL)),
}
KRON_PROBABILITY = functools.partial(psgd_kron.update_probability, minimum=0.25, decay=0.1, flat_start=3)
# `make test` compiles each rule for its first shape, and Muon for all.
CASES = [
    pytest.param(
        name,
        shape,
        id=f"{name}, {shape[0]}x{shape[1]}",
        marks=() if shape == shapes[0] or rule is muon else pytest.mark.slow,
    )
    for name, (_, rule, _, shapes) in EXACT.items()
    for shape in shapes
]
# In float32 where random numbers are drawn in that; the others in float64.
SINGLE = {"apollo", "apollo_mini"}
TOLERANCE = {"galore": 1e-8, "apollo": 3e-6, "apollo_mini": 3e-5}


@pytest.mark.parametrize(("name", "shape"), CASES)
def test_a_method_of_matrices_follows_its_paper(name, shape):
    tx, rule, options, _ = EXACT[name]
    if rule is psgd_kron:
        options = {**options, "noise": functools.partial(kron_noise, shape=shape)}
    if rule is apollo:
        rank = 1 if name == "apollo_mini" else 2
        options = {**options, "noise": functools.partial(apollo_noise, rank=rank, rows=min(shape))}
    if rule is dion:
        with jax.enable_x64(True):
            start = np.asarray(jax.random.normal(jax.random.key(0), (shape[0], 3), jnp.float64))
        options = {**options, "q": start}
    ours = path(tx, shape, np.float32 if name in SINGLE else np.float64)
    np.testing.assert_allclose(ours, paper(rule, shape, **options), rtol=0, atol=TOLERANCE.get(name, 1e-10))


@pytest.mark.parametrize("inverse", ["eigh", "newton"])
@pytest.mark.parametrize(("shape", "block"), [(SQUARE, None), (TALL, None), (WIDE, 3)])
def test_shampoo_follows_its_paper(inverse, shape, block):
    # Where L begins with a low rank, its null space is ill-conditioned: eps is of the size of the roots' own rounding.
    options = {"eps": 1e-6, "block": block, "rate": 0.01}
    tx = gradtx.shampoo(0.01, eps=1e-6, update_interval=1, block_size=block, inverse=inverse)
    np.testing.assert_allclose(path(tx, shape), paper(shampoo, shape, **options), rtol=0, atol=1e-6)


def test_shampoo_takes_adams_steps_until_its_start():
    tx = gradtx.shampoo(0.01, start_step=STEPS)
    np.testing.assert_allclose(path(tx, TALL), path(gradtx.adam(0.01), TALL), rtol=0, atol=1e-12)


def test_the_interval_of_the_fits_is_one_over_the_authors_probability():
    interval = gradtx.kron_interval()
    for step in (0, 499, 500, 1000, 3000, 20000):
        np.testing.assert_allclose(interval(step), 1 / psgd_kron.update_probability(step), rtol=1.1e-2)


@pytest.mark.parametrize("floor", [0.0, 1e-5])
def test_the_floor_keeps_soaps_steps_in_the_space_of_gradients_of_rank_one(floor):
    left, right = RANDOM.normal(size=8), RANDOM.normal(size=8)
    gradients = [jnp.asarray(np.outer(left, right) * RANDOM.normal(), jnp.float32) for _ in range(20)]
    tx = gradtx.scale_by_soap(floor=floor)
    state, update = tx.init(gradients[0]), jax.jit(tx.update)
    outside = []
    for g in gradients:
        u, state = update(g, state)
        along = np.outer(left, right) / np.linalg.norm(np.outer(left, right))
        u = np.asarray(u, np.float64)
        outside.append(np.linalg.norm(u - np.vdot(along, u) * along))
    if floor:
        assert max(outside) < 0.1
    else:
        assert max(outside) > 1  # what the floor is for


def test_dion_leaves_in_the_velocity_what_a_step_of_low_rank_has_not_used():
    tx = gradtx.scale_by_dion(0.95, rank=2)
    g = jnp.asarray(GRADIENTS[SQUARE][0], jnp.float32)
    u, state = tx.update(g, tx.init(g))
    left = np.linalg.qr(np.asarray(g).T @ first_factor(SQUARE, 2))[0]
    expected = np.asarray(g) - 0.05 * np.asarray(g) @ left @ left.T
    np.testing.assert_allclose(state["scale_by_dion"].velocity, expected, atol=1e-5)
    assert np.linalg.matrix_rank(np.asarray(u), tol=1e-4) == 2


@pytest.mark.parametrize("name", ["galore", "apollo", "dion"])
def test_a_low_rank_keeps_little(name):
    p = jnp.zeros((64, 64))
    options = {} if name == "dion" else {"rank": 4}
    small = jax.eval_shape(getattr(gradtx, name)(0.1, **options).init, p)
    kept = sum(x.size for x in jax.tree.leaves(small))
    assert kept < {"galore": 0.2, "apollo": 0.2, "dion": 2.1}[name] * p.size
