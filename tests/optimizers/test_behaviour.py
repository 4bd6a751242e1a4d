"""Properties that the optimizers share: they descend, treat entries alike, and take a known first step."""

import functools

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import gradtx
from gradtx import catalogue
from properties import registry

NAMES = catalogue.names()


def rosenbrock(p):
    return (1 - p[0]) ** 2 + 100 * (p[1] - p[0] ** 2) ** 2


def quadratic(p):
    """A quadratic with condition number 1000."""
    return 0.5 * jnp.sum(jnp.array([1.0, 0.1, 0.01, 0.001]) * p**2)


PROBLEMS = {"rosenbrock": (rosenbrock, (-1.0, 1.5), 0.5), "quadratic": (quadratic, (1.0, -1.0, 1.0, -1.0), 0.01)}
GRID = np.array([3e-4, 1e-3, 3e-3, 1e-2, 3e-2, 1e-1, 3e-1, 1.0, 3.0], np.float32)


@functools.partial(jax.jit, static_argnums=(0, 1))
def last_losses(name, problem):
    """The loss after a thousand steps at every rate of the grid, all rates as one population."""
    loss, start, _ = PROBLEMS[problem]

    def train(rate):
        tx = getattr(gradtx, name)(rate)

        def step(carry, _):
            p, state = carry
            value, g = jax.value_and_grad(loss)(p)
            hessian = jnp.diag(jax.hessian(loss)(p))
            updates, state = tx.update(g, state, p, value=value, hessian=hessian)
            return (gradtx.apply_updates(p, updates), state), None

        p = jnp.array(start)
        (p, _), _ = jax.lax.scan(step, (p, tx.init(p)), length=1000)
        return loss(p)

    return jax.vmap(train)(GRID)


# Rosenbrock starts at 29. In a thousand steps, these optimizers reach the curved valley but do not get far along it.
STATED = {
    **{(name, "rosenbrock"): 5.0 for name in ("acprop", "cocob", "dog", "sign_sgd")},
    **{(name, "rosenbrock"): 1.2 for name in ("adafactor", "asgd", "dpsgd", "lamb", "noisy_sgd", "sgd")},
    ("dpsgd", "quadratic"): 0.1,  # its noise limits it
}


@pytest.mark.parametrize("problem", PROBLEMS)
@pytest.mark.parametrize("name", registry.sampled([x for x in NAMES if x not in registry.MATRIX_METHODS]))
def test_a_thousand_steps_at_some_rate_of_the_grid_reach_the_stated_loss(name, problem):
    assert np.nanmin(last_losses(name, problem)) < STATED.get((name, problem), PROBLEMS[problem][2])


def first_updates(tx, g, p):
    # The Hessian of a complex number is a pair, too.
    hessian = jax.tree.map(lambda x: jnp.abs(x.real) + 1 + (1j * jnp.abs(x.imag) + 1j if jnp.iscomplexobj(x) else 0), g)
    return tx.update(g, tx.init(p), p, value=jnp.float32(1.0), hessian=hessian)[0]


ADAMS = ["adam", "adam_mini", "adamax", "amsgrad", "ademamix", "nadam", "grams", "laprop"]


@pytest.mark.parametrize("name", ADAMS)
def test_the_first_step_of_adam_variants_is_the_learning_rate(name):
    g = jnp.array([2.0, -2.0, 2.0])
    factor = {"ademamix": 1 + 5 * 1e-4, "nadam": 0.9 / (1 - 0.9**2) * 0.1 + 1}.get(name, 1.0)
    expected = -0.25 * factor * np.sign(g)
    np.testing.assert_allclose(first_updates(getattr(gradtx, name)(0.25), g, jnp.ones(3)), expected, rtol=2e-5)


@pytest.mark.parametrize("name", ["adabelief", "adagrad", "adam", "adamw", "amsgrad"])
def test_the_first_step_is_the_learning_rate_against_the_gradient(name):
    g = jnp.array([1e-3, -1.0, 200.0])
    # AdaBelief divides by |g - m| = 0.9 |g|, the others by |g|.
    expected = -0.25 * jnp.sign(g) / (0.9 if name == "adabelief" else 1.0)
    np.testing.assert_allclose(first_updates(getattr(gradtx, name)(0.25), g, jnp.zeros(3)), expected, rtol=2e-5)


FIRST = {
    "sgd": lambda g: -0.25 * g,
    "rmsprop": lambda g: -0.25 * np.sign(g) / np.sqrt(0.1),
    "adagrad": lambda g: -0.25 * np.sign(g),
    "sign_sgd": lambda g: -0.25 * np.sign(g),
    "signum": lambda g: -0.25 * np.sign(g),
    "lion": lambda g: -0.25 * (np.sign(g) + 0.001),
    "rprop": lambda g: -0.25 * np.sign(g),
    "radam": lambda g: -0.25 * g,
    "acprop": lambda g: -0.25 * g,
    "adopt": lambda g: 0 * g,
    "lamb": lambda g: -0.25 * (np.sign(g) + 0.01) * np.sqrt(3) / np.linalg.norm(np.sign(g) + 0.01),
    "fromage": lambda g: (1 - 0.25 * g * np.sqrt(3) / np.linalg.norm(g)) / np.sqrt(1 + 0.25**2) - 1,
    "optimistic_gradient_descent": lambda g: -0.25 * g,
    "dog": lambda g: -0.25 * 1e-6 * (1 + np.sqrt(3)) * g / np.linalg.norm(g),
    "polyak_sgd": lambda g: -0.25 * g / np.sum(g**2),
}


@pytest.mark.parametrize("name", FIRST)
def test_the_first_step_matches_the_one_computed_by_hand(name):
    g = np.array([0.5, -2.0, 8.0])
    ours = first_updates(getattr(gradtx, name)(0.25), jnp.asarray(g, jnp.float32), jnp.ones(3))
    np.testing.assert_allclose(ours, FIRST[name](g), rtol=3e-5, atol=1e-7)


def two_updates(tx, g, p, value=1.0):
    state = tx.init(p)
    for factor in (1.0, -0.25):
        updates, state = tx.update(factor * g, state, p, value=jnp.float32(value), hessian=jnp.abs(g) + 1)
    return updates


# Their noise depends on the position of an entry, and does not change sign with the gradient.
NOISY = {"noisy_sgd", "dpsgd"}
EXACT = {"rtol": 2e-5, "atol": 1e-7}


# Methods of matrices treat the entries of a vector as others do.
MATRIX_METHODS = set(registry.MATRIX_METHODS)


@pytest.mark.parametrize("name", [name for name in NAMES if name not in NOISY | MATRIX_METHODS])
def test_permuted_entries_give_permuted_updates_and_negated_entries_give_negated_updates(name):
    tx = getattr(gradtx, name)(0.125)
    g, p = jnp.array([0.5, -2.0, 8.0, 1.0]), jnp.array([1.0, -1.0, 0.5, 2.0])
    order = jnp.array([2, 0, 3, 1])
    updates = two_updates(tx, g, p)
    np.testing.assert_allclose(two_updates(tx, g[order], p[order]), updates[order], **EXACT)
    np.testing.assert_allclose(two_updates(tx, -g, -p), -updates, **EXACT)


SCALE_FREE = ["adam", "adamw", "amsgrad", "nadam", "adamax", "adan", "laprop", "lamb", "lars", "lion", "rprop"]
SCALE_FREE += ["rmsprop", "adagrad", "signum", "sign_sgd", "adafactor", "adam_mini", "stable_adamw", "grams"]


@pytest.mark.parametrize("name", SCALE_FREE)
def test_the_scale_of_gradients_does_not_matter_to_normalised_optimizers(name):
    options = {"eps": 0.0} if "eps" in getattr(gradtx, name)(0.1).arguments else {}
    tx = getattr(gradtx, name)(0.125, **options)
    g, p = jnp.array([0.5, -2.0, 8.0, 1.0]), jnp.array([1.0, -1.0, 0.5, 2.0])
    np.testing.assert_allclose(two_updates(tx, 1024.0 * g, p), two_updates(tx, g, p), **EXACT)


# Methods whose step size depends on a complex gradient only through products with its conjugate, or not at all.
LINEAR = ["sgd", "optimistic_gradient_descent", "dog", "dowg", "polyak_sgd", "lars", "fromage", "asgd", "novograd"]


@pytest.mark.parametrize("name", LINEAR)
def test_a_complex_array_is_updated_like_its_real_and_imaginary_parts(name):
    options = {"momentum": 0.9} if name == "sgd" else {}
    tx = getattr(gradtx, name)(0.125, **options)
    g = jnp.array([[0.5, -2.0], [8.0, 1.0]])
    p = jnp.array([[1.0, -1.0], [0.5, 2.0]])
    pairs = two_updates(tx, g, p)
    ours = two_updates_complex(tx, jax.lax.complex(*g), jax.lax.complex(*p))
    np.testing.assert_allclose([ours.real, ours.imag], pairs, **EXACT)


def two_updates_complex(tx, g, p):
    state = tx.init(p)
    for factor in (1.0, -0.25):
        updates, state = tx.update(factor * g, state, p, value=jnp.float32(1.0))
    return updates


@pytest.mark.parametrize("name", registry.sampled([name for name in NAMES if name not in NOISY | MATRIX_METHODS]))
def test_a_split_complex_array_is_updated_like_the_pair_of_its_parts(name):
    inner = getattr(gradtx, name)(0.125)
    real, imaginary = jnp.array([1.0, -1.0, 0.5]), jnp.array([2.0, 0.25, -1.0])
    g = jax.lax.complex(0.5 * real, imaginary)
    ours = first_updates(gradtx.split_real_and_imaginary(inner), g, jax.lax.complex(real, imaginary))
    pair = first_updates(inner, [0.5 * real, 1.0 * imaginary], [real, imaginary])
    np.testing.assert_allclose([ours.real, ours.imag], pair, **EXACT)


REFUSES_COMPLEX = {"cocob", "psgd_kron", "rprop", "sophia"}


@pytest.mark.parametrize("name", NAMES)
def test_complex_parameters_are_updated_with_real_second_moments_or_refused(name):
    tx, p = getattr(gradtx, name)(0.125), jnp.array([[1.0 + 2.0j, -1.0j], [0.5 + 0j, 1.0 - 1.0j]], jnp.complex64)
    g = 2 * p
    if name in REFUSES_COMPLEX:
        with pytest.raises(TypeError, match="split the complex array into real and imaginary part"):
            tx.update(g, tx.init(p), p, hessian=g)
        return
    state = tx.init(p)
    updates, after = tx.update(g, state, p, value=1.0, hessian=g)
    assert updates.dtype == jnp.complex64
    assert np.all(np.isfinite(np.asarray(updates)))
    assert jax.tree.map(lambda x: x.dtype, after) == jax.tree.map(lambda x: x.dtype, state)
    for path, x in jax.tree_util.tree_leaves_with_path(state):
        if any(word in jax.tree_util.keystr(path) for word in ("second", "square", "row", "column", "largest")):
            assert x.dtype == jnp.float32


@pytest.mark.parametrize("name", NAMES)
def test_maximizing_a_loss_equals_minimizing_its_negative(name):
    if name in NOISY:
        pytest.skip("the noise is not negated with the gradient")
    factory, g, p = getattr(gradtx, name), jnp.array([[0.5, -2.0, 8.0]]), jnp.array([[1.0, -1.0, 0.5]])
    up, down = factory(0.125, maximize=True), factory(0.125)
    np.testing.assert_allclose(two_updates(up, -g, p, value=-1.0), two_updates(down, g, p), **EXACT)


@pytest.mark.parametrize("wrapper", [gradtx.cautious, gradtx.mechanize])
def test_wrappers_that_compare_with_the_gradient_refuse_to_maximize(wrapper):
    for inner in (gradtx.adam(0.1, maximize=True), gradtx.chain(gradtx.clip(1.0), gradtx.sgd(0.1, maximize=True))):
        with pytest.raises(ValueError, match="Negate the gradients before it instead"):
            wrapper(inner)


# The factor on the decay in a first step from 3 with gradients of 0.5 and a loss of 1.
RATES = {
    **dict.fromkeys(("dog", "dowg", "polyak_sgd", "prodigy", "dadapt_adamw"), "that of the gradient"),
    "fromage": 0.125 / np.sqrt(1 + 0.125**2),
    "adopt": 0.0,
}


@pytest.mark.parametrize("name", NAMES)
def test_weight_decay_subtracts_its_fraction_times_the_rate_where_it_applies(name):
    if name in ("lamb", "lars"):
        pytest.skip("their papers scale the decay and the step together, which is tested below")
    factory = getattr(gradtx, name)
    tx = factory(0.125, weight_decay=0.5, where={"kernel": True, "bias": False})
    shape = (2, 2) if name in MATRIX_METHODS else (2,)
    p = {"kernel": jnp.full(shape, 3.0), "bias": jnp.full(shape, 3.0)}  # one shape, which compiles once
    g = jax.tree.map(lambda x: jnp.full_like(x, 0.5), p)
    more = tx.replace(weight_decay=5.0)
    with_decay, with_more, without = (first_updates(t, g, p) for t in (tx, more, factory(0.125, weight_decay=None)))
    np.testing.assert_array_equal(with_decay["bias"], with_more["bias"])
    np.testing.assert_allclose(with_decay["bias"], without["bias"], rtol=2e-7)  # another program rounds differently
    rate = RATES.get(name, 0.125)
    if rate == "that of the gradient":
        # An Adam that finds its own rate steps by d g / sqrt(d^2 g^2), with moments of weights 0.1 and 0.001.
        size = 0.1 / np.sqrt(0.001) if name in ("prodigy", "dadapt_adamw") else 0.5
        rate = -without["bias"][0] / size
    np.testing.assert_allclose(with_decay["kernel"] - without["kernel"], -rate * 0.5 * 3.0, rtol=2e-4)


@pytest.mark.parametrize("name", NAMES)
def test_where_without_a_decay_is_an_error(name):
    with pytest.raises(ValueError, match="where says which arrays decay, but weight_decay is None"):
        getattr(gradtx, name)(0.125, weight_decay=None, where={"kernel": True, "bias": False})


@pytest.mark.parametrize("rate", [0.1, gradtx.warmup(0.1, 3)])
@pytest.mark.parametrize("name", ["adamw", "madgrad", "momo", "prodigy", "rprop"])
def test_a_decay_can_follow_the_step_and_is_checked_whatever_the_rate_is(name, rate):
    factory, p = getattr(gradtx, name), jnp.ones(2)
    of_function, of_number = (factory(rate, weight_decay=decay) for decay in (lambda step: 0.5, 0.5))
    g = jnp.array([0.25, -0.5])
    np.testing.assert_allclose(two_updates(of_function, g, p), two_updates(of_number, g, p), **EXACT)
    for wrong in (-0.5, np.nan):
        with pytest.raises(ValueError, match=r"weight_decay = (-0.5|nan) is out of range"):
            factory(rate, weight_decay=wrong)


def test_an_int_for_an_optional_number_becomes_a_float():
    assert gradtx.adamw(0.1, weight_decay=1) == gradtx.adamw(0.1, weight_decay=1.0)
    assert 1.0 in jax.tree.leaves(gradtx.sgd(0.1, weight_decay=1))


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("rate", [-0.5, np.nan])
def test_a_rate_out_of_range_is_an_error(name, rate):
    with pytest.raises(ValueError, match=r"learning_rate = (-0.5|nan) is out of range"):
        getattr(gradtx, name)(rate)


@pytest.mark.parametrize("name", ["polyak_sgd", "momo", "momo_adam"])
def test_a_loss_for_each_entry_is_an_error(name):
    tx, p = getattr(gradtx, name)(0.1), jnp.ones(2)
    with pytest.raises(ValueError, match=r"value has shape \(2,\); expected one number, such as the mean"):
        tx.update(jnp.array([0.5, 1.0]), tx.init(p), p, value=jnp.ones(2))


@pytest.mark.parametrize("options", [{"nesterov": True}, {"dampening": 0.5}])
def test_options_of_the_momentum_without_a_momentum_are_an_error(options):
    with pytest.raises(ValueError, match="which is None; give one"):
        gradtx.sgd(0.1, **options)


def test_the_first_step_of_rprop_is_within_its_bounds_and_a_step_size_of_zero_stays_zero():
    p = jnp.zeros(1)
    assert float(first_updates(gradtx.rprop(100.0), jnp.ones(1), p)[0]) == -50.0
    tx = gradtx.rprop(0.1, eta_minus=0.0, min_step_size=0.0)
    state, updates = tx.init(p), []
    for g in (1.0, -1.0, -1.0, -1.0):
        u, state = tx.update(jnp.array([g]), state, p)
        updates.append(float(u[0]))
    np.testing.assert_allclose(updates, [-0.1, 0.0, 0.0, 0.0], rtol=1e-6)


@pytest.mark.parametrize("name", ["lamb", "lars"])
def test_layerwise_decay_skips_the_arrays_that_where_excludes(name):
    factory = getattr(gradtx, name)
    p = {"kernel": jnp.array([1.0, 3.0]), "bias": jnp.array([1.0, 3.0])}
    g = jax.tree.map(lambda x: jnp.full_like(x, 0.5), p)
    some = first_updates(factory(0.125, weight_decay=0.5, where={"kernel": True, "bias": False}), g, p)
    every, none = (first_updates(factory(0.125, weight_decay=decay), g, p) for decay in (0.5, None))
    np.testing.assert_array_equal(some["kernel"], every["kernel"])
    np.testing.assert_array_equal(some["bias"], none["bias"])
    assert not np.allclose(every["kernel"], none["kernel"], rtol=1e-3)
