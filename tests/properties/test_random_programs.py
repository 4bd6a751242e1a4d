"""Random transformations, with nested chains and groups, do the same on random trees as their parts one by one."""

import functools
import pickle

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import gradtx
from properties import registry

pytestmark = registry.of_gradtx

STAGES = [
    lambda: gradtx.scale(0.5),
    lambda: gradtx.clip(0.75),
    lambda: gradtx.trace(0.5),
    lambda: gradtx.scale_by_rms(0.75),
    lambda: gradtx.add_decayed_weights(0.25),
    lambda: gradtx.clip_by_global_norm(0.5),
    lambda: gradtx.warmup(1.0, 2, init_value=0.5),
    lambda: gradtx.adam(gradtx.plateau(0.5, patience=0)),
    lambda: gradtx.identity(),
    lambda: gradtx.set_to_zero(),
]
stages = st.sampled_from(range(len(STAGES)))
# A program is the number of a stage, a list of programs (a chain), a masked or cautious program, or two in groups.
programs = st.recursive(
    stages,
    lambda inner: st.one_of(
        st.lists(inner, max_size=3),
        st.tuples(st.just("masked"), inner),
        st.tuples(st.just("cautious"), inner),
        st.tuples(st.just("partition"), inner, inner),
    ),
    max_leaves=4,
)
arrays = st.tuples(
    st.sampled_from(["float32", "bfloat16", "float16", "complex64", "int32"]),
    st.sampled_from([(), (2,), (0,), (2, 3), (1, 2, 1)]),
)
# Params that are None as a whole would mean that there are no params.
trees = st.recursive(
    st.one_of(arrays, st.none()),
    lambda inner: st.one_of(
        st.dictionaries(st.sampled_from(["a", "b", "c"]), inner, max_size=3).map(lambda d: ("dict", d)),
        st.lists(inner, max_size=2).map(lambda xs: ("list", xs)),
    ),
    max_leaves=5,
).filter(lambda tree: tree is not None)


def oblong(params):
    """A mask that selects arrays with two or more axes."""
    return jax.tree.map(lambda p: jnp.ndim(p) > 1, params)


def shapes(params):
    """Labels by the same rule."""
    return jax.tree.map(lambda p: "oblong" if jnp.ndim(p) > 1 else "other", params)


def build(program):
    """Build the transformation of a program."""
    if isinstance(program, int):
        return STAGES[program]()
    if isinstance(program, list):
        return gradtx.chain(*map(build, program))
    if program[0] == "masked":
        return gradtx.masked(build(program[1]), oblong)
    if program[0] == "cautious":
        return gradtx.cautious(build(program[1]))
    return gradtx.partition({"oblong": build(program[1]), "other": build(program[2])}, shapes)


class ByHand:
    """Runs a program stage by stage on a plain list of arrays."""

    def __init__(self, program, params):
        self.program = program
        if isinstance(program, int):
            self.tx = build(program)
            self.state = self.tx.init(params)
        elif isinstance(program, list) or program[0] == "cautious":
            parts = program if isinstance(program, list) else program[1:]
            self.parts = [ByHand(part, params) for part in parts]
        else:
            self.parts = [
                ByHand(part, group) for part, group in zip(program[1:], self.split(params, params), strict=False)
            ]

    @staticmethod
    def split(xs, params):
        return [[x for x, p in zip(xs, params, strict=True) if (p.ndim > 1) == chosen] for chosen in (True, False)]

    @staticmethod
    def agreeing(u, g):
        agrees = np.real(np.asarray(u) * np.conj(np.asarray(g, np.complex128))) < 0
        return jnp.where(agrees, u * (u.size / (agrees.sum() + 1)), 0)

    def update(self, updates, params):
        if isinstance(self.program, int):
            updates, self.state = registry.advance(self.tx, updates, self.state, params)
        elif isinstance(self.program, list):
            for part in self.parts:
                updates = part.update(updates, params)
        else:
            if self.program[0] == "cautious":
                return [
                    self.agreeing(u, g) for u, g in zip(self.parts[0].update(updates, params), updates, strict=True)
                ]
            groups = self.split(updates, params)
            for i, (part, group) in enumerate(zip(self.parts, self.split(params, params), strict=False)):
                groups[i] = part.update(groups[i], group)
            oblongs, others = map(iter, groups)
            updates = [next(oblongs if p.ndim > 1 else others) for p in params]
        return updates


def grow(tree, rng):
    """Build a tree of arrays from its description."""
    if tree is None:
        return None
    kind, what = tree
    if kind == "dict":
        return {key: grow(x, rng) for key, x in what.items()}
    if kind == "list":
        return [grow(x, rng) for x in what]
    x = rng.normal(size=what) * 2 + (1j * rng.normal(size=what) if kind == "complex64" else 0)
    return jnp.asarray(x, kind)


def is_trained(x):
    return jnp.issubdtype(x.dtype, jnp.inexact)


def assert_holds(program, tree):
    tx = build(program)
    p, g = (grow(tree, np.random.default_rng(seed)) for seed in (0, 1))
    leaves = jax.tree.leaves(p)
    if leaves and not any(map(is_trained, leaves)):
        with pytest.raises(TypeError, match="no array in params is floating"):
            tx.init(p)
        return

    # Pickling it, or flattening and unflattening it, gives an equal value.
    assert pickle.loads(pickle.dumps(tx)) == tx
    assert jax.tree.unflatten(jax.tree.structure(tx), jax.tree.leaves(tx)) == tx

    # Take two compiled steps with donation, and the same two steps in one scan.
    @functools.partial(jax.jit, donate_argnums=1)
    def step(g, state):
        return registry.advance(tx, g, state, p)

    born = tx.init(p)
    first, state = step(g, tx.init(p))
    assert registry.avals(state) == registry.avals(born)
    halfway = gradtx.flat_state(jax.tree.map(jnp.array, state))
    second, state = step(g, state)
    assert step._cache_size() == 1
    scanned, _ = jax.lax.scan(lambda s, _: registry.advance(tx, g, s, p)[::-1], born, length=2)
    registry_close(scanned, state)

    # The second step is the same from a state that was restored by name.
    restored = gradtx.restore_state(tx.init(p), halfway)
    assert not (restored.missing or restored.unexpected)
    assert registry.bits(step(g, restored.state)) == registry.bits((second, state))

    # The updates are those of the stages one by one on the arrays that are trained.
    trained = [(x, y) for x, y in zip(leaves, jax.tree.leaves(g), strict=True) if is_trained(x)]
    hand_p, hand_g = [x for x, _ in trained], [y for _, y in trained]
    hand = ByHand(program, hand_p)
    for updates in (first, second):
        ours = [u for u in jax.tree.leaves(updates) if is_trained(u)]
        registry_close(ours, hand.update(hand_g, hand_p))


def registry_close(a, b):
    for x, y in zip(jax.tree.leaves(a), jax.tree.leaves(b), strict=True):
        np.testing.assert_allclose(np.asarray(x, np.complex128), np.asarray(y, np.complex128), rtol=2e-5, atol=1e-6)


OPTIONS = {"deadline": None, "derandomize": True, "suppress_health_check": list(HealthCheck), "database": None}


@given(programs, trees)
@settings(max_examples=12, **OPTIONS)
def test_a_random_program_over_a_random_tree_is_its_parts(program, tree):
    assert_holds(program, tree)


@pytest.mark.exhaustive
@given(programs, trees)
@settings(max_examples=300, **OPTIONS)
def test_many_random_programs_over_random_trees_are_their_parts(program, tree):
    assert_holds(program, tree)
