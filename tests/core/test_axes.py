"""Words say what the axes of an array are, and by them arrays are seen as matrices."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import gradtx
from gradtx.core.axes import AxesOf, axes_of, parse_axes


def matrices(words, x):
    return np.asarray(parse_axes(words).matrices(jnp.asarray(x)))


X = np.arange(2 * 3 * 4 * 6).reshape(2, 3, 4, 6)
# The words of an array, and the same matrices by NumPy.
VIEWS = {
    "i o": (X[0, 0], X[0, 0]),
    "o i": (X[0, 0], X[0, 0].T),
    "b i o": (X[0], X[0]),
    "i b o": (X[0], X[0].swapaxes(0, 1)),
    "i i o": (X[0], X[0].reshape(12, 6)),
    "i o o": (X[0], X[0].reshape(3, 24)),
    "i i i o": (X, X.reshape(24, 6)),
    "o i i i": (X, X.reshape(2, 72).T),
    "b b i o": (X, X),
    "i 3o": (X[0, 0], np.stack(np.split(X[0, 0], 3, axis=1))),
    "2i o": (X[0, 0], np.stack(np.split(X[0, 0], 2, axis=0))),
    "2i 3o": (X[0, 0], X[0, 0].reshape(2, 2, 3, 2).transpose(0, 2, 1, 3)),
    "b o": (X[0, 0], X[0, 0][:, None, :]),
    "i b": (X[0, 0], X[0, 0].T[:, :, None]),
}


@pytest.mark.parametrize("words", VIEWS)
def test_words_show_an_array_as_these_matrices(words):
    x, expected = VIEWS[words]
    np.testing.assert_array_equal(matrices(words, x), expected)
    assert parse_axes(words).seen(x.shape) == expected.shape


@pytest.mark.parametrize("words", VIEWS)
def test_matrices_become_the_array_again(words):
    x, _ = VIEWS[words]
    axes = parse_axes(words)
    np.testing.assert_array_equal(axes.array(axes.matrices(jnp.asarray(x)), x.shape), x)


@pytest.mark.parametrize("words", VIEWS)
def test_axes_print_as_their_words(words):
    assert repr(parse_axes(words)) == words


TREE = {
    "embed": jnp.ones((7, 4)),
    "dense": {"kernel": jnp.ones((4, 6)), "bias": jnp.ones(6)},
    "conv": jnp.ones((3, 3, 2, 4)),
}


def said(axes, otherwise="matrix", tree=TREE):
    return dict(zip(["conv", "bias", "kernel", "embed"], map(repr, axes_of(axes, otherwise)(tree)), strict=True))


def test_two_axes_are_inputs_and_outputs_and_four_are_those_of_a_convolution():
    assert said(None) == {"conv": "i i i o", "bias": "None", "kernel": "i o", "embed": "i o"}


def test_units_have_the_last_axis_for_outputs():
    assert said(None, "units")["conv"] == "i i i o"
    assert repr(AxesOf(None, "units")(jnp.ones((2, 3, 4)))[0]) == "i i o"


def test_an_array_without_words_is_taken_as_it_is_where_no_matrix_is_needed():
    assert set(said(None, "array").values()) == {"None"}


def test_patterns_say_which_arrays_have_which_axes_and_the_first_that_fits_counts():
    axes = {"embed": None, "*/kernel": "o i", "**": "i i i o"}
    with pytest.raises(ValueError, match=r"axes: 'i i i o' is 4 axes, but dense/bias float32\[6\] has 1"):
        said(axes)
    assert said({"embed": None, "*/kernel": "o i"}) == {
        "conv": "i i i o",
        "bias": "None",
        "kernel": "o i",
        "embed": "None",
    }


def test_words_for_all_are_for_all_matrices():
    tree = {**TREE, "conv": jnp.ones((2, 2))}
    assert said("o i", tree=tree) == {"conv": "o i", "bias": "None", "kernel": "o i", "embed": "o i"}


def test_a_function_of_path_and_array_says_the_axes():
    assert said(lambda path, x: "i 2o" if path.endswith("kernel") else None)["kernel"] == "i 2o"


@pytest.mark.parametrize(
    ("axes", "error", "message"),
    [
        ("i x", ValueError, "'x' is not an axis; expected i, o or b, or blocks as in 3o"),
        ("i 0o", ValueError, "'0o' is not an axis"),
        ({"*/qkv": "i oo"}, ValueError, "'oo' is not an axis"),
        ({"*/qkv": 3}, TypeError, r"axes has 3 for '\*/qkv'; expected words such as 'i o', or None"),
        ({3: "i o"}, TypeError, "axes has the key 3, which is no pattern"),
        (3, TypeError, "axes = 3 does not say what axes are; expected words such as 'i o', a dict of patterns"),
    ],
)
def test_what_does_not_say_axes_is_an_error_when_the_transformation_is_made(axes, error, message):
    for make in (lambda: gradtx.muon(0.1, axes=axes), lambda: gradtx.lamb(0.1, axes=axes)):
        with pytest.raises(error, match=message):
            make()


@pytest.mark.parametrize(
    ("axes", "shape", "message"),
    [
        (None, (2, 3, 4), r"w float32\[2,3,4\] has 3 axes: say what they are, as in axes={'w': 'b i o'}"),
        (None, (1, 2, 3, 4, 5), "has 5 axes: say what they are"),
        ("i o", (2, 3, 4), r"'i o' is 2 axes, but w float32\[2,3,4\] has 3"),
        ("i 4o", (2, 6), r"divides an axis of w float32\[2,6\] in 4o, but 6 is no multiple of 4"),
        ({"v": "i o"}, (2, 6), "'v' fits no array. The arrays are w"),
        ({"w": None}, (2, 6), r"no transformation for w float32\[2,6\], which is not a matrix: give one"),
        (None, (6,), r"no transformation for w float32\[6\], which is not a matrix"),
    ],
)
def test_axes_that_do_not_fit_an_array_are_an_error_that_names_its_path(axes, shape, message):
    tx, p = gradtx.muon(0.1, axes=axes), {"w": jnp.ones(shape)}
    with pytest.raises(ValueError, match=message):
        tx.update(p, tx.init(p), p)


def test_axes_are_part_of_the_value():
    tx = gradtx.muon(0.1, axes={"a": None, "b": "i o"})
    assert tx == gradtx.muon(0.1, axes={"a": None, "b": "i o"})
    assert tx != gradtx.muon(0.1, axes={"b": "i o", "a": None})
    assert repr(tx) == "muon(learning_rate=0.1, momentum=0.95, axes={'a': None, 'b': 'i o'})"
    assert eval(repr(tx), {"muon": gradtx.muon}) == tx


# Stages of one array that may see its matrices, each with the factor by which an update is scaled for `axes` to matter.
STAGES = {
    "clip_by_norm": lambda axes: gradtx.clip_by_norm(1.0, axes=axes),
    "clip_by_block_rms": lambda axes: gradtx.clip_by_block_rms(0.1, axes=axes),
    "trust ratio": lambda axes: gradtx.scale_by_trust_ratio(axes=axes),
    "param_block_norm": lambda axes: gradtx.scale_by_param_block_norm(axes=axes),
    "param_block_rms": lambda axes: gradtx.scale_by_param_block_rms(axes=axes),
    "lamb": lambda axes: gradtx.lamb(0.1, axes=axes),
    "lars": lambda axes: gradtx.lars(0.1, axes=axes),
    "fromage": lambda axes: gradtx.fromage(0.1, axes=axes),
    "stable_adamw": lambda axes: gradtx.stable_adamw(0.1, axes=axes),
    "mars": lambda axes: gradtx.mars(0.1, axes=axes),
    "novograd": lambda axes: gradtx.novograd(0.1, axes=axes),
    "adam_mini": lambda axes: gradtx.adam_mini(0.1, axes=axes),
    "sm3": lambda axes: gradtx.sm3(0.1, axes=axes),
    "adafactor": lambda axes: gradtx.adafactor(0.1, 2, axes=axes),
    "adaptive_grad_clip": lambda axes: gradtx.adaptive_grad_clip(0.1, axes=axes),
    "centralize": lambda axes: gradtx.centralize(axes=axes),
}
# What `make test` compiles; `make test-all` compiles all.
SAMPLE = ("clip_by_norm", "lamb", "adafactor", "adam_mini", "centralize")
NAMES = [name if name in SAMPLE else pytest.param(name, marks=pytest.mark.slow) for name in STAGES]
SCANNED = jnp.asarray(np.random.default_rng(0).normal(size=(3, 4, 6)), jnp.float32)


def two_updates(tx, g, p):
    state = tx.init(p)
    for factor in (1.0, -0.5):
        updates, state = tx.update(factor * g, state, p)
    return np.asarray(updates)


@pytest.mark.parametrize("name", NAMES)
def test_the_layers_of_a_scanned_kernel_are_updated_as_kernels_of_their_own(name):
    scanned = two_updates(STAGES[name]("b i o"), SCANNED, SCANNED**2 + 0.1)
    layers = [two_updates(STAGES[name](None), x, x**2 + 0.1) for x in SCANNED]
    np.testing.assert_allclose(scanned, layers, rtol=1e-5, atol=1e-7)


@pytest.mark.parametrize("name", NAMES)
def test_the_blocks_of_a_fused_kernel_are_updated_as_kernels_of_their_own(name):
    x = SCANNED[0]
    fused = two_updates(STAGES[name]("i 3o"), x, x**2 + 0.1)
    parts = [two_updates(STAGES[name]("i o"), part, part**2 + 0.1) for part in jnp.split(x, 3, axis=1)]
    np.testing.assert_allclose(fused, np.concatenate(parts, 1), rtol=1e-5, atol=1e-7)


@pytest.mark.parametrize("name", ["centralize", "adaptive_grad_clip", "sm3", "adafactor"])
def test_a_weight_with_its_outputs_first_is_updated_as_its_transpose(name):
    x = SCANNED[0]
    turned = two_updates(STAGES[name]("o i"), x.T, x.T**2 + 0.1)
    np.testing.assert_allclose(turned.T, two_updates(STAGES[name]("i o"), x, x**2 + 0.1), rtol=1e-5, atol=1e-7)


def test_an_author_gives_the_mathematics_of_one_matrix():
    tx = gradtx.leafwise(
        lambda u, s, p: (u - u.mean(0), s + 1), lambda p: jnp.zeros(p.shape[-1:]), keeps="seen", axes="b i o"
    )
    u, state = tx.update(SCANNED, tx.init(SCANNED))
    np.testing.assert_allclose(u, SCANNED - SCANNED.mean(1, keepdims=True), rtol=1e-5, atol=1e-6)
    assert state["leafwise"]["seen"].shape == (3, 6)


def test_a_stage_that_asks_for_axes_must_be_given_some():
    with pytest.raises(TypeError, match="update needs axes, but axes= is not given"):
        gradtx.leafwise(lambda u, s, p, axes: (u, s), needs=("axes",))


@pytest.mark.parametrize("name", STAGES)
def test_a_first_state_is_the_same_compiled(name):
    tx = STAGES[name]("b i o")
    found, expected = jax.jit(tx.init)(SCANNED), tx.init(SCANNED)
    jax.tree.map(np.testing.assert_array_equal, found, expected)
