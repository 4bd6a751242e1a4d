"""The mathematics of one matrix runs on all matrices of a tree: one by one, in stacks, and spread over devices."""

import re
from collections import Counter
from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from jax.sharding import AxisType, NamedSharding, PartitionSpec

import gradtx
from gradtx.core.mathematics import Matrixwise
from properties import registry

RANDOM = np.random.default_rng(0)
TREE = {
    "a": (6, 4),
    "b": {"up": (4, 6), "down": (6, 4), "square": (4, 4)},
    "bias": (6,),
    "heads": (2, 4, 6),
    "qkv": (4, 18),
    "one": (1, 5),
    "empty": (0, 4),
}
AXES = {"heads": "b i o", "qkv": "i 3o"}


def drawn(shapes=TREE):
    return jax.tree.map(
        lambda shape: jnp.asarray(RANDOM.normal(size=shape), jnp.float32),
        shapes,
        is_leaf=lambda x: isinstance(x, tuple),
    )


P = drawn()
GRADIENTS = [drawn() for _ in range(6)]


def path(tx, p=P, gradients=GRADIENTS):
    return path_from(tx, p, tx.init(p), gradients)


def path_from(tx, p, state, gradients):
    update = jax.jit(tx.update)
    for g in gradients:
        # One step after another: collectives of two programs at once would wait for each other on few cores.
        updates, state = jax.block_until_ready(update(g, state, p))
        p = jax.block_until_ready(gradtx.apply_updates(p, updates))
    return p, state


def make(name, **options):
    given = {"update_interval": 3} if name in ("soap", "shampoo", "galore", "apollo") else {}
    axes = options.pop("axes", AXES)
    return getattr(gradtx, name)(0.05, others=gradtx.sgd(0.05), axes=axes, **given, **options)


METHODS = [name for name in registry.MATRIX_METHODS if name != "apollo_mini"]
SAMPLE = ("muon", "soap")


def sampled(names):
    """Names for tests that are slow to compile; those outside the sample are tested by `make test-all`."""
    return [name if name in SAMPLE else pytest.param(name, marks=pytest.mark.slow) for name in names]


@pytest.mark.parametrize("name", sampled(METHODS))
def test_stacked_and_one_by_one_are_the_same(name):
    registry.assert_close(path(make(name, stack=True))[0], path(make(name, stack=False))[0], 1e-5, 1e-5)


@pytest.mark.parametrize("name", ["muon", pytest.param("soap", marks=pytest.mark.slow)])
def test_chunks_of_a_stack_are_the_same_as_the_whole(name):
    whole, _ = path(make(name, stack=True))
    for chunk in (1, 2):
        registry.assert_close(path(make(name, stack=True, chunk=chunk))[0], whole, 1e-5, 1e-5)


@pytest.mark.parametrize("name", sampled(registry.MATRIX_METHODS))
def test_the_layers_of_a_scanned_kernel_are_updated_as_kernels_of_their_own(name):
    kernels = [{"w": g["heads"]} for g in GRADIENTS]
    scanned, _ = path(make(name, axes="b i o"), {"w": P["heads"]}, kernels)
    for layer in range(2):
        # A method that draws noise draws other numbers for the second matrix: its first is what can be compared.
        if layer == 0 or name not in ("psgd_kron", "apollo", "apollo_mini"):
            gradients = [{"w": g["w"][layer]} for g in kernels]
            alone, _ = path(make(name, axes=None), {"w": P["heads"][layer]}, gradients)
            if not (name in ("soap", "shampoo") and layer):  # whose turn to be refreshed comes a step later
                np.testing.assert_allclose(scanned["w"][layer], alone["w"], rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("name", ["muon", "normuon", "dion", "galore"])
def test_a_fused_kernel_is_updated_as_its_three_kernels(name):
    fused, _ = path(make(name, axes="i 3o"), {"w": P["qkv"]}, [{"w": g["qkv"]} for g in GRADIENTS])
    thirds = [
        dict(zip("qkv", jnp.split(g["qkv"], 3, axis=1), strict=True)) for g in (P and [{"qkv": P["qkv"]}, *GRADIENTS])
    ]
    parts, _ = path(make(name, axes=None), thirds[0], thirds[1:])
    np.testing.assert_allclose(fused["w"], jnp.concatenate([parts[k] for k in "qkv"], 1), rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("name", ["muon", "soap"])
def test_the_order_of_arrays_does_not_matter(name):
    tx = make(name, axes=None, stack=True, **({"stagger": False} if name == "soap" else {}))
    first, _ = path(tx, [P["a"], P["b"]["down"]], [[g["a"], g["b"]["down"]] for g in GRADIENTS])
    second, _ = path(tx, [P["b"]["down"], P["a"]], [[g["b"]["down"], g["a"]] for g in GRADIENTS])
    registry.assert_close(first, second[::-1], 1e-5, 1e-6)


@pytest.mark.parametrize("name", sampled(registry.MATRIX_METHODS))
@pytest.mark.parametrize("factor", [1e20, pytest.param(1e-30, marks=pytest.mark.slow), 0.0])
def test_gradients_of_any_size_give_finite_updates(name, factor):
    p, state = path(make(name), P, [jax.tree.map(lambda x: factor * x, g) for g in GRADIENTS])
    assert registry.is_finite(p)
    assert registry.is_finite(state)


def test_what_is_kept_stands_at_the_path_of_its_array_with_the_batch_first():
    state = make("soap").init(P)["matrices"]["scale_by_soap"]
    assert state.left["heads"].shape == (2, 4, 4)
    assert state.left["qkv"].shape == (3, 4, 4)
    assert state.right["b"]["up"].shape == (6, 6)
    assert state.left["bias"] is None


class Counted(NamedTuple):
    refreshed: jax.Array
    begun: jax.Array
    age: jax.Array


def counting(**options):
    """A stage that counts how often each matrix was refreshed, and gives that as its update."""
    return gradtx.matrixwise(
        lambda u, s, p: (jnp.ones_like(u) * (s.refreshed + 100 * s.begun), s),
        lambda p: Counted(jnp.zeros(()), jnp.zeros(()), 0),
        keeps=Counted,
        refresh=lambda u, s, p: s._replace(refreshed=s.refreshed + 1),
        begin=lambda u, s, p: s._replace(begun=s.begun + 1),
        **options,
    )


FIVE = [jnp.ones((2, 3))] * 5


def counts(tx, steps, p=FIVE):
    state, update, found = tx.init(p), jax.jit(tx.update), []
    for _ in range(steps):
        updates, state = update(p, state, p)
        found.append([float(u[0, 0]) for u in updates])
    return found


@pytest.mark.parametrize("stack", [True, False])
def test_refreshes_are_staggered_and_every_matrix_has_one_per_interval(stack):
    found = counts(counting(every=3, stack=stack), 6)
    assert found[0] == [101, 100, 100, 101, 100]
    assert found[1] == [101, 101, 100, 101, 101]
    assert found[2] == [101] * 5
    assert found[5] == [102] * 5


@pytest.mark.parametrize("stack", [True, False])
def test_without_stagger_all_are_refreshed_at_once_from_the_first_step_that_is_said(stack):
    found = counts(counting(every=3, after=1, stagger=False, stack=stack), 5)
    assert [x[0] for x in found] == [100, 101, 101, 101, 102]
    assert all(len(set(x)) == 1 for x in found)


def test_an_interval_may_follow_a_schedule():
    found = counts(counting(every=gradtx.piecewise_constant(1.0, {2: 2.0})), 7)
    assert [x[0] for x in found] == [101, 102, 102, 103, 103, 104, 104]


def multiplied(u, s, p, by):
    return by * u, s


@gradtx.transformation
def scaled(by: gradtx.Positive, stack: bool):
    return gradtx.matrixwise(multiplied, by=by, stack=stack)


def test_a_number_may_differ_from_matrix_to_matrix():
    for stack in (True, False):
        tx = gradtx.overrides(scaled(2.0, stack), {"b": {"by": 3.0}})
        p = {"a": jnp.ones((2, 3)), "b": jnp.ones((2, 3))}
        u, _ = tx.update(p, tx.init(p), p)
        assert (float(u["a"][0, 0]), float(u["b"][0, 0])) == (2.0, 3.0)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"update": lambda u, s: (u, s)}, r"update will be called as update\(u, s, p\)"),
        ({"refresh": lambda u, s: s, "keeps": "x"}, r"refresh will be called as refresh\(u, s, p\)"),
        ({"begin": lambda u, s, p: s}, "begin makes what is kept anew, but keeps= does not say what is kept"),
        ({"every": 3}, "every and after say when refresh is called, but there is no refresh"),
        ({"init": lambda p: p}, "init makes something to keep, but keeps= does not say what"),
        ({"needs": "params"}, "needs = 'params' is not a tuple of names"),
        ({"block": 0}, "block = 0 is out of range: expected at least 1"),
        ({"state": "stacks"}, "state = 'stacks' is none of the choices"),
    ],
)
def test_an_authors_mistake_is_an_error_when_the_transformation_is_made(options, message):
    with pytest.raises((TypeError, ValueError), match=message):
        gradtx.matrixwise(**{"update": lambda u, s, p: (u, s), **options})


@pytest.mark.parametrize(
    ("update", "message"),
    [
        (lambda u, s, p: u, "the update of a matrix returned float32.*; expected a pair"),
        (lambda u, s, p: (u.T, s), r"the update of a matrix \(2, 3\) has shape \(3, 2\)"),
        (lambda u, s, p: (u, s.T), r"'x' of a matrix was made \(2, 3\), and becomes \(3, 2\)"),
    ],
)
def test_an_authors_mistake_in_an_update_names_the_array(update, message):
    tx, p = gradtx.matrixwise(update, keeps="x"), {"w": jnp.ones((2, 3))}
    with pytest.raises((TypeError, ValueError), match=message) as caught:
        tx.update(p, tx.init(p))
    assert any("in w float32[2,3], seen as 2x3" in note for note in caught.value.__notes__)


def test_a_matrix_that_was_none_at_first_is_an_error():
    tx = gradtx.scale_by_dion(axes={"w": "i o"})
    state = gradtx.scale_by_dion(axes={"w": None}).init({"w": jnp.ones((2, 3))})
    with pytest.raises(ValueError, match="nothing is kept for it: it was not a matrix when init"):
        tx.update({"w": jnp.ones((2, 3))}, state)


def test_the_number_of_loops_is_that_of_the_distinct_shapes_where_stacked():
    tx = gradtx.orthogonalize(axes=AXES, stack=True)
    text = jax.jit(tx.update).lower(P, tx.init(P)).as_text()
    assert text.count("stablehlo.while") == 3  # 4x6 with its transpose and the heads and thirds, 4x4, and 1x5


LAYERS = {f"layer{i}": {"up": (8, 16), "down": (16, 8), "square": (8, 8)} for i in range(4)}
SQUARES = {f"layer{i}": {"a": (8, 8), "b": (8, 8)} for i in range(4)}  # whose first basis in SOAP is unique
PLACED = [PartitionSpec("x"), PartitionSpec(None, "x")]


def collectives(text):
    return Counter(
        re.findall(r" (all-to-all|all-gather|all-reduce|collective-permute|reduce-scatter)(?:-start)?\(", text)
    )


def in_loops(text):
    """The collectives in the bodies of loops."""
    bodies = re.findall(r"body=(%[\w.-]+)", text)
    return sum(
        sum(collectives(part).values())
        for part in text.split("\n\n")
        if any(part.lstrip().startswith(body + " ") for body in bodies)
    )


KINDS = pytest.mark.parametrize("kind", [AxisType.Auto, AxisType.Explicit], ids=["automatic", "explicit"])
SPECS = pytest.mark.parametrize("spec", PLACED, ids=["by inputs", "by outputs"])


def spread(name):
    """A method whose stacks are spread, and the shapes that it is tried on."""
    if name == "muon":
        return make(name, axes=None, spread="x"), LAYERS
    return make(name, axes=None, spread="x", state="stack"), SQUARES


def mesh_of(devices, kind):
    return jax.make_mesh((devices,), ("x",), devices=jax.devices()[:devices], axis_types=(kind,))


@KINDS
@SPECS
@pytest.mark.parametrize(("name", "count"), [("muon", 8), ("soap", 4), pytest.param("muon", 4, marks=pytest.mark.slow)])
def test_a_stack_that_is_spread_takes_two_collectives_and_none_in_a_loop(name, count, spec, kind):
    tx, shapes = spread(name)
    shapes = {f"layer{i}": shapes["layer0"] for i in range(count)}
    mesh = mesh_of(8, kind)
    with jax.set_mesh(mesh):
        p = jax.device_put(drawn(shapes), NamedSharding(mesh, spec))
        text = jax.jit(tx.update).lower(p, jax.jit(tx.init)(p), p).compile().as_text()
    assert collectives(text) == {"all-to-all": 2 * (3 if name == "muon" else 1)}
    assert in_loops(text) == 0


@KINDS
@pytest.mark.parametrize("over", ["x", pytest.param(None, marks=pytest.mark.slow)], ids=["spread", "not spread"])
@pytest.mark.parametrize("name", ["muon", "soap"])
def test_matrices_on_a_mesh_equal_the_unsharded(name, over, kind):
    tx, shapes = spread(name) if over else (make(name, axes=None), spread(name)[1])
    with jax.enable_x64(True):
        gradients = [jax.tree.map(lambda x: x.astype(jnp.float64), drawn(shapes)) for _ in range(5)]
        p = jax.tree.map(jnp.ones_like, gradients[0])
        expected, _ = path(make(name, axes=None), p, gradients)
        mesh = mesh_of(4, kind)
        with jax.set_mesh(mesh):
            ours, *gradients = (jax.device_put(x, NamedSharding(mesh, PLACED[0])) for x in (p, *gradients))
            ours, _ = path_from(tx, ours, jax.jit(tx.init)(ours), gradients)
        registry.assert_close(ours, expected, 1e-12, 1e-12)


def test_a_mesh_axis_that_is_not_there_is_an_error():
    tx = make("muon", spread="nowhere")
    with pytest.raises(ValueError, match="spread = 'nowhere': the mesh has no axis of this name"):
        tx.update(P, tx.init(P), P)


def test_what_is_kept_in_stacks_has_the_names_and_shapes_of_what_is_kept_by_array():
    by_array, in_stacks = (gradtx.flat_state(make("soap", state=kind).init(P)) for kind in ("array", "stack"))
    expected = {name: x.shape for name, x in by_array.items() if 0 not in x.shape}
    assert {name: x.shape for name, x in in_stacks.items()} == expected


def test_what_is_kept_in_stacks_is_restored_on_another_number_of_devices():
    def tx(**options):
        return make("soap", axes=None, **options)

    p = jax.tree.map(lambda x: x, {k: P[k] for k in ("a", "b", "bias")})
    gradients = [{k: g[k] for k in p} for g in GRADIENTS]
    expected, state = path(tx(), p, gradients[:3])
    saved = gradtx.flat_state(state)
    final, _ = path_from(tx(), expected, state, gradients[3:])
    for devices in (4, 2):
        with jax.set_mesh(mesh_of(devices, AxisType.Auto)):
            in_stacks = tx(state="stack", spread="x")
            restored = gradtx.restore_state(jax.jit(in_stacks.init)(p), saved)
            assert restored.missing == restored.unexpected == ()
            ours, state = path_from(in_stacks, expected, restored.state, gradients[3:])
        registry.assert_close(ours, final, 1e-4, 1e-5)
        saved_again = gradtx.flat_state(restored.state)
        registry.assert_close([saved_again[k] for k in saved], list(saved.values()), 0, 0)


METHODS_WITH_STATE = ["soap", "shampoo", "psgd_kron", "dion", "galore", "apollo"]


@pytest.mark.parametrize("name", sampled(METHODS_WITH_STATE))
def test_an_array_without_a_gradient_keeps_its_rows_in_a_stack_as_they_are(name):
    p = {"a": P["b"]["square"], "b": P["b"]["square"] + 1}
    gradients = [
        {"a": g["b"]["square"], "b": None if i == 1 else 2 * g["b"]["square"]} for i, g in enumerate(GRADIENTS[:3])
    ]
    found = []
    for kind in ("stack", "array"):
        tx = getattr(gradtx, name)(0.1, state=kind)
        state = tx.init(p)
        for g in gradients:
            updates, state = tx.update(g, state, p)
        found.append((updates, gradtx.flat_state(state)))
    registry.assert_close(found[0], found[1], 1e-4, 1e-5)


def test_a_population_kept_in_stacks_has_its_axis_first():
    tx, p = gradtx.soap(0.1, state="stack"), {k: jnp.ones((3, 2, 2)) * jnp.arange(3.0)[:, None, None] for k in "ab"}
    state = jax.vmap(tx.update)(p, jax.vmap(tx.init)(p), p)[1]
    flat = gradtx.flat_state(state)
    assert flat["scale_by_soap/left/a"].shape == (3, 2, 2)
    restored = gradtx.restore_state(jax.vmap(tx.init)(p), flat)
    assert restored.missing == restored.unexpected == ()
    registry.assert_close(restored.state, state, 0, 0)


def test_what_is_kept_in_stacks_has_names_before_it_is_made():
    tx, p = gradtx.soap(0.1, state="stack"), {"a": jnp.ones((3, 2)), "b": jnp.ones((3, 2))}
    abstract = gradtx.flat_state(jax.eval_shape(tx.init, p))
    assert {k: x.shape for k, x in abstract.items()} == {k: x.shape for k, x in gradtx.flat_state(tx.init(p)).items()}


@pytest.mark.parametrize("name", METHODS)
def test_an_optimizer_that_is_rebuilt_at_every_step_is_equal_and_its_programs_too(name):
    first, again = make(name), make(name)
    assert first == again
    for x, y in zip(first.plan.all_stages, again.plan.all_stages, strict=True):
        if isinstance(x.mathematics, Matrixwise):
            assert x.mathematics == y.mathematics
            assert x.program == y.program


def test_the_program_of_axes_from_a_function_made_anew_is_compiled_once():
    traced = []

    def update(u, s, p):
        traced.append(1)
        return u, s

    shared = gradtx.matrixwise
    x = jnp.ones((2, 3))
    for _ in range(3):
        tx = shared(update, axes=lambda path, x: "i o")
        tx.update(x, tx.init(x))
    assert len(traced) == 1


@pytest.mark.parametrize("name", sampled(registry.MATRIX_METHODS))
def test_numbers_may_be_overridden_beside_other_arrays(name):
    tx = gradtx.overrides(make(name), {"a": {"learning_rate": 0.1}})
    u, _ = tx.update(P, tx.init(P), P)
    plain, _ = make(name).update(P, make(name).init(P), P)
    np.testing.assert_allclose(u["a"], 2 * plain["a"], rtol=1e-4, atol=1e-7)
    np.testing.assert_allclose(u["b"]["up"], plain["b"]["up"], rtol=1e-4, atol=1e-7)


@pytest.mark.parametrize("name", sampled(registry.MATRIX_METHODS))
def test_derivatives_are_finite_at_gradients_of_zero_and_of_equal_singular_values(name):
    tx = getattr(gradtx, name)(0.1)
    derivative = jax.jit(jax.grad(lambda g: jnp.sum(tx.update(g, tx.init(g), g)[0] ** 2)))
    for g in (jnp.zeros((3, 3)), jnp.eye(3), jnp.ones((3, 3))):
        assert registry.is_finite(derivative(g))
