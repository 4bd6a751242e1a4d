"""Learning rates that fall from the last layer to the first."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import jax
from jax import Array

from gradtx.core import GradientTransformation, Positive, Run, Varied, transformation, wrapping
from gradtx.core.patterns import FirstMatch, is_pattern
from gradtx.transforms.labels import Labels

PyTree = Any


@transformation
def layerwise_rate_decay(
    inner: GradientTransformation, decay: Positive, layers: Sequence[Any], *, allow_unused: bool = False
) -> GradientTransformation:
    """Multiply the updates of each layer by a power of `decay`: 1 for the last, and less the earlier a layer stands.

    u = decay^(n - 1 - k) inner(u) for the arrays of the layer k of n

    Args:
      inner: the optimizer, whole; its weight decay, which is part of its updates, is scaled with them.
      decay: the factor from one layer to the one before it, usually 0.65 to 0.9.
      layers: a pattern, as for `groups`, for each layer in order from the input to the output. What fits none of them
        has the factor 1.
      allow_unused: whether a pattern may fit no array.

    Returns:
      A transformation that keeps what `inner` keeps, under the same names.

    Raises:
      TypeError: if `inner` is not a transformation of arrays into arrays, or if a layer is no pattern.
      ValueError: when used, if a pattern fits no array; the message lists them.

    References:
      Howard and Ruder, 2018, Universal Language Model Fine-tuning for Text Classification.

    Example:
      >>> import gradtx
      >>> layers = ["embed/*", *(f"layer_{i}/*" for i in range(12)), "head/*"]
      >>> tx = gradtx.layerwise_rate_decay(gradtx.adamw(1e-4), 0.75, layers)
    """
    for layer in layers:
        if not (is_pattern(layer) or callable(layer)):
            raise TypeError(f"layers has {layer!r}, which is no pattern; expected a glob such as 'layer_0/*'.")
    # As strings that sort, for a dict of labels is a pytree.
    names = tuple(f"{k:04}" for k in range(len(layers)))
    first = FirstMatch(tuple(layers), names, "", allow_unused, "layerwise_rate_decay")
    exponents = {"": 0.0, **{name: float(len(names) - 1 - k) for k, name in enumerate(names)}}
    varied: Any = Varied(exponents, Labels(first, tuple(exponents), "layerwise_rate_decay"))
    return wrapping(inner, _scaled, decay=decay, exponent=varied)


def _scaled(run: Run, g: PyTree, s: None, params: PyTree, decay: Array, exponent: PyTree) -> tuple[PyTree, None]:
    return jax.tree.map(lambda u, power: (decay**power).astype(u.real.dtype) * u, run(g), exponent), s
