"""Adam with a learning rate that it finds itself, from how far the gradients agree that the way leads."""

from typing import Any, NamedTuple

import jax
import jax.numpy as jnp

from gradtx.core import GradientTransformation, ScalarOrSchedule, transformation
from gradtx.core.checks import in_range
from gradtx.core.numerics import cast, root
from gradtx.transforms import trees
from gradtx.transforms.averages import complement
from gradtx.transforms.decay import sharing_its_rate

Array = jax.Array
PyTree = Any


class Estimate(NamedTuple):
    """Moments, the weighted sum of gradients, the first parameters, and the estimate with its numerator."""

    first: PyTree
    second: PyTree
    gathered: PyTree
    origin: PyTree
    distance: Array
    numerator: Array


@transformation
def scale_by_prodigy(
    learning_rate: ScalarOrSchedule = 1.0,
    b1: ScalarOrSchedule = 0.9,
    b2: ScalarOrSchedule = 0.999,
    eps: ScalarOrSchedule = 1e-8,
    estim_lr0: float = 1e-6,
    estim_lr_coef: ScalarOrSchedule = 1.0,
    *,
    weight_decay: ScalarOrSchedule | None = None,
    where: Any = None,
) -> GradientTransformation:
    """Adam's step with an estimate d of the distance to the solution in the place of the rate. The whole step, uphill.

    With k = d learning_rate and c = sqrt(b2):  m = b1 m + (1 - b1) d g,  v = b2 v + (1 - b2) d^2 |g|^2,
    r = c r + d k <g, p0 - p>,  s = c s + d k g;  u = k (m / (sqrt(v) + d eps) + weight_decay p),
    then d = max(d, estim_lr_coef r / ||s||_1).

    Args:
      learning_rate: factor of the estimate, at least 0; 1, or a schedule from 1.
      b1: decay of the first moment, in [0, 1); a number or a schedule. The authors' default, as are those below.
      b2: decay of the second moment, in [0, 1); a number or a schedule.
      eps: keeps the quotient small where v is; at least 0.
      estim_lr0: the first estimate, above 0.
      estim_lr_coef: factor of later estimates, at least 0.
      weight_decay: the part of the parameters that a step takes off beside, times k; None for none.
      where: which arrays decay, a mask as for `masked`; all if None.

    Returns:
      A transformation that keeps an `Estimate`, four arrays per array; its update needs `params`. No bias is
      corrected, as in the paper; Optax corrects it.

    Raises:
      ValueError: if an argument is out of range.

    References:
      Mishchenko and Defazio, 2023, Prodigy: An Expeditiously Adaptive Parameter-Free Learner.
    """
    in_range("estim_lr_coef", estim_lr_coef)
    options = {"coefficient": estim_lr_coef}
    return _estimating(_prodigy, learning_rate, b1, b2, eps, estim_lr0, weight_decay, where, **options)


@transformation
def scale_by_dadapt(
    learning_rate: ScalarOrSchedule = 1.0,
    b1: ScalarOrSchedule = 0.9,
    b2: ScalarOrSchedule = 0.999,
    eps: ScalarOrSchedule = 1e-8,
    estim_lr0: float = 1e-6,
    *,
    weight_decay: ScalarOrSchedule | None = None,
    where: Any = None,
) -> GradientTransformation:
    """Adam's step with a bound d on the distance to the solution in the place of the rate. The whole step, uphill.

    With k = d learning_rate and c = sqrt(b2):  r = c r + (1 - c) k <g, s / (sqrt(v) + eps)>,
    m = b1 m + (1 - b1) k g,  v = b2 v + (1 - b2) |g|^2,  s = c s + (1 - c) k g;
    u = m / (sqrt(v) + eps) + k weight_decay p,  then d = max(d, r / ((1 - c) ||s||_1)).

    Args:
      learning_rate: factor of the estimate, at least 0; 1, or a schedule from 1.
      b1: decay of the first moment, in [0, 1); a number or a schedule. The authors' default, as are those below.
      b2: decay of the second moment, in [0, 1); a number or a schedule.
      eps: keeps the quotient small where v is; at least 0.
      estim_lr0: the first estimate, above 0.
      weight_decay: the part of the parameters that a step takes off beside, times k; None for none.
      where: which arrays decay, a mask as for `masked`; all if None.

    Returns:
      A transformation that keeps an `Estimate`; its update needs `params`. No bias is corrected; Optax corrects it.

    Raises:
      ValueError: if an argument is out of range.

    References:
      Defazio and Mishchenko, 2023, Learning-Rate-Free Learning by D-Adaptation.
    """
    return _estimating(_dadapt, learning_rate, b1, b2, eps, estim_lr0, weight_decay, where)


def _estimating(
    update: Any,
    learning_rate: ScalarOrSchedule,
    b1: ScalarOrSchedule,
    b2: ScalarOrSchedule,
    eps: ScalarOrSchedule,
    estim_lr0: float,
    weight_decay: ScalarOrSchedule | None,
    where: Any,
    **options: ScalarOrSchedule,
) -> GradientTransformation:
    in_range("b1", b1, 0.0, 1.0)
    in_range("b2", b2, 0.0, 1.0)
    in_range("learning_rate", learning_rate)
    in_range("eps", eps)
    in_range("estim_lr0", estim_lr0, open_low=True)

    def init(params: PyTree) -> Estimate:
        return Estimate(
            trees.zeros(params),
            trees.real_zeros(params),
            trees.zeros(params),
            trees.wide(params),
            trees.scalar(estim_lr0),
            trees.scalar(0.0),
        )

    numbers: dict[str, Any] = {"rate1": complement(b1), "b2": b2, "rate2": complement(b2), **options}
    return sharing_its_rate(
        update, init, weight_decay, where, needs=("params",), learning_rate=learning_rate, eps=eps, **numbers
    )


def _prodigy(
    updates: PyTree,
    s: Estimate,
    params: PyTree,
    learning_rate: Array,
    eps: Array,
    rate1: Array,
    b2: Array,
    rate2: Array,
    coefficient: Array,
) -> tuple[PyTree, Estimate]:
    g, decay = trees.apart(updates)
    params, d, c = trees.wide(params), s.distance, jnp.sqrt(b2)
    k = d * learning_rate
    grown = trees.scaled_within(g, d)
    first = trees.average_of(s.first, grown, rate1)
    second = trees.average_of(s.second, trees.squares(grown), rate2)
    numerator = c * s.numerator + d * k * trees.inner_product(g, trees.difference(s.origin, params))
    gathered = jax.tree.map(jnp.add, trees.scaled(s.gathered, c), trees.scaled(grown, k))
    u = trees.scaled(trees.plus(_quotient(first, second, d * eps), decay), k)
    d = _larger(d, coefficient * numerator, trees.size(gathered))
    return u, Estimate(first, second, gathered, s.origin, d, numerator)


def _dadapt(
    updates: PyTree,
    s: Estimate,
    params: PyTree,
    learning_rate: Array,
    eps: Array,
    rate1: Array,
    b2: Array,
    rate2: Array,
) -> tuple[PyTree, Estimate]:
    g, decay = trees.apart(updates)
    c = jnp.sqrt(b2)
    rest = rate2 / (1 + c)  # 1 - c, without loss of digits
    k = s.distance * learning_rate
    numerator = c * s.numerator + rest * k * trees.inner_product(g, _quotient(s.gathered, s.second, eps))
    grown = trees.scaled_within(g, k)
    first = trees.average_of(s.first, grown, rate1)
    second = trees.average_of(s.second, trees.squares(g), rate2)
    gathered = trees.average_of(s.gathered, grown, rest)
    u = trees.plus(_quotient(first, second, eps), trees.scaled(decay, k))
    d = _larger(s.distance, numerator, rest * trees.size(gathered))
    return u, Estimate(first, second, gathered, s.origin, d, numerator)


def _quotient(first: PyTree, second: PyTree, eps: Array) -> PyTree:
    return jax.tree.map(lambda m, v: m / (root(v) + cast(eps, v.dtype)), first, second)


def _larger(d: Array, numerator: Array, below: Array) -> Array:
    estimate = numerator / jnp.where(below > 0, below, 1)
    return jnp.where((below > 0) & (estimate > d) & jnp.isfinite(estimate), estimate, d)
