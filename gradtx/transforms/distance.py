"""Step sizes from how far the parameters have come: descent without a learning rate."""

from typing import Any, NamedTuple

import jax
import jax.numpy as jnp

from gradtx.core import GradientTransformation, ScalarOrSchedule, leafwise, transformation
from gradtx.core.checks import in_range
from gradtx.core.numerics import bounded, real_zeros
from gradtx.transforms import trees
from gradtx.transforms.clipping import global_norm
from gradtx.transforms.decay import sharing_its_rate

Array = jax.Array
PyTree = Any


class Travelled(NamedTuple):
    """The first parameters, how far they came from there, and the root of the gathered squared norms of gradients."""

    origin: PyTree
    distance: Array
    gathered: Array


@transformation
def scale_by_dog(
    relative: ScalarOrSchedule = 1e-6,
    eps: ScalarOrSchedule = 1e-8,
    *,
    weight_decay: ScalarOrSchedule | None = None,
    where: Any = None,
) -> GradientTransformation:
    """Scale by the distance travelled over the root of all squared norms of gradients.

    r = max(r, ||p - p0||), relative (1 + ||p0||) at first;  G = G + ||g||^2, 0 at first;  g r / sqrt(G + eps)

    Args:
      relative: the first distance, as a part of 1 + ||p0||, above 0. The authors' default, as is eps.
      eps: keeps the quotient finite, at least 0.
      weight_decay: the part of the parameters that a step takes off beside, times the rate found; None for none.
      where: which arrays decay, a mask as for `masked`; all if None.

    Returns:
      A transformation that keeps a `Travelled`; its update needs `params`.

    Raises:
      ValueError: if an argument is out of range.

    References:
      Ivgi, Hinder and Carmon, 2023, DoG is SGD's Best Friend: A Parameter-Free Dynamic Step Size Schedule.
    """
    in_range("relative", relative)
    in_range("eps", eps)
    return sharing_its_rate(_dog, _travelled, weight_decay, where, needs=("params",), relative=relative, eps=eps)


def _travelled(params: PyTree) -> Travelled:
    return Travelled(trees.wide(params), trees.scalar(0.0), trees.scalar(0.0))


def _dog(updates: PyTree, s: Travelled, params: PyTree, relative: Array, eps: Array) -> tuple[PyTree, Travelled]:
    g, decay = trees.apart(updates)
    travelled = trees.bounded_norm(global_norm(trees.difference(trees.wide(params), s.origin)))
    distance = jnp.maximum(jnp.maximum(s.distance, travelled), relative * (1 + global_norm(s.origin)))
    gathered = trees.hypot(s.gathered, trees.bounded_norm(global_norm(g)))
    below = trees.hypot(gathered, jnp.sqrt(eps))
    rate = jnp.where(below > 0, distance / jnp.where(below > 0, below, 1), 0)
    return trees.scaled(trees.plus(g, decay), rate), Travelled(s.origin, distance, gathered)


@transformation
def scale_by_dowg(
    eps: ScalarOrSchedule = 1e-4, *, weight_decay: ScalarOrSchedule | None = None, where: Any = None
) -> GradientTransformation:
    """Scale by the squared distance travelled over the root of squared norms, each weighed by the distance of its time.

    q = max(q, ||p - p0||^2), eps at first;  v = v + q ||g||^2, 0 at first;  g q / (sqrt(v) + eps)

    Args:
      eps: the first squared distance, and what keeps the quotient finite, above 0. The authors' default.
      weight_decay: the part of the parameters that a step takes off beside, times the rate found; None for none.
      where: which arrays decay, a mask as for `masked`; all if None.

    Returns:
      A transformation that keeps a `Travelled`; its update needs `params`.

    Raises:
      ValueError: if `eps` is out of range.

    References:
      Khaled, Mishchenko and Jin, 2023, DoWG Unleashed: An Efficient Universal Parameter-Free Gradient Descent Method.
    """
    in_range("eps", eps)
    return sharing_its_rate(_dowg, _travelled, weight_decay, where, needs=("params",), eps=eps)


def _dowg(updates: PyTree, s: Travelled, params: PyTree, eps: Array) -> tuple[PyTree, Travelled]:
    g, decay = trees.apart(updates)
    travelled = trees.bounded_norm(global_norm(trees.difference(trees.wide(params), s.origin)))
    distance = jnp.maximum(jnp.maximum(s.distance, travelled), jnp.sqrt(eps))
    norm = trees.bounded_norm(global_norm(g))
    gathered = trees.hypot(s.gathered, trees.bounded_norm(distance * norm))
    below = gathered + eps
    rate = distance * jnp.where(below > 0, distance / jnp.where(below > 0, below, 1), 0)
    return trees.scaled(trees.plus(g, decay), rate), Travelled(s.origin, distance, gathered)


class Betting(NamedTuple):
    """What a coin bettor keeps for each number: the largest gradient, sums of moduli and of gradients, and the gain."""

    largest: Array
    total: Array
    reward: Array
    against: Array
    origin: Array


@transformation
def scale_by_cocob(alpha: ScalarOrSchedule = 100.0, eps: ScalarOrSchedule = 1e-8) -> GradientTransformation:
    """Bet on the sign of each gradient; what was won is the step. The update is the whole step, turned uphill.

    L = max(L, |g|), eps at first;  G = G + |g|,  R = max(R - g (p - p0), 0),  S = S - g, zero at first;
    the parameters go to p0 + S (L + R) / (L max(G + L, alpha L)).

    Args:
      alpha: the larger, the smaller the first steps; above 0. The paper's.
      eps: the least of the largest gradient, above 0. The authors' code's, as in Optax.

    Returns:
      A transformation that keeps a `Betting`, five arrays per array; its update needs `params`. Complex arrays are
      refused.

    Raises:
      ValueError: if an argument is out of range.
      TypeError: when used, if an array is complex, for there is no side to bet on.

    References:
      Orabona and Tommasi, 2017, Training Deep Networks without Learning Rates Through Coin Betting.
    """
    in_range("alpha", alpha)
    in_range("eps", eps)
    return leafwise(_cocob, _no_bets, keeps=Betting, needs=("params",), alpha=alpha, eps=eps)


def _no_bets(p: Array) -> Betting:
    return Betting(real_zeros(p), real_zeros(p), real_zeros(p), jnp.zeros_like(p), p)


def _cocob(g: Array, s: Betting, p: Array, alpha: Array, eps: Array) -> tuple[Array, Betting]:
    if jnp.iscomplexobj(g):
        raise TypeError(
            "cocob bets on the sign of real numbers; split the complex array into real and imaginary part "
            "with gradtx.split_real_and_imaginary(...)."
        )
    quarter = jnp.finfo(g.dtype).max / 4
    size = jnp.minimum(jnp.abs(g), quarter / alpha)
    g = jnp.where(jnp.isfinite(g), jnp.sign(g) * size, g)
    largest = jnp.maximum(jnp.maximum(s.largest, jnp.maximum(eps, jnp.finfo(size.dtype).tiny)), size)
    total = bounded(s.total) + size
    reward = jnp.clip(s.reward - g * (p - s.origin), 0, quarter)
    against = jnp.clip(s.against, -quarter, quarter) - g
    below = jnp.maximum(bounded(total) + bounded(largest), alpha * largest)
    target = s.origin + (against / below) * (1 + reward / largest)
    return p - target, Betting(largest, total, reward, against, s.origin)
