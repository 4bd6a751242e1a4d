"""RAdam: Adam that waits until its second moment can be trusted."""

from __future__ import annotations

import math
from typing import Annotated, Any

import jax.numpy as jnp
from jax import Array

from gradtx.core import (
    Fraction,
    GradientTransformation,
    LearningRate,
    Mask,
    NonNegative,
    Range,
    ScalarOrSchedule,
    Schedule,
    chain,
    leafwise,
    stepwise,
    transformation,
)
from gradtx.optimizers.common import descend
from gradtx.schedules.constant import is_constant
from gradtx.transforms.averages import correction, one_minus
from gradtx.transforms.moments import Moments, bias_correction, quotient, track_moments, track_nesterov_moments

Threshold = Annotated[ScalarOrSchedule, Range(4)]


@transformation
def scale_by_rectified_moments(
    b2: Fraction = 0.999,
    eps: NonNegative = 1e-8,
    threshold: Threshold = 5.0,
    eps_root: NonNegative | None = None,
) -> GradientTransformation:
    """Scale by Adam's quotient once the variance of the second moment is small enough; before that by the mean alone.

    With rho = 2 / (1 - b2) - 1 and rho_t = rho - 2 t b2^t / (1 - b2^t):  where rho_t > threshold
    u = r m / (sqrt(v + eps_root) + eps),  r^2 = (rho_t - 4)(rho_t - 2) rho / ((rho - 4)(rho - 2) rho_t);
    before, u = m.

    Args:
      b2: the decay with which the second moment is tracked.
      eps: added to the root. PyTorch adds it before the bias of v is corrected; its eps is eps / sqrt(1 - b2^t) here.
      threshold: the paper's is 4; PyTorch's and Optax's is 5, where Optax also uses r if rho_t equals it.
      eps_root: added to v inside the root; None for none.

    Returns:
      A transformation that takes `Moments` and gives arrays; it keeps its age.

    References:
      Liu et al., 2020, On the Variance of the Adaptive Learning Rate and Beyond.
    """
    return leafwise(_rectified, takes=Moments, eps=eps, eps_root=eps_root, factor=rectification(b2, threshold))


def rectification(b2: Fraction, threshold: Threshold) -> Schedule:
    """The schedule r_t of RAdam, 0 where the second moment cannot be trusted yet."""
    varies = isinstance(b2, Schedule) and not is_constant(b2.mathematics)
    product: dict[str, Any] = {"correction2": correction(b2)} if varies else {}
    return stepwise(_rectification, needs=("age",), one_minus_b2=one_minus(b2), threshold=threshold, **product)


def _rectification(
    step: Array, age: Array, one_minus_b2: Array, threshold: Array, correction2: Array | None = None
) -> Array:
    # With L = -log b2 and 2 / (e^x - 1) = 2 / x - 1 + h(x), the difference in rho_t, of two numbers near 2 / L, is
    # t + h(L) - t h(t L), of numbers near t.
    rho = 2 / one_minus_b2 - 1
    ever = rho > threshold  # for rho_t is less than rho
    t, rate = age + 1.0, -jnp.log1p(-jnp.where(ever, one_minus_b2, 0.5))
    if correction2 is None:
        total, drift = t * rate, jnp.zeros(())
    else:  # L is not the same at all steps
        total = -jnp.log1p(-correction2)
        drift = 2 / rate - 2 * t / total
    beyond = drift + _curve(rate) - t * _curve(total)  # rho_t - t
    late = total > 0.5
    rho_t = jnp.where(late, drift + _curve(rate) + t * (2 / total - 2 / jnp.expm1(total)), t + beyond)
    trusted = ever & jnp.where(late, rho_t > threshold, beyond > threshold - t)
    safe, rho = jnp.where(trusted, rho_t, 5.0), jnp.where(trusted, rho, 5.0)
    return jnp.where(trusted, jnp.sqrt((safe - 4) * (safe - 2) * rho / ((rho - 4) * (rho - 2) * safe)), 0.0)


def _curve(x: Array) -> Array:
    """2 / (e^x - 1) - 2 / x + 1, for x > 0."""
    some = x > 0.5
    small, large = jnp.where(some, 0.5, x), jnp.where(some, x, 1.0)
    series = jnp.zeros(())
    for coefficient in SERIES:
        series = small**2 * series + coefficient
    return jnp.where(some, 1 - 2 / large + 2 / jnp.expm1(large), small * series)


# The coefficients of that function of x, the last first: 2 B_2n / (2n)!.
BERNOULLI = 1 / 6, -1 / 30, 1 / 42, -1 / 30, 5 / 66, -691 / 2730, 7 / 6
SERIES = [2 * b / math.factorial(2 * n) for n, b in enumerate(BERNOULLI, start=1)][::-1]


def _rectified(
    moments: Moments, s: None, p: None, eps: Array, eps_root: Array | None, factor: Array
) -> tuple[Array, None]:
    return jnp.where(factor > 0, factor * quotient(moments, eps, eps_root), moments.first), s


@transformation
def scale_by_radam(
    b1: Fraction = 0.9,
    b2: Fraction = 0.999,
    eps: NonNegative = 1e-8,
    eps_root: NonNegative | None = None,
    threshold: Threshold = 5.0,
    *,
    nesterov: bool = False,
) -> GradientTransformation:
    """The step of `radam` before the learning rate, as one stage; arguments as there.

    Adam's quotient times r_t where rho_t > threshold, else m / (1 - b1^t), as in `scale_by_rectified_moments`.

    Args:
      eps_root: added to v inside the root; None for none, which is 0 in Optax.
      nesterov: use the first moment as it will be one step ahead, as in `nadam`.

    Returns:
      A transformation that keeps `Moments`, under the names of its stages.
    """
    track = track_nesterov_moments if nesterov else track_moments
    return chain(track(b1, b2), bias_correction(b1, b2), scale_by_rectified_moments(b2, eps, threshold, eps_root))


@transformation
def radam(
    learning_rate: LearningRate,
    b1: Fraction = 0.9,
    b2: Fraction = 0.999,
    eps: NonNegative = 1e-8,
    threshold: Threshold = 5.0,
    *,
    weight_decay: NonNegative | None = None,
    where: Mask | None = None,
    maximize: bool = False,
) -> GradientTransformation:
    """Adam that goes by momentum alone until its second moment can be trusted.

    Adam's quotient times r_t where rho_t > threshold, else m / (1 - b1^t); r_t and rho_t as in
    `scale_by_rectified_moments`.

    PyTorch adds eps to sqrt(v) before it corrects the bias of v.

    Args:
      threshold: the paper's is 4; PyTorch's and Optax's is 5.
      learning_rate, b1, b2, eps, weight_decay, where, maximize: as for `adam`.

    Returns:
      A transformation that keeps `Moments`: two arrays per array, in float32 or wider.

    References:
      Liu et al., 2020, On the Variance of the Adaptive Learning Rate and Beyond.
    """
    stages = track_moments(b1, b2), bias_correction(b1, b2), scale_by_rectified_moments(b2, eps, threshold)
    return descend(stages, learning_rate, weight_decay, where, maximize)
