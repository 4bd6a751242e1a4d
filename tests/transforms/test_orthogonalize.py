"""Orthogonal updates: their singular values, directions and dtypes."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import gradtx
from gradtx.transforms.orthogonalize import COEFFICIENTS

RANDOM = np.random.default_rng(0)
# Where the singular values of an update lie, for gradients whose own are 1 down to the least that the set is made for.
RANGES = {
    "you": (0.01, 0.976, 1.034),
    "jordan": (0.01, 0.67, 1.15),
    "polar_express": (0.003, 0.85, 1.15),
    "deepseek": (0.001, 0.98, 1.01),
}


def of_spectrum(values, shape):
    """A matrix of these singular values, of norm 1, and its singular vectors."""
    u, v = (np.linalg.qr(RANDOM.normal(size=(n, n)))[0] for n in shape)
    k = min(shape)
    return jnp.asarray(u[:, :k] * values @ v[:, :k].T, jnp.float32), u[:, :k] @ v[:, :k].T


def orthogonal(x, *arguments, **options):
    tx = gradtx.orthogonalize(*arguments, **options)
    return np.asarray(tx.update(x, tx.init(x))[0])


@pytest.mark.parametrize("name", RANGES)
@pytest.mark.parametrize("shape", [(8, 8), (6, 9), (12, 5)])
def test_all_singular_values_come_within_the_range_of_the_set(name, shape):
    least, low, high = RANGES[name]
    values = np.geomspace(least, 1, min(shape))
    x, _ = of_spectrum(values / np.linalg.norm(values), shape)
    found = np.linalg.svd(orthogonal(x, name), compute_uv=False)
    assert low < found.min() and found.max() < high
    # Each singular value goes through the polynomials by itself.
    alone = values / np.linalg.norm(values) / (1.02 if name == "polar_express" else 1.0)
    for a, b, c in COEFFICIENTS[name]:
        alone = a * alone + b * alone**3 + c * alone**5
    np.testing.assert_allclose(found, np.sort(alone)[::-1], rtol=1e-4)


def test_the_directions_are_those_of_the_gradient():
    x, expected = of_spectrum(np.linspace(0.2, 1, 5), (5, 7))
    np.testing.assert_allclose(orthogonal(x, "deepseek"), expected, atol=1e-3)
    assert np.vdot(orthogonal(x), expected) / 5 == pytest.approx(1, abs=0.03)


@pytest.mark.parametrize("factor", [1e-30, 1e20])
def test_the_size_of_the_gradient_does_not_matter(factor):
    x, _ = of_spectrum(np.linspace(0.2, 1, 5), (5, 7))
    np.testing.assert_allclose(orthogonal(factor * x), orthogonal(x), atol=1e-4)


@pytest.mark.parametrize(("products", "tolerance"), [("bfloat16", 0.05), ("float16", 0.01)])
def test_products_may_be_taken_in_a_narrow_dtype(products, tolerance):
    x, _ = of_spectrum(np.linspace(0.2, 1, 5), (5, 7))
    narrow = orthogonal(x, products=products)
    assert narrow.dtype == np.float32
    np.testing.assert_allclose(narrow, orthogonal(x), atol=tolerance)
    assert np.any(narrow != orthogonal(x))


def test_more_iterations_repeat_the_last_coefficients():
    x, _ = of_spectrum(np.linspace(0.2, 1, 5), (5, 7))
    given = [*COEFFICIENTS["you"], COEFFICIENTS["you"][-1]]
    np.testing.assert_array_equal(orthogonal(x, "you", 6), orthogonal(x, given))
    np.testing.assert_array_equal(orthogonal(x, "jordan", 2), orthogonal(x, COEFFICIENTS["jordan"][:2]))


def test_a_complex_matrix_becomes_unitary():
    x = jnp.asarray(RANDOM.normal(size=(4, 6)) + 1j * RANDOM.normal(size=(4, 6)), jnp.complex64)
    y = orthogonal(x, "deepseek")
    np.testing.assert_allclose(y @ y.conj().T, np.eye(4), atol=1e-2)


@pytest.mark.parametrize("coefficients", ["yu", [(1.0, 2.0)], [], "", [(1, 2, 3, 4)]])
def test_what_is_no_set_of_coefficients_is_an_error(coefficients):
    with pytest.raises(ValueError, match="expected one of 'jordan', 'you', 'polar_express', 'deepseek', or triples"):
        gradtx.orthogonalize(coefficients)


def test_arrays_that_are_no_matrices_and_empty_ones_pass():
    tree = {"bias": jnp.ones(3), "empty": jnp.ones((0, 4)), "row": jnp.full((1, 4), 2.0), "none": None}
    tx = gradtx.orthogonalize("deepseek")
    found, _ = jax.jit(tx.update)(tree, tx.init(tree))
    np.testing.assert_array_equal(found["bias"], tree["bias"])
    assert found["empty"].shape == (0, 4) and found["none"] is None
    np.testing.assert_allclose(found["row"], np.full((1, 4), 0.5), rtol=1e-3)


@pytest.mark.parametrize(
    ("sides", "shape", "factor"),
    [
        ("width", (4, 9), 1.5),
        ("width", (9, 4), 1.0),
        ("rms", (4, 9), 0.6),
        ("rms", (9, 4), 0.6),
        ("unit", (4, 9), 1.5),
        ("unit", (9, 4), 2 / 3),
    ],
)
def test_sides_scale_a_matrix_and_leave_a_vector(sides, shape, factor):
    tx, tree = gradtx.scale_by_sides(sides), {"w": jnp.ones(shape), "b": jnp.ones(3)}
    found, _ = tx.update(tree, tx.init(tree))
    np.testing.assert_allclose(found["w"], np.full(shape, factor), rtol=1e-6)
    np.testing.assert_array_equal(found["b"], tree["b"])
