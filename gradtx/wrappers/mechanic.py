"""Mechanic: a learning rate for any optimizer, learned from how well its steps would have done."""

from typing import Any, NamedTuple

import jax
import jax.numpy as jnp

from gradtx.core import GradientTransformation, ScalarOrSchedule, beside, transformation, treewise
from gradtx.core.checks import at_least, in_range
from gradtx.core.primitives import Pair
from gradtx.transforms import trees
from gradtx.transforms.clipping import global_norm
from gradtx.wrappers.caution import check_descends

Array = jax.Array
PyTree = Any


class Tuner(NamedTuple):
    """The sum of the inner updates, and for each of the tuner's decays four numbers of what it has won."""

    total: PyTree
    largest: Array
    variance: Array
    reward: Array
    scale: Array


@transformation
def mechanize(
    inner: GradientTransformation,
    weight_decay: ScalarOrSchedule = 0.01,
    eps: ScalarOrSchedule = 1e-8,
    s_init: ScalarOrSchedule = 1e-8,
    num_betas: int = 6,
) -> GradientTransformation:
    """Scale all of an optimizer's steps so far by a factor that follows how much they would have gained.

    With D the sum of the inner updates and one s, m, v, r for each of the decays b = 0.9, 0.99, ..., all 0 at first:
    h = <D, g + weight_decay sum(s) ||g|| p / ||p||>,  m = max(b m, |h|),  v = b^2 v + h^2,  r = max(b r - s h, 0),
    s = (s_init m / num_betas + r) / (sqrt(v) + eps);  then D grows, and the parameters go to p0 + sum(s) D.

    The first update is zero: there is no gain to measure yet.

    Args:
      inner: an optimizer, of a learning rate that may be far too large or too small.
      weight_decay: the pull to zero within the tuner, at least 0. The paper's default, as are those below; Optax starts
        from another state, and from s_init 1e-6, and bounds h by its largest so far.
      eps: keeps the quotient finite, at least 0.
      s_init: the first bet, above 0.
      num_betas: how many decays are tried side by side, at least 1.

    Returns:
      A transformation that keeps what `inner` keeps under "inner", and a `Tuner`; its update needs `params`.

    Raises:
      ValueError: if an argument is out of range, or if `inner` maximizes.
      TypeError: if `inner` is no transformation.

    References:
      Cutkosky, Defazio and Mehta, 2023, Mechanic: A Learning Rate Tuner.
    """
    in_range("weight_decay", weight_decay)
    in_range("eps", eps)
    in_range("s_init", s_init)
    at_least("num_betas", num_betas, 1)
    check_descends("mechanize", inner)

    def init(params: PyTree) -> Tuner:
        return Tuner(trees.zeros(params), *(jnp.zeros(num_betas, trees.scalar(0.0).dtype) for _ in range(4)))

    numbers: dict[str, Any] = {"weight_decay": weight_decay, "eps": eps, "s_init": s_init, "count": num_betas}
    return beside(inner, _tuner(init, **numbers))


@transformation
def _tuner(init: Any, **numbers: Any) -> GradientTransformation:
    """The stage of `mechanize` that is given each inner update beside the gradient."""
    return treewise(_tune, init, needs=("params",), takes=Pair, **numbers)


def _tune(
    pairs: PyTree,
    s: Tuner,
    params: PyTree,
    weight_decay: Array,
    eps: Array,
    s_init: Array,
    count: int,
) -> tuple[PyTree, Tuner]:
    inner, g = trees.split(pairs)
    params, g = trees.wide(params), trees.wide(g)
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
    return updates, Tuner(total, largest, variance, reward, scale)
