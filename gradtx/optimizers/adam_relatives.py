"""Relatives of Adam that average, divide or remember otherwise."""

from typing import Any

from gradtx.core import GradientTransformation, ScalarOrSchedule, transformation
from gradtx.optimizers.common import descend
from gradtx.transforms import (
    bias_correction,
    ema,
    reduce_variance,
    scale_by_acprop,
    scale_by_adan,
    scale_by_ademamix,
    scale_by_adopt,
    scale_by_moments,
    scale_by_rms,
    scale_by_simplified_ademamix,
    track_moments,
)


@transformation
def laprop(
    learning_rate: ScalarOrSchedule,
    b1: ScalarOrSchedule = 0.9,
    b2: ScalarOrSchedule = 0.999,
    eps: ScalarOrSchedule = 1e-15,
    *,
    weight_decay: ScalarOrSchedule | None = None,
    where: Any = None,
    maximize: bool = False,
) -> GradientTransformation:
    """Adam with its two parts in the other order: gradients are scaled first and averaged then.

    q = g / (sqrt(v / (1 - b2^t)) + eps),  m = b1 m + (1 - b1) q;  p - learning_rate * m / (1 - b1^t)

    Args:
      learning_rate: at least 0, in the paper 0.0004; a number or a schedule.
      b1: decay of the average, in [0, 1); a number or a schedule.
      b2: decay of the second moment, in [0, 1); a number or a schedule.
      eps: keeps the quotient small where v is; at least 0.
      weight_decay: the part of the parameters that a step takes off beside, times the rate; None for none.
      where: which arrays decay, a mask as for `masked`; all if None.
      maximize: climb instead of descend.

    Returns:
      A transformation that keeps two arrays per array, float32 or wider.

    Raises:
      ValueError: if an argument is out of range.

    References:
      Ziyin, Wang and Ueda, 2020, LaProp: Separating Momentum and Adaptivity in Adam.
    """
    return descend(
        scale_by_rms(b2, eps, bias_correction=True),
        ema(b1),
        learning_rate=learning_rate,
        weight_decay=weight_decay,
        where=where,
        maximize=maximize,
    )


@transformation
def adopt(
    learning_rate: ScalarOrSchedule,
    b1: ScalarOrSchedule = 0.9,
    b2: ScalarOrSchedule = 0.9999,
    eps: ScalarOrSchedule = 1e-6,
    *,
    weight_decay: ScalarOrSchedule | None = None,
    where: Any = None,
    maximize: bool = False,
) -> GradientTransformation:
    """Adam that divides by the second moment of a step ago: it converges whatever b2 is.

    The first gradient only begins v = g^2. Then q = g / max(sqrt(v), eps), bounded by t^(1/4);
    m = b1 m + (1 - b1) q;  p - learning_rate * m;  v = b2 v + (1 - b2) g^2

    Optax does the same.

    Args:
      learning_rate: at least 0; a number or a schedule.
      b1: decay of the average, in [0, 1); a number or a schedule. The paper's default, as are b2 and eps.
      b2: decay of the second moment, in [0, 1); a number or a schedule.
      eps: the least root to divide by; at least 0.
      weight_decay: the part of the parameters that a step takes off beside, times the rate; None for none.
      where: which arrays decay, a mask as for `masked`; all if None.
      maximize: climb instead of descend.

    Returns:
      A transformation that keeps `Moments`: two arrays per array, float32 or wider.

    Raises:
      ValueError: if an argument is out of range.

    References:
      Taniguchi et al., 2024, ADOPT: Modified Adam Can Converge with Any b2 with the Optimal Rate.
    """
    return descend(
        scale_by_adopt(b1, b2, eps),
        learning_rate=learning_rate,
        weight_decay=weight_decay,
        where=where,
        maximize=maximize,
    )


@transformation
def mars(
    learning_rate: ScalarOrSchedule,
    b1: ScalarOrSchedule = 0.95,
    b2: ScalarOrSchedule = 0.99,
    eps: ScalarOrSchedule = 1e-8,
    gamma: ScalarOrSchedule = 0.025,
    weight_decay: ScalarOrSchedule | None = 0.01,
    *,
    where: Any = None,
    maximize: bool = False,
) -> GradientTransformation:
    """AdamW on gradients corrected by their own change.

    c = g + gamma b1 / (1 - b1) (g - last g), within a norm of 1 for each array; AdamW for c.

    Args:
      learning_rate: at least 0, in the paper 0.003; a number or a schedule.
      b1: decay of the first moment, in [0, 1); a number or a schedule.
      b2: decay of the second moment, in [0, 1); a number or a schedule.
      eps: keeps the quotient small where v is; at least 0.
      gamma: how much of the change counts, at least 0; the paper's.
      weight_decay: the part of the parameters that a step takes off beside, times the rate; None for none.
      where: which arrays decay, a mask as for `masked`; all if None.
      maximize: climb instead of descend.

    Returns:
      A transformation that keeps `Moments` and the last gradient: three arrays per array.

    Raises:
      ValueError: if an argument is out of range.

    References:
      Yuan et al., 2024, MARS: Unleashing the Power of Variance Reduction for Training Large Models (MARS-AdamW).
    """
    return descend(
        reduce_variance(b1, gamma),
        track_moments(b1, b2),
        bias_correction(b1, b2),
        scale_by_moments(eps),
        learning_rate=learning_rate,
        weight_decay=weight_decay,
        where=where,
        maximize=maximize,
    )


@transformation
def ademamix(
    learning_rate: ScalarOrSchedule,
    b1: ScalarOrSchedule = 0.9,
    b2: ScalarOrSchedule = 0.999,
    b3: ScalarOrSchedule = 0.9999,
    alpha: ScalarOrSchedule = 5.0,
    eps: ScalarOrSchedule = 1e-8,
    *,
    weight_decay: ScalarOrSchedule | None = None,
    where: Any = None,
    maximize: bool = False,
) -> GradientTransformation:
    """Adam with a second, far slower average of gradients.

    n = b3 n + (1 - b3) g;  (m / (1 - b1^t) + alpha n) / (sqrt(v / (1 - b2^t)) + eps) is Adam's quotient.

    Optax does the same. The paper lets b3 and alpha rise: give schedules.

    Args:
      learning_rate: at least 0; a number or a schedule.
      b1: decay of the first moment, in [0, 1); a number or a schedule.
      b2: decay of the second moment, in [0, 1); a number or a schedule.
      b3: decay of the slow average, in [0, 1); a number or a schedule, in the paper one that rises from b1.
      alpha: weight of the slow average, at least 0; in the paper a line that rises from 0.
      eps: keeps the quotient small where v is; at least 0.
      weight_decay: the part of the parameters that a step takes off beside, times the rate; None for none.
      where: which arrays decay, a mask as for `masked`; all if None.
      maximize: climb instead of descend.

    Returns:
      A transformation that keeps `SlowMoments`: three arrays per array.

    Raises:
      ValueError: if an argument is out of range.

    References:
      Pagliardini, Ablin and Grangier, 2024, The AdEMAMix Optimizer: Better, Faster, Older.
    """
    return descend(
        scale_by_ademamix(b1, b2, b3, alpha, eps),
        learning_rate=learning_rate,
        weight_decay=weight_decay,
        where=where,
        maximize=maximize,
    )


@transformation
def simplified_ademamix(
    learning_rate: ScalarOrSchedule,
    b1: ScalarOrSchedule = 0.99,
    b2: ScalarOrSchedule = 0.95,
    alpha: ScalarOrSchedule = 0.0,
    eps: ScalarOrSchedule = 1e-8,
    *,
    weight_decay: ScalarOrSchedule | None = None,
    where: Any = None,
    maximize: bool = False,
) -> GradientTransformation:
    """AdEMAMix with one slow momentum and the gradient itself.

    m = b1 m + g;  p - learning_rate * (alpha g + m) / (sqrt(v / (1 - b2^t)) + eps)

    The momentum is a sum: take a rate 1 - b1 times that of Adam.

    Optax does the same.

    Args:
      learning_rate: at least 0; a number or a schedule.
      b1: what is left of the momentum after a step, in [0, 1); a number or a schedule.
      b2: decay of the second moment, in [0, 1); a number or a schedule.
      alpha: weight of the gradient, at least 0; a number or a schedule.
      eps: keeps the quotient small where v is; at least 0.
      weight_decay: the part of the parameters that a step takes off beside, times the rate; None for none.
      where: which arrays decay, a mask as for `masked`; all if None.
      maximize: climb instead of descend.

    Returns:
      A transformation that keeps `Moments`: two arrays per array, float32 or wider.

    Raises:
      ValueError: if an argument is out of range.

    References:
      Morwani et al., 2025, Connections between Schedule-Free Optimizers, AdEMAMix, and Accelerated SGD Variants.
    """
    return descend(
        scale_by_simplified_ademamix(b1, b2, alpha, eps),
        learning_rate=learning_rate,
        weight_decay=weight_decay,
        where=where,
        maximize=maximize,
    )


@transformation
def acprop(
    learning_rate: ScalarOrSchedule,
    b1: ScalarOrSchedule = 0.9,
    b2: ScalarOrSchedule = 0.999,
    eps: ScalarOrSchedule = 1e-16,
    *,
    weight_decay: ScalarOrSchedule | None = None,
    where: Any = None,
    maximize: bool = False,
) -> GradientTransformation:
    """Descent by each gradient over the spread that gradients had before it.

    p - learning_rate * g / (sqrt(s / (1 - b2^(t-1))) + eps), s = b2 s + (1 - b2) |g - m|^2 + eps afterwards.

    Optax takes m of a step ago in the spread.

    Args:
      learning_rate: at least 0; a number or a schedule.
      b1: decay of the mean, in [0, 1); a number or a schedule.
      b2: decay of the spread, in [0, 1); a number or a schedule.
      eps: keeps the quotient small where v is; at least 0.
      weight_decay: the part of the parameters that a step takes off beside, times the rate; None for none.
      where: which arrays decay, a mask as for `masked`; all if None.
      maximize: climb instead of descend.

    Returns:
      A transformation that keeps `Moments`: two arrays per array, float32 or wider.

    Raises:
      ValueError: if an argument is out of range.

    References:
      Zhuang et al., 2021, Momentum Centering and Asynchronous Update for Adaptive Gradient Methods.
    """
    return descend(
        scale_by_acprop(b1, b2, eps),
        learning_rate=learning_rate,
        weight_decay=weight_decay,
        where=where,
        maximize=maximize,
    )


@transformation
def adan(
    learning_rate: ScalarOrSchedule,
    b1: ScalarOrSchedule = 0.98,
    b2: ScalarOrSchedule = 0.92,
    b3: ScalarOrSchedule = 0.99,
    eps: ScalarOrSchedule = 1e-8,
    *,
    weight_decay: ScalarOrSchedule | None = None,
    where: Any = None,
    maximize: bool = False,
) -> GradientTransformation:
    """Adam with Nesterov's momentum made of the differences of gradients.

    p - learning_rate * (m / (1 - b1^t) + b2 v / (1 - b2^t)) / (sqrt(n / (1 - b3^t)) + eps), with averages m of g, v of
    d = g - last g and n of (g + b2 d)^2.

    The authors' code divides the parameters by 1 + learning_rate * weight_decay instead of decaying them.

    Optax weighs v by 1 - b2.

    Args:
      learning_rate: at least 0; a number or a schedule.
      b1: decay of the average of gradients, in [0, 1); a number or a schedule.
      b2: decay of the average of differences and their weight, in [0, 1).
      b3: decay of the average of squares, in [0, 1); a number or a schedule.
      eps: keeps the quotient small where v is; at least 0.
      weight_decay: the part of the parameters that a step takes off beside, times the rate; None for none.
      where: which arrays decay, a mask as for `masked`; all if None.
      maximize: climb instead of descend.

    Returns:
      A transformation that keeps an `AdanState`: four arrays per array.

    Raises:
      ValueError: if an argument is out of range.

    References:
      Xie et al., 2022, Adan: Adaptive Nesterov Momentum Algorithm for Faster Optimizing Deep Models.
    """
    return descend(
        scale_by_adan(b1, b2, b3, eps),
        learning_rate=learning_rate,
        weight_decay=weight_decay,
        where=where,
        maximize=maximize,
    )
