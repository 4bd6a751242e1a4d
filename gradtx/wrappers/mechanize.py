"""Mechanic: a learning rate for any optimizer, learned from how well its steps would have done."""

from __future__ import annotations

from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
from jax import Array

from gradtx.core import (
    GradientTransformation,
    NonNegative,
    ParamsLike,
    Positive,
    PositiveCount,
    Run,
    transformation,
    wrapping,
)
from gradtx.transforms import trees
from gradtx.transforms.global_norm import global_norm
from gradtx.wrappers.cautious import check_descends

PyTree = Any


class MechanizeState(NamedTuple):
    """The sum of the inner updates, and for each decay of the tuner four numbers about what it has won."""

    total: ParamsLike
    largest: Array
    variance: Array
    reward: Array
    scale: Array


@transformation
def mechanize(
    inner: GradientTransformation,
    weight_decay: NonNegative = 0.01,
    eps: NonNegative = 1e-8,
    s_init: Positive = 1e-8,
    num_betas: PositiveCount = 6,
) -> GradientTransformation:
    """Scale the sum of an optimizer's steps by a factor that follows how much they would have gained.

    With D the sum of the inner updates and one s, m, v, r for each of the decays b = 0.9, 0.99, ..., all 0 at first:
    h = <D, g + weight_decay sum(s) ||g|| p / ||p||>,  m = max(b m, |h|),  v = b^2 v + h^2,  r = max(b r - s h, 0),
    s = (s_init m / num_betas + r) / (sqrt(v) + eps);  then D grows, and the parameters go to p0 + sum(s) D.

    The first update is zero, because there is no gain to measure yet.

    Args:
      inner: an optimizer, whose learning rate may be far too large or too small.
      weight_decay: the pull towards zero inside the tuner. The paper's default, as are the others. Optax starts from
        another state and from an s_init of 1e-6, and bounds h by the largest so far.
      eps: added to the root, so that the quotient is finite.
      s_init: the first bet.
      num_betas: how many decays are tried side by side.

    Returns:
      A transformation that keeps what `inner` keeps, and a `MechanizeState`; its update needs `params`.

    Raises:
      TypeError: if `inner` is not a transformation.
      ValueError: if it maximizes.

    References:
      Cutkosky, Defazio and Mehta, 2023, Mechanic: A Learning Rate Tuner.
    """
    check_descends("mechanize", inner)

    def init(params: PyTree) -> MechanizeState:
        numbers = (jnp.zeros(num_betas, trees.scalar(0.0).dtype) for _ in range(4))
        return MechanizeState(trees.zeros(params), *numbers)

    numbers: dict[str, Any] = {"weight_decay": weight_decay, "eps": eps, "s_init": s_init, "count": num_betas}
    return wrapping(inner, _mechanize, init, keeps=MechanizeState, needs=("params",), **numbers)


def _mechanize(
    run: Run,
    g: PyTree,
    s: MechanizeState,
    params: PyTree,
    weight_decay: Array,
    eps: Array,
    s_init: Array,
    count: int,
) -> tuple[PyTree, MechanizeState]:
    inner, params = run(g), trees.wide(params)
    betas = 1 - 0.1 ** jnp.arange(1, count + 1, dtype=s.scale.dtype)
    before = jnp.sum(s.scale)
    size = global_norm(params)
    pull = weight_decay * before * trees.bounded_norm(global_norm(g)) / jnp.where(size > 0, size, 1)
    h = trees.inner_product(s.total, g) + pull * trees.inner_product(s.total, params)
    # Beyond 1e18 the square of h would overflow.
    h = jnp.clip(h, -1e18, 1e18)
    reward = jnp.maximum(betas * s.reward - s.scale * h, 0)
    largest = jnp.maximum(betas * s.largest, jnp.abs(h))
    variance = betas**2 * s.variance + h**2
    root = jnp.where(variance > 0, jnp.sqrt(jnp.where(variance > 0, variance, 1)), 0)
    below = root + eps
    scale = jnp.where(below > 0, (s_init * largest / count + reward) / jnp.where(below > 0, below, 1), 0)
    total = jax.tree.map(jnp.add, s.total, inner)
    after = jnp.sum(scale)
    updates = trees.difference(trees.scaled(total, after), trees.scaled(s.total, before))
    return updates, MechanizeState(total, largest, variance, reward, scale)
