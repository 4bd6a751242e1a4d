"""What stands in the place of Adam's moments or of its quotient in the optimizers that are named after it."""

import functools
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp

from gradtx.core import GradientTransformation, ScalarOrSchedule, Schedule, leafwise, stepwise, transformation
from gradtx.core.checks import in_range
from gradtx.core.numerics import average, bounded_square, norm, real_zeros, rms, root
from gradtx.transforms.averages import after_first, complement, correction
from gradtx.transforms.moments import Moments, quotient, zero_moments

Array = jax.Array


def _check(**decays: ScalarOrSchedule) -> None:
    for name, decay in decays.items():
        in_range(name, decay, 0.0, 1.0)


@transformation
def track_yogi(
    b1: ScalarOrSchedule = 0.9, b2: ScalarOrSchedule = 0.999, initial_accumulator_value: float = 1e-6
) -> GradientTransformation:
    """Track moments, the second of which changes by no more than the last square, whatever it has been before.

    m = b1 m + (1 - b1) g, zero at first;  v = v - (1 - b2) sign(v - |g|^2) |g|^2

    Args:
      b1: decay of the first moment, in [0, 1); a number or a schedule.
      b2: 1 less the part by which v may change, in [0, 1); a number or a schedule.
      initial_accumulator_value: v at first, at least 0. Optax begins m with it too.

    Returns:
      A transformation that takes arrays and gives `Moments`; it keeps `Moments`, float32 or wider.

    Raises:
      ValueError: if an argument is out of range.

    References:
      Zaheer et al., 2018, Adaptive Methods for Nonconvex Optimization.
    """
    _check(b1=b1, b2=b2)
    in_range("initial_accumulator_value", initial_accumulator_value)
    return leafwise(
        _track_yogi,
        functools.partial(_yogi_init, initial_accumulator_value),
        keeps=Moments,
        gives=Moments,
        rate1=complement(b1),
        rate2=complement(b2),
    )


def _yogi_init(value: float, p: Array) -> Moments:
    return Moments(jnp.zeros_like(p), jnp.full_like(p.real, value))


def _track_yogi(g: Array, moments: Moments, p: None, rate1: Array, rate2: Array) -> tuple[Moments, Moments]:
    square = bounded_square(g)
    second = moments.second - rate2 * jnp.sign(moments.second - square) * square
    moments = Moments(average(moments.first, g, rate1), second)
    return moments, moments


@transformation
def track_stable_moments(
    b1: ScalarOrSchedule = 0.9, b2: ScalarOrSchedule = 0.999, eps: ScalarOrSchedule = 1e-8
) -> GradientTransformation:
    """Track moments, and shrink the first where the gradient has outgrown what the second foresees.

    m and v as in `track_moments`;  m is given divided by max(1, rms(g / sqrt(v / (1 - b2^t)))), over one array.

    Args:
      b1: decay of the first moment, in [0, 1); a number or a schedule.
      b2: decay of the second moment, in [0, 1); a number or a schedule.
      eps: the least root to divide by, at least 0.

    Returns:
      A transformation that takes arrays and gives `Moments`; it keeps `Moments`, float32 or wider.

    Raises:
      ValueError: if an argument is out of range.

    References:
      Wortsman et al., 2023, Stable and low-precision training for large-scale vision-language models.
    """
    _check(b1=b1, b2=b2)
    in_range("eps", eps)
    rates = {"rate1": complement(b1), "rate2": complement(b2), "weight2": correction(b2)}
    return leafwise(_track_stable, zero_moments, keeps=Moments, gives=Moments, eps=eps, **rates)


def _track_stable(
    g: Array, moments: Moments, p: None, eps: Array, rate1: Array, rate2: Array, weight2: Array
) -> tuple[Moments, Moments]:
    moments = Moments(average(moments.first, g, rate1), average(moments.second, bounded_square(g), rate2))
    outgrown = rms(g / jnp.maximum(root(moments.second / weight2), eps))
    return moments._replace(first=moments.first / jnp.maximum(outgrown, 1)), moments


@transformation
def track_mini_moments(b1: ScalarOrSchedule = 0.9, b2: ScalarOrSchedule = 0.999) -> GradientTransformation:
    """Track the first moment of every number, and one second moment for each array: half of Adam's memory.

    m = b1 m + (1 - b1) g,  v = b2 v + (1 - b2) mean(|g|^2), both zero at first.

    The paper divides some arrays further, by heads or by output neurons: split those arrays.

    Args:
      b1: decay of the first moment, in [0, 1); a number or a schedule.
      b2: decay of the second moment, in [0, 1); a number or a schedule.

    Returns:
      A transformation that takes arrays and gives `Moments`, the second a scalar; it keeps them, float32 or wider.

    Raises:
      ValueError: if a decay is out of range.

    References:
      Zhang et al., 2024, Adam-mini: Use Fewer Learning Rates To Gain More.
    """
    _check(b1=b1, b2=b2)
    return leafwise(_track_mini, _mini_zeros, keeps=Moments, gives=Moments, rate1=complement(b1), rate2=complement(b2))


def _mini_zeros(p: Array) -> Moments:
    return Moments(jnp.zeros_like(p), jnp.zeros((), p.real.dtype))


def _track_mini(g: Array, moments: Moments, p: None, rate1: Array, rate2: Array) -> tuple[Moments, Moments]:
    moments = Moments(average(moments.first, g, rate1), average(moments.second, bounded_square(rms(g)), rate2))
    return moments, moments


@transformation
def scale_by_rectified_moments(
    b2: ScalarOrSchedule = 0.999,
    eps: ScalarOrSchedule = 1e-8,
    threshold: ScalarOrSchedule = 5.0,
    eps_root: ScalarOrSchedule | None = None,
) -> GradientTransformation:
    """Divide the first moment by the root of the second as far as that can be trusted yet, as RAdam does.

    With rho = 2 / (1 - b2) - 1 and rho_t = rho - 2 t b2^t / (1 - b2^t):  where rho_t > threshold
    u = r m / (sqrt(v + eps_root) + eps),  r^2 = (rho_t - 4)(rho_t - 2) rho / ((rho - 4)(rho - 2) rho_t);
    before, u = m.

    Args:
      b2: decay with which the second moment is tracked, in [0, 1); a number or a schedule.
      eps: keeps the quotient small where v is; at least 0. PyTorch divides by sqrt(v) + eps before the bias of v is
        corrected, there eps stands for eps / sqrt(1 - b2^t) here.
      threshold: at least 4, the paper's. 5 is PyTorch's and Optax's (which takes r where rho_t equals it, too).
      eps_root: added to v within the root, at least 0; None for none.

    Returns:
      A transformation that takes `Moments` and gives arrays.

    Raises:
      ValueError: if an argument is out of range.

    References:
      Liu et al., 2020, On the Variance of the Adaptive Learning Rate and Beyond.
    """
    _check(b2=b2)
    in_range("eps", eps)
    in_range("threshold", threshold, 4.0)
    in_range("eps_root", 0.0 if eps_root is None else eps_root)
    return leafwise(_rectified, takes=Moments, eps=eps, eps_root=eps_root, trust=rectification(b2, threshold))


def rectification(b2: ScalarOrSchedule, threshold: ScalarOrSchedule) -> Schedule:
    """The schedule r_t of RAdam, 0 where the second moment cannot be trusted yet."""
    return stepwise(_rectification, rate=complement(b2), weight=correction(b2), threshold=threshold)


def _rectification(step: Array, rate: Array, weight: Array, threshold: Array) -> Array:
    rho = 2 / rate - 1
    rho_t = rho - 2 * (step + 1) * (1 - weight) / weight
    trusted = rho_t > threshold
    safe = jnp.where(trusted, rho_t, 5.0)
    square = (safe - 4) * (safe - 2) * rho / ((rho - 4) * (rho - 2) * safe)
    return jnp.where(trusted, jnp.sqrt(jnp.where(trusted, square, 1.0)), 0.0)


def _rectified(
    moments: Moments, s: None, p: None, eps: Array, eps_root: Array | None, trust: Array
) -> tuple[Array, None]:
    return jnp.where(trust > 0, trust * quotient(moments, eps, eps_root), moments.first), s


@transformation
def scale_by_adamax(
    b1: ScalarOrSchedule = 0.9, b2: ScalarOrSchedule = 0.999, eps: ScalarOrSchedule = 1e-8
) -> GradientTransformation:
    """Divide the first moment by the largest of recent gradients, of which old ones count less.

    m = b1 m + (1 - b1) g,  v = max(b2 v, |g| + eps), both zero at first;  m / (1 - b1^t) / v

    Args:
      b1: decay of the first moment, in [0, 1); a number or a schedule.
      b2: decay of the largest, in [0, 1); a number or a schedule.
      eps: keeps v from zero, at least 0. It stands where PyTorch and Optax have it; the paper has none.

    Returns:
      A transformation that keeps `Moments`, the second of which is v, float32 or wider.

    Raises:
      ValueError: if an argument is out of range.

    References:
      Kingma and Ba, 2014, Adam: A Method for Stochastic Optimization (section 7.1).
    """
    _check(b1=b1, b2=b2)
    in_range("eps", eps)
    return leafwise(
        _adamax,
        zero_moments,
        keeps=Moments,
        rate1=complement(b1),
        weight1=correction(b1),
        rate2=complement(b2),
        eps=eps,
    )


def _adamax(
    g: Array, moments: Moments, p: None, rate1: Array, weight1: Array, rate2: Array, eps: Array
) -> tuple[Array, Moments]:
    # Far above the least of numbers, for XLA may multiply the two denominators first.
    least = jnp.sqrt(jnp.finfo(moments.second.dtype).tiny)
    largest = jnp.maximum(moments.second - rate2 * moments.second, jnp.abs(g) + eps)
    moments = Moments(average(moments.first, g, rate1), largest)
    return moments.first / weight1 / jnp.maximum(largest, least), moments


class AdanState(NamedTuple):
    """What Adan keeps, arrays of a gradient's shape: averages of gradients, their changes and squares, and the last."""

    first: Array
    change: Array
    second: Array
    last: Array


@transformation
def scale_by_adan(
    b1: ScalarOrSchedule = 0.98,
    b2: ScalarOrSchedule = 0.92,
    b3: ScalarOrSchedule = 0.99,
    eps: ScalarOrSchedule = 1e-8,
) -> GradientTransformation:
    """Adam with Nesterov's momentum made of the differences of gradients.

    With d = g_t - g_(t-1), 0 at first:  m = b1 m + (1 - b1) g,  v = b2 v + (1 - b2) d,
    n = b3 n + (1 - b3) |g + b2 d|^2;  (m / (1 - b1^t) + b2 v / (1 - b2^t)) / (sqrt(n / (1 - b3^t)) + eps)

    The decays are those of the authors' code; the paper's are 1 less these. Optax takes the paper's 1 - b2 of the
    code's b2, 0.08 in the place of 0.92.

    Args:
      b1: decay of the average of gradients, in [0, 1); a number or a schedule.
      b2: decay of the average of differences and their weight, in [0, 1); a number or a schedule.
      b3: decay of the average of squares, in [0, 1); a number or a schedule.
      eps: keeps the quotient small where n is; at least 0.

    Returns:
      A transformation that keeps an `AdanState`, four arrays per array, float32 or wider.

    Raises:
      ValueError: if an argument is out of range.

    References:
      Xie et al., 2022, Adan: Adaptive Nesterov Momentum Algorithm for Faster Optimizing Deep Models.
    """
    _check(b1=b1, b2=b2, b3=b3)
    in_range("eps", eps)
    rates: dict[str, Any] = {f"rate{i}": complement(b) for i, b in enumerate((b1, b2, b3), 1)}
    weights: dict[str, Any] = {f"weight{i}": correction(b) for i, b in enumerate((b1, b2, b3), 1)}
    return leafwise(_adan, _adan_zeros, keeps=AdanState, eps=eps, later=after_first(), **rates, **weights)


def _adan_zeros(p: Array) -> AdanState:
    return AdanState(jnp.zeros_like(p), jnp.zeros_like(p), real_zeros(p), jnp.zeros_like(p))


def _adan(
    g: Array,
    s: AdanState,
    p: None,
    eps: Array,
    later: Array,
    rate1: Array,
    rate2: Array,
    rate3: Array,
    weight1: Array,
    weight2: Array,
    weight3: Array,
) -> tuple[Array, AdanState]:
    change = jnp.where(later > 0, g - s.last, 0)
    s = AdanState(
        first=average(s.first, g, rate1),
        change=average(s.change, change, rate2),
        second=average(s.second, bounded_square(g + (1 - rate2) * change), rate3),
        last=g,
    )
    ahead = s.first / weight1 + (1 - rate2) * s.change / weight2
    return ahead / (root(s.second / weight3) + eps), s


@transformation
def scale_by_novograd(
    b1: ScalarOrSchedule = 0.9,
    b2: ScalarOrSchedule = 0.25,
    eps: ScalarOrSchedule = 1e-8,
    weight_decay: ScalarOrSchedule = 0.0,
) -> GradientTransformation:
    """Divide each array's gradient by the root of an average of its squared norm, then gather momentum.

    v = b2 v + (1 - b2) ||g||^2, ||g||^2 at first;  m = b1 m + g / (sqrt(v) + eps) + weight_decay p, zero at first

    Args:
      b1: what is left of the momentum after a step, in [0, 1); a number or a schedule.
      b2: decay of the squared norm, in [0, 1); the paper takes 0.25 to 0.95. A number or a schedule.
      eps: keeps the quotient small where v is; at least 0.
      weight_decay: the part of the parameter in the momentum, as in the paper, at least 0.

    Returns:
      A transformation that keeps `Moments`, the second of which is one number per array; its update needs `params`.

    Raises:
      ValueError: if an argument is out of range.

    References:
      Ginsburg et al., 2019, Stochastic Gradient Methods with Layer-wise Adaptive Moments for Training of Deep Networks.
    """
    _check(b1=b1, b2=b2)
    in_range("eps", eps)
    in_range("weight_decay", weight_decay)
    return leafwise(
        _novograd,
        _mini_zeros,
        keeps=Moments,
        needs=("params",),
        b1=b1,
        rate2=complement(b2),
        eps=eps,
        weight_decay=weight_decay,
        later=after_first(),
    )


def _novograd(
    g: Array, s: Moments, p: Array, b1: Array, rate2: Array, eps: Array, weight_decay: Array, later: Array
) -> tuple[Array, Moments]:
    square = bounded_square(norm(g))
    second = jnp.where(later > 0, average(s.second, square, rate2), square)
    first = b1 * s.first + g / (root(second) + eps) + weight_decay * p
    return first, Moments(first, second)
