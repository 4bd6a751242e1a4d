"""Muon: momentum made orthogonal, matrix by matrix."""

from __future__ import annotations

from gradtx.core import (
    Axes,
    Fraction,
    GradientTransformation,
    LearningRate,
    Mask,
    NonNegative,
    Positive,
    PositiveCount,
    transformation,
)
from gradtx.optimizers.common import axes_of_matrices, descend_matrices
from gradtx.transforms.clip_query_key import clip_query_key
from gradtx.transforms.orthogonalize import Coefficients, Products, orthogonalize
from gradtx.transforms.sides import Sides, scale_by_sides
from gradtx.transforms.trace import trace


@transformation
def muon(
    learning_rate: LearningRate,
    momentum: Fraction = 0.95,
    nesterov: bool = True,
    coefficients: Coefficients = "you",
    sides: Sides = "width",
    *,
    others: GradientTransformation | None = None,
    axes: Axes | None = None,
    iterations: PositiveCount | None = None,
    products: Products = "float32",
    max_logit: Positive | None = None,
    stack: bool | None = None,
    chunk: PositiveCount | None = None,
    spread: str | tuple[str, ...] | None = None,
    weight_decay: NonNegative | None = None,
    where: Mask | None = None,
    maximize: bool = False,
) -> GradientTransformation:
    """Descend by momentum made orthogonal, matrix by matrix: steps that move all directions alike.

    v = momentum v + g;  O = U V^T of g + momentum v = U S V^T;  p - learning_rate (sides O + weight_decay p)

    Muon is for hidden matrices only. Leave embeddings, the last layer, and all that is not a matrix to `others`.

    PyTorch and Optax iterate with the set "jordan". PyTorch takes its products in bfloat16. Optax's momentum is an
    average with a corrected bias, whose Nesterov form is that of NAdam.

    Args:
      learning_rate: the length of a step; 0.02 in the authors' code.
      momentum: decay of the velocity. The authors' default.
      nesterov: look one step ahead.
      coefficients, iterations, products: how matrices are made orthogonal, as for `orthogonalize`.
      sides: how steps grow with the sides of a matrix, as for `scale_by_sides`; "rms" suits the learning rate and decay
        of AdamW.
      others: the transformation of all arrays that are not matrices, such as `adamw(3e-4)`; None raises an error if
        there are any.
      axes: what the axes of arrays are: words for all matrices, such as "o i"; or a dict of patterns, as for `groups`,
        with words, or None for an array that is not a matrix; or a function of the path and the array. A word is "i"
        for inputs, "o" for outputs or "b" for a batch of matrices, with a number before it for blocks along that axis.
        By default two axes are "i o", four are "i i i o", the kernel of a convolution, and fewer are not a matrix.
      max_logit: the largest attention logit that is left alone, as for `clip_query_key`, 100 in MuonClip; `update` then
        needs `max_logits`. None for no bound.
      stack, chunk, spread: as for `matrixwise`.
      weight_decay, where, maximize: as for `adam`; the decay is that of matrices.

    Returns:
      A transformation that keeps one velocity per array, in float32 or wider, and what `others` keeps. With `others`
      the two are the groups "matrices" and "others".

    Raises:
      ValueError: when used, if an array has three, five or more axes and nothing is said about them, or if an array is
        not a matrix and there are no `others`.

    References:
      Jordan et al., 2024, Muon: An optimizer for hidden layers in neural networks.

    Example:
      >>> import gradtx, jax.numpy as jnp
      >>> params = {"embed": jnp.zeros((9, 4)), "qkv": jnp.zeros((4, 12)), "bias": jnp.zeros(12)}
      >>> tx = gradtx.muon(0.02, others=gradtx.adamw(3e-4), axes={"embed": None, "qkv": "i 3o"})
      >>> state = tx.init(params)
      >>> state["matrices"]["trace"]["velocity"]["qkv"].shape, state["others"]["track_moments"].first["bias"].shape
      ((4, 12), (12,))
    """
    rule = axes_of_matrices(axes, others)
    stages = [
        trace(momentum, nesterov),
        orthogonalize(coefficients, iterations, products=products, axes=rule, stack=stack, chunk=chunk, spread=spread),
        scale_by_sides(sides, axes=rule),
    ]
    clips = [] if max_logit is None else [clip_query_key(max_logit, axes=axes)]
    return descend_matrices(stages, others, rule, learning_rate, weight_decay, where, maximize, clips)
