"""Optimizers that keep Adam's moments and use them in another way."""

from typing import Any

from gradtx.core import GradientTransformation, ScalarOrSchedule, transformation
from gradtx.optimizers.common import descend
from gradtx.transforms import (
    bias_correction,
    scale_by_adamax,
    scale_by_moments,
    scale_by_rectified_moments,
    track_mini_moments,
    track_moments,
    track_stable_moments,
    track_yogi,
)


@transformation
def radam(
    learning_rate: ScalarOrSchedule,
    b1: ScalarOrSchedule = 0.9,
    b2: ScalarOrSchedule = 0.999,
    eps: ScalarOrSchedule = 1e-8,
    threshold: ScalarOrSchedule = 5.0,
    *,
    weight_decay: ScalarOrSchedule | None = None,
    where: Any = None,
    maximize: bool = False,
) -> GradientTransformation:
    """Adam that goes by momentum alone until its second moment can be trusted.

    Adam's quotient times r_t where rho_t > threshold, else m / (1 - b1^t); r_t and rho_t as in
    `scale_by_rectified_moments`.

    PyTorch adds eps to sqrt(v) before it corrects the bias of v.

    Args:
      learning_rate: at least 0; a number or a schedule.
      b1: decay of the first moment, in [0, 1); a number or a schedule.
      b2: decay of the second moment, in [0, 1); a number or a schedule.
      eps: keeps the quotient small where v is; at least 0.
      threshold: at least 4, the paper's; 5 is PyTorch's and Optax's.
      weight_decay: the part of the parameters that a step takes off beside, times the rate; None for none.
      where: which arrays decay, a mask as for `masked`; all if None.
      maximize: climb instead of descend.

    Returns:
      A transformation that keeps `Moments`: two arrays per array, float32 or wider.

    Raises:
      ValueError: if an argument is out of range.

    References:
      Liu et al., 2020, On the Variance of the Adaptive Learning Rate and Beyond.
    """
    return descend(
        track_moments(b1, b2),
        bias_correction(b1, b2),
        scale_by_rectified_moments(b2, eps, threshold),
        learning_rate=learning_rate,
        weight_decay=weight_decay,
        where=where,
        maximize=maximize,
    )


@transformation
def adamax(
    learning_rate: ScalarOrSchedule,
    b1: ScalarOrSchedule = 0.9,
    b2: ScalarOrSchedule = 0.999,
    eps: ScalarOrSchedule = 1e-8,
    *,
    weight_decay: ScalarOrSchedule | None = None,
    where: Any = None,
    maximize: bool = False,
) -> GradientTransformation:
    """Adam over the largest of recent gradients, in the place of the root of their mean square.

    m = b1 m + (1 - b1) g,  v = max(b2 v, |g| + eps);  p - learning_rate * m / (1 - b1^t) / v

    Args:
      learning_rate: at least 0, in the paper 0.002; a number or a schedule.
      b1: decay of the first moment, in [0, 1); a number or a schedule.
      b2: decay of the largest, in [0, 1); a number or a schedule.
      eps: keeps v from zero; at least 0. Where PyTorch and Optax have it; the paper has none.
      weight_decay: the part of the parameters that a step takes off beside, times the rate; None for none.
      where: which arrays decay, a mask as for `masked`; all if None.
      maximize: climb instead of descend.

    Returns:
      A transformation that keeps `Moments`: two arrays per array, float32 or wider.

    Raises:
      ValueError: if an argument is out of range.

    References:
      Kingma and Ba, 2014, Adam: A Method for Stochastic Optimization (section 7.1).
    """
    return descend(
        scale_by_adamax(b1, b2, eps),
        learning_rate=learning_rate,
        weight_decay=weight_decay,
        where=where,
        maximize=maximize,
    )


@transformation
def adamaxw(
    learning_rate: ScalarOrSchedule,
    b1: ScalarOrSchedule = 0.9,
    b2: ScalarOrSchedule = 0.999,
    eps: ScalarOrSchedule = 1e-8,
    weight_decay: ScalarOrSchedule | None = 0.01,
    *,
    where: Any = None,
    maximize: bool = False,
) -> GradientTransformation:
    """AdaMax with decoupled weight decay.

    p - learning_rate * (adamax's quotient + weight_decay p)

    Optax's default decay is 0.0001.

    Args:
      learning_rate: at least 0; a number or a schedule.
      b1: decay of the first moment, in [0, 1); a number or a schedule.
      b2: decay of the largest, in [0, 1); a number or a schedule.
      eps: keeps v from zero; at least 0.
      weight_decay: the part of the parameters that a step takes off beside, times the rate; None for none.
      where: which arrays decay, a mask as for `masked`; all if None.
      maximize: climb instead of descend.

    Returns:
      A transformation that keeps `Moments`: two arrays per array, float32 or wider.

    Raises:
      ValueError: if an argument is out of range.

    References:
      Kingma and Ba, 2014, Adam: A Method for Stochastic Optimization (section 7.1).
      Loshchilov and Hutter, 2019, Decoupled Weight Decay Regularization.
    """
    return descend(
        scale_by_adamax(b1, b2, eps),
        learning_rate=learning_rate,
        weight_decay=weight_decay,
        where=where,
        maximize=maximize,
    )


@transformation
def yogi(
    learning_rate: ScalarOrSchedule,
    b1: ScalarOrSchedule = 0.9,
    b2: ScalarOrSchedule = 0.999,
    eps: ScalarOrSchedule = 1e-3,
    *,
    weight_decay: ScalarOrSchedule | None = None,
    where: Any = None,
    maximize: bool = False,
) -> GradientTransformation:
    """Adam whose second moment changes by no more than the last square.

    v = v - (1 - b2) sign(v - g^2) g^2, 1e-6 at first, takes the place of v.

    The paper corrects no bias, and the first steps are short. Optax does: put `bias_correction(b1, b2)` between the
    two stages; it begins m at 1e-6, too.

    Args:
      learning_rate: at least 0, in the paper 0.01; a number or a schedule.
      b1: decay of the first moment, in [0, 1); a number or a schedule.
      b2: decay of the second moment, in [0, 1); a number or a schedule.
      eps: keeps the quotient small where v is; at least 0.
      weight_decay: the part of the parameters that a step takes off beside, times the rate; None for none.
      where: which arrays decay, a mask as for `masked`; all if None.
      maximize: climb instead of descend.

    Returns:
      A transformation that keeps `Moments`: two arrays per array, float32 or wider.

    Raises:
      ValueError: if an argument is out of range.

    References:
      Zaheer et al., 2018, Adaptive Methods for Nonconvex Optimization.
    """
    return descend(
        track_yogi(b1, b2),
        scale_by_moments(eps),
        learning_rate=learning_rate,
        weight_decay=weight_decay,
        where=where,
        maximize=maximize,
    )


@transformation
def stable_adamw(
    learning_rate: ScalarOrSchedule,
    b1: ScalarOrSchedule = 0.9,
    b2: ScalarOrSchedule = 0.99,
    eps: ScalarOrSchedule = 1e-8,
    weight_decay: ScalarOrSchedule | None = 0.01,
    *,
    where: Any = None,
    maximize: bool = False,
) -> GradientTransformation:
    """AdamW whose step shrinks where the gradient has outgrown its second moment.

    AdamW with learning_rate / max(1, rms(g / sqrt(v / (1 - b2^t)))) for each array.

    The weight decay is not shrunk with the step; in the paper it is.

    Args:
      learning_rate: at least 0; a number or a schedule.
      b1: decay of the first moment, in [0, 1); a number or a schedule.
      b2: decay of the second moment, in [0, 1); a number or a schedule.
      eps: keeps the quotient small where v is; at least 0.
      weight_decay: the part of the parameters that a step takes off beside, times the rate; None for none.
      where: which arrays decay, a mask as for `masked`; all if None.
      maximize: climb instead of descend.

    Returns:
      A transformation that keeps `Moments`: two arrays per array, float32 or wider.

    Raises:
      ValueError: if an argument is out of range.

    References:
      Wortsman et al., 2023, Stable and low-precision training for large-scale vision-language models.
    """
    return descend(
        track_stable_moments(b1, b2, eps),
        bias_correction(b1, b2),
        scale_by_moments(eps),
        learning_rate=learning_rate,
        weight_decay=weight_decay,
        where=where,
        maximize=maximize,
    )


@transformation
def adam_mini(
    learning_rate: ScalarOrSchedule,
    b1: ScalarOrSchedule = 0.9,
    b2: ScalarOrSchedule = 0.999,
    eps: ScalarOrSchedule = 1e-8,
    *,
    weight_decay: ScalarOrSchedule | None = None,
    where: Any = None,
    maximize: bool = False,
) -> GradientTransformation:
    """Adam with one second moment for each array: half the memory.

    v = b2 v + (1 - b2) mean(g^2), one number for an array, takes the place of v.

    The paper divides some arrays further, by heads or by output neurons: split those arrays.

    Args:
      learning_rate: at least 0; a number or a schedule.
      b1: decay of the first moment, in [0, 1); a number or a schedule.
      b2: decay of the second moment, in [0, 1); a number or a schedule.
      eps: keeps the quotient small where v is; at least 0.
      weight_decay: the part of the parameters that a step takes off beside, times the rate; None for none.
      where: which arrays decay, a mask as for `masked`; all if None.
      maximize: climb instead of descend.

    Returns:
      A transformation that keeps `Moments`, the second of which is one number per array.

    Raises:
      ValueError: if an argument is out of range.

    References:
      Zhang et al., 2024, Adam-mini: Use Fewer Learning Rates To Gain More.
    """
    return descend(
        track_mini_moments(b1, b2),
        bias_correction(b1, b2),
        scale_by_moments(eps),
        learning_rate=learning_rate,
        weight_decay=weight_decay,
        where=where,
        maximize=maximize,
    )
