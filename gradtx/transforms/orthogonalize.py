"""Updates made orthogonal, matrix by matrix."""

from __future__ import annotations

from typing import Annotated, Any, Literal

import jax.numpy as jnp
from jax import Array, lax

from gradtx.core import Axes, GradientTransformation, PositiveCount, matrixwise, transformation
from gradtx.transforms.numerics import norm

_JORDAN = (3.4445, -4.7750, 2.0315)
# The polynomials a x + b x^3 + c x^5 that are applied to the singular values, one after another.
COEFFICIENTS: dict[str, tuple[tuple[float, float, float], ...]] = {
    "jordan": (_JORDAN,) * 5,
    "you": (
        (4.0848, -6.8946, 2.9270),
        (3.9505, -6.3029, 2.6377),
        (3.7418, -5.5913, 2.3037),
        (2.8769, -3.1427, 1.2046),
        (2.8366, -3.0525, 1.2012),
    ),
    "polar_express": (
        (8.156554524902461, -22.48329292557795, 15.878769915207462),
        (4.042929935166739, -2.808917465908714, 0.5000178451051316),
        (3.8916678022926607, -2.772484153217685, 0.5060648178503393),
        (3.285753657755655, -2.3681294933425376, 0.46449024233003106),
        (2.3465413258596377, -1.7097828382687081, 0.42323551169305323),
    ),
    "deepseek": (_JORDAN,) * 8 + ((2.0, -1.5, 0.5),) * 2,
}
# By how much more than to a norm of 1 a matrix is shrunk first, where the polynomials need that.
SAFETY = {"polar_express": 1.02}


class Triples(tuple[tuple[float, float, float], ...]):
    """Coefficients, which are no numbers to be traced."""

    __slots__ = ()


class _Set:
    """The name of a set of coefficients, or its numbers."""

    def check(self, name: str, x: Any) -> Any:
        """The name, or the numbers as `Triples`.

        Raises:
          ValueError: if there is no such set, or if these are not triples of numbers.
        """
        if isinstance(x, str) and x in COEFFICIENTS:
            return x
        triples = () if isinstance(x, str) else [tuple(triple) for triple in x]
        if not triples or any(len(triple) != 3 for triple in triples):
            known = ", ".join(map(repr, COEFFICIENTS))
            raise ValueError(f"{name} = {x!r}: expected one of {known}, or triples of numbers (a, b, c).")
        return Triples((float(a), float(b), float(c)) for a, b, c in triples)


# The name of a set of coefficients, or triples of numbers.
Coefficients = Annotated[str | tuple[tuple[float, float, float], ...], _Set()]
Products = Literal["float32", "bfloat16", "float16"]


@transformation
def orthogonalize(
    coefficients: Coefficients = "you",
    iterations: PositiveCount | None = None,
    *,
    products: Products = "float32",
    axes: Axes | None = None,
    stack: bool | None = None,
    chunk: PositiveCount | None = None,
    spread: str | tuple[str, ...] | None = None,
) -> GradientTransformation:
    """Replace each matrix by the nearest orthogonal one, approximately: all its singular values become about 1.

    X = G / ||G||, then X = a X + (b A + c A^2) X with A = X X^T for each (a, b, c): U V^T of G = U S V^T.

    Args:
      coefficients: the triples (a, b, c), or the name of a set: "you" brings singular values from 0.01 up to
        0.978 ... 1.032; "jordan" is the first and coarsest, 0.68 ... 1.14; "polar_express" is optimal for 0.001 ... 1;
        "deepseek" takes ten steps to 1.
      iterations: how many triples to use, the last one repeatedly if there are fewer; each once by default.
      products: the dtype of the products; bfloat16 is what most implementations take, and float16 is more exact where
        the device has it.
      axes: what the axes of arrays are, as for `muon`.
      stack, chunk, spread: as for `matrixwise`.

    Returns:
      A transformation without state. Arrays that are not matrices pass unchanged.

    References:
      Jordan et al., 2024, Muon: An optimizer for hidden layers in neural networks.
      Amsel, Persson, Musco and Gower, 2025, The Polar Express: Optimal Matrix Sign Methods and Their Application to
      the Muon Algorithm.

    Example:
      >>> import gradtx, jax.numpy as jnp
      >>> tx = gradtx.orthogonalize("deepseek")
      >>> tx.update(jnp.array([[0.0, 3.0], [-2.0, 0.0]]), tx.init(jnp.zeros((2, 2))))[0].round(3) + 0.0
      Array([[ 0.,  1.],
             [-1.,  0.]], dtype=float32)
    """
    return matrixwise(
        _orthogonalize,
        axes=axes,
        wide=True,
        stack=stack,
        chunk=chunk,
        spread=spread,
        coefficients=_triples(coefficients, iterations),
        safety=SAFETY.get(coefficients, 1.0) if isinstance(coefficients, str) else 1.0,
        products=products,
    )


def _triples(coefficients: Coefficients, iterations: int | None) -> Triples:
    triples = COEFFICIENTS[coefficients] if isinstance(coefficients, str) else tuple(coefficients)
    count = iterations or len(triples)
    return Triples((triples + triples[-1:] * count)[:count])


def _orthogonalize(
    u: Array, s: None, p: None, coefficients: Triples, safety: Array, products: str
) -> tuple[Array, None]:
    return orthogonal(u, coefficients, safety, None if products == "float32" else products), s


def orthogonal(x: Array, coefficients: Triples, safety: Any = 1.0, products: Any = None) -> Array:
    """U V^H of x = U S V^H, nearly, for a matrix of at most as many rows as columns; zero where x is."""
    dtype, size = x.dtype, norm(x)
    x = (x / (safety * jnp.where(size > 0, size, 1))).astype(products or dtype)

    def iterate(x: Array, abc: Array) -> tuple[Array, None]:
        a, b, c = abc.astype(x.dtype)
        gram = x @ x.conj().T
        return a * x + (b * gram + c * (gram @ gram)) @ x, None

    return lax.scan(iterate, x, jnp.asarray(coefficients, jnp.finfo(dtype).dtype))[0].astype(dtype)
