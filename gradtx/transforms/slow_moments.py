"""Adam's kin that remember more than two moments, or the moments of a step ago."""

from typing import Any, NamedTuple

import jax
import jax.numpy as jnp

from gradtx.core import GradientTransformation, ScalarOrSchedule, leafwise, stepwise, transformation
from gradtx.core.checks import in_range
from gradtx.core.numerics import average, bounded_square, norm, real_zeros, root
from gradtx.transforms.averages import after_first, complement, correction
from gradtx.transforms.moments import Moments, zero_moments

Array = jax.Array


class SlowMoments(NamedTuple):
    """First moments over a short and over a long time, and the second; arrays of a gradient's shape."""

    first: Array
    slow: Array
    second: Array


@transformation
def scale_by_ademamix(
    b1: ScalarOrSchedule = 0.9,
    b2: ScalarOrSchedule = 0.999,
    b3: ScalarOrSchedule = 0.9999,
    alpha: ScalarOrSchedule = 5.0,
    eps: ScalarOrSchedule = 1e-8,
) -> GradientTransformation:
    """Adam with a second, far slower average of gradients beside the first.

    m = b1 m + (1 - b1) g,  n = b3 n + (1 - b3) g,  v = b2 v + (1 - b2) |g|^2, zero at first;
    (m / (1 - b1^t) + alpha n) / (sqrt(v / (1 - b2^t)) + eps)

    Args:
      b1: decay of the fast average, in [0, 1); a number or a schedule. The paper's default, as are those below.
      b2: decay of the squares, in [0, 1); a number or a schedule.
      b3: decay of the slow average, in [0, 1); a number or a schedule. The paper lets it rise from b1.
      alpha: weight of the slow average, at least 0; a number or a schedule. The paper lets it rise from 0.
      eps: keeps the quotient small where v is; at least 0.

    Returns:
      A transformation that keeps `SlowMoments`, three arrays per array, float32 or wider.

    Raises:
      ValueError: if an argument is out of range.

    References:
      Pagliardini, Ablin and Grangier, 2024, The AdEMAMix Optimizer: Better, Faster, Older.
    """
    for name, decay in (("b1", b1), ("b2", b2), ("b3", b3)):
        in_range(name, decay, 0.0, 1.0)
    in_range("alpha", alpha)
    in_range("eps", eps)
    rates: dict[str, Any] = {f"rate{i}": complement(b) for i, b in enumerate((b1, b2, b3), 1)}
    return leafwise(
        _ademamix,
        _slow_zeros,
        keeps=SlowMoments,
        alpha=alpha,
        eps=eps,
        weight1=correction(b1),
        weight2=correction(b2),
        **rates,
    )


def _slow_zeros(p: Array) -> SlowMoments:
    return SlowMoments(jnp.zeros_like(p), jnp.zeros_like(p), real_zeros(p))


def _ademamix(
    g: Array,
    s: SlowMoments,
    p: None,
    alpha: Array,
    eps: Array,
    weight1: Array,
    weight2: Array,
    rate1: Array,
    rate2: Array,
    rate3: Array,
) -> tuple[Array, SlowMoments]:
    s = SlowMoments(
        first=average(s.first, g, rate1),
        slow=average(s.slow, g, rate3),
        second=average(s.second, bounded_square(g), rate2),
    )
    return (s.first / weight1 + alpha * s.slow) / (root(s.second / weight2) + eps), s


@transformation
def scale_by_simplified_ademamix(
    b1: ScalarOrSchedule = 0.99,
    b2: ScalarOrSchedule = 0.95,
    alpha: ScalarOrSchedule = 0.0,
    eps: ScalarOrSchedule = 1e-8,
) -> GradientTransformation:
    """One slow momentum and the gradient itself in the place of AdEMAMix's two averages.

    m = b1 m + g,  v = b2 v + (1 - b2) |g|^2, zero at first;  (alpha g + m) / (sqrt(v / (1 - b2^t)) + eps)

    The momentum is a sum, and the step as much longer than Adam's, 1 / (1 - b1): take a smaller rate.

    Args:
      b1: what is left of the momentum after a step, in [0, 1); a number or a schedule.
      b2: decay of the squares, in [0, 1); a number or a schedule.
      alpha: weight of the gradient, at least 0; a number or a schedule.
      eps: keeps the quotient small where v is; at least 0.

    Returns:
      A transformation that keeps `Moments`, float32 or wider.

    Raises:
      ValueError: if an argument is out of range.

    References:
      Morwani et al., 2025, Connections between Schedule-Free Optimizers, AdEMAMix, and Accelerated SGD Variants.
    """
    in_range("b1", b1, 0.0, 1.0)
    in_range("b2", b2, 0.0, 1.0)
    in_range("alpha", alpha)
    in_range("eps", eps)
    return leafwise(
        _simplified,
        zero_moments,
        keeps=Moments,
        b1=b1,
        rate2=complement(b2),
        weight2=correction(b2),
        alpha=alpha,
        eps=eps,
    )


def _simplified(
    g: Array, s: Moments, p: None, b1: Array, rate2: Array, weight2: Array, alpha: Array, eps: Array
) -> tuple[Array, Moments]:
    s = Moments(b1 * s.first + g, average(s.second, bounded_square(g), rate2))
    scale = root(s.second / weight2) + eps
    return alpha * (g / scale) + s.first / scale, s


@transformation
def scale_by_adopt(
    b1: ScalarOrSchedule = 0.9, b2: ScalarOrSchedule = 0.9999, eps: ScalarOrSchedule = 1e-6, clip: bool = True
) -> GradientTransformation:
    """Adam that divides by the second moment of a step ago, and averages afterwards.

    At first v = |g|^2 and no step;  then q = g / max(sqrt(v), eps) within t^(1/4) for t = 1, 2, ... such steps,
    m = b1 m + (1 - b1) q is the update, and v = b2 v + (1 - b2) |g|^2.

    Args:
      b1: decay of the average, in [0, 1); a number or a schedule. The paper's default, as are b2 and eps.
      b2: decay of the squares, in [0, 1); a number or a schedule.
      eps: the least root to divide by, at least 0.
      clip: bound the quotients, as the authors came to recommend.

    Returns:
      A transformation that keeps `Moments`, float32 or wider.

    Raises:
      ValueError: if an argument is out of range.

    References:
      Taniguchi et al., 2024, ADOPT: Modified Adam Can Converge with Any b2 with the Optimal Rate.
    """
    in_range("b1", b1, 0.0, 1.0)
    in_range("b2", b2, 0.0, 1.0)
    in_range("eps", eps)
    bound = stepwise(_fourth_root)
    rates = {"rate1": complement(b1), "rate2": complement(b2), "later": after_first()}
    return leafwise(_adopt, zero_moments, keeps=Moments, eps=eps, bound=bound, clip=clip, **rates)


def _fourth_root(step: Array) -> Array:
    return jnp.maximum(step, 1.0) ** 0.25


def _adopt(
    g: Array, s: Moments, p: None, eps: Array, bound: Array, clip: bool, rate1: Array, rate2: Array, later: Array
) -> tuple[Array, Moments]:
    quotient = g / jnp.maximum(root(s.second), eps)
    if clip:
        size = jnp.abs(quotient)
        quotient = jnp.where(size > bound, bound * (g / jnp.where(size > bound, jnp.abs(g), 1)), quotient)
    square = bounded_square(g)
    first = jnp.where(later > 0, average(s.first, quotient, rate1), s.first)
    second = jnp.where(later > 0, average(s.second, square, rate2), square)
    return jnp.where(jnp.isfinite(g), first, g), Moments(first, second)


@transformation
def reduce_variance(b1: ScalarOrSchedule = 0.95, gamma: ScalarOrSchedule = 0.025) -> GradientTransformation:
    """Correct each gradient by its change, so that its average lags less: the first stage of MARS.

    c = g + gamma b1 / (1 - b1) (g - last g), no change at first;  c / max(1, ||c||), over one array.

    Args:
      b1: decay of the average that will follow, in [0, 1); a number or a schedule. The paper's default, as is gamma.
      gamma: how much of the change counts, at least 0; a number or a schedule.

    Returns:
      A transformation that keeps the last gradient.

    Raises:
      ValueError: if an argument is out of range.

    References:
      Yuan et al., 2024, MARS: Unleashing the Power of Variance Reduction for Training Large Models (there MARS-approx).
    """
    in_range("b1", b1, 0.0, 1.0)
    in_range("gamma", gamma)
    return leafwise(_reduce_variance, keeps="last", rate=complement(b1), gamma=gamma, later=after_first())


def _reduce_variance(g: Array, last: Array, p: None, rate: Array, gamma: Array, later: Array) -> tuple[Array, Array]:
    change = jnp.where(later > 0, g - last, 0)
    corrected = g + gamma * ((1 - rate) / rate) * change
    return corrected / jnp.maximum(norm(corrected), 1), g


@transformation
def scale_by_acprop(
    b1: ScalarOrSchedule = 0.9, b2: ScalarOrSchedule = 0.999, eps: ScalarOrSchedule = 1e-16
) -> GradientTransformation:
    """Divide each gradient by the spread that gradients had before it.

    The first gradient passes;  then g / (sqrt(s / (1 - b2^(t-1))) + eps), with s of a step ago;
    m = b1 m + (1 - b1) g,  s = b2 s + (1 - b2) |g - m|^2 + eps, both zero at first. Optax takes m of a step ago.

    Args:
      b1: decay of the mean, in [0, 1); a number or a schedule.
      b2: decay of the spread, in [0, 1); a number or a schedule.
      eps: keeps the quotient small where s is, and s from zero; at least 0. As in Optax.

    Returns:
      A transformation that keeps `Moments`, float32 or wider.

    Raises:
      ValueError: if an argument is out of range.

    References:
      Zhuang et al., 2021, Momentum Centering and Asynchronous Update for Adaptive Gradient Methods.
    """
    in_range("b1", b1, 0.0, 1.0)
    in_range("b2", b2, 0.0, 1.0)
    in_range("eps", eps)
    rates = {"rate1": complement(b1), "rate2": complement(b2), "weight2": correction(b2), "later": after_first()}
    return leafwise(_acprop, zero_moments, keeps=Moments, eps=eps, **rates)


def _acprop(
    g: Array, s: Moments, p: None, eps: Array, rate1: Array, rate2: Array, weight2: Array, later: Array
) -> tuple[Array, Moments]:
    # 1 - b2^(t-1), out of 1 - b2^t.
    weight_before = jnp.where(later > 0, (weight2 - rate2) / (1 - rate2), 1)
    u = jnp.where(later > 0, g / (root(s.second / weight_before) + eps), g)
    first = average(s.first, g, rate1)
    return u, Moments(first, average(s.second, bounded_square(g - first) + eps / rate2, rate2))
