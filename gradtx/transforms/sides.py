"""Updates in proportion to the sides of their matrices."""

from __future__ import annotations

from typing import Literal

from jax import Array

from gradtx.core import Axes, GradientTransformation, leafwise, transformation
from gradtx.core.axes import AxesOfArray, axes_of

Sides = Literal["width", "rms", "unit"]


@transformation
def scale_by_sides(sides: Sides = "width", *, axes: Axes | None = None) -> GradientTransformation:
    """Scale the update of each matrix in proportion to its sides, so that one learning rate suits all.

    "width": u sqrt(max(1, out / in));  "rms": 0.2 u sqrt(max(in, out));  "unit": u sqrt(out / in)

    Args:
      sides: the rule. An orthogonal update then changes what the matrix gives out by about as much whatever its width
        ("width", as in Muon's code, and "unit", its exact form), or has the root mean square of AdamW's ("rms").
      axes: what the axes of arrays are, as for `muon`.

    Returns:
      A transformation without state. Arrays that are not matrices pass unchanged.

    References:
      Jordan et al., 2024, Muon: An optimizer for hidden layers in neural networks.
      Liu et al., 2025, Muon is Scalable for LLM Training.
      Bernstein and Newhouse, 2024, Old Optimizer, New Norm: An Anthology.
    """
    return leafwise(_by_sides, axes=axes_of(axes), needs=("axes",), sides=sides)


def _by_sides(u: Array, s: None, p: None, axes: AxesOfArray | None, sides: str) -> tuple[Array, None]:
    if axes is None:
        return u, s
    inputs, outputs = (max(side, 1) for side in u.shape)
    factor = {
        "width": max(1.0, outputs / inputs) ** 0.5,
        "rms": 0.2 * max(inputs, outputs) ** 0.5,
        "unit": (outputs / inputs) ** 0.5,
    }
    return factor[sides] * u, s
