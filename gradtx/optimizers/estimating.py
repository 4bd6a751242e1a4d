"""Optimizers that estimate their learning rate, or how far a model of the loss may be trusted."""

from typing import Any

from gradtx.core import GradientTransformation, ScalarOrSchedule, transformation
from gradtx.optimizers.common import take_whole_steps
from gradtx.transforms import scale_by_dadapt, scale_by_momo, scale_by_momo_adam, scale_by_prodigy


@transformation
def prodigy(
    learning_rate: ScalarOrSchedule = 1.0,
    b1: ScalarOrSchedule = 0.9,
    b2: ScalarOrSchedule = 0.999,
    eps: ScalarOrSchedule = 1e-8,
    estim_lr0: float = 1e-6,
    estim_lr_coef: ScalarOrSchedule = 1.0,
    *,
    weight_decay: ScalarOrSchedule | None = None,
    where: Any = None,
    maximize: bool = False,
) -> GradientTransformation:
    """Adam with a learning rate that it finds itself.

    k = d learning_rate;  p - k (m / (sqrt(v) + d eps) + weight_decay p), with d, m and v as in `scale_by_prodigy`.

    Optax corrects the bias of the moments; the paper does not.

    Args:
      learning_rate: factor of the step that is found, at least 0; 1, or a schedule from 1.
      b1: decay of the first moment, in [0, 1); a number or a schedule. The authors' default, as are those below.
      b2: decay of the second moment, in [0, 1); a number or a schedule.
      eps: keeps the quotient small where v is; at least 0.
      estim_lr0: the first estimate, above 0.
      estim_lr_coef: factor of later estimates, at least 0.
      weight_decay: the part of the parameters that a step takes off beside, times the rate found; None for none.
      where: which arrays decay, a mask as for `masked`; all if None.
      maximize: climb instead of descend.

    Returns:
      A transformation that keeps an `Estimate`, four arrays per array; its update needs `params`.

    Raises:
      ValueError: if an argument is out of range.

    References:
      Mishchenko and Defazio, 2023, Prodigy: An Expeditiously Adaptive Parameter-Free Learner.
    """
    decay: dict[str, Any] = {"weight_decay": weight_decay, "where": where}
    step = scale_by_prodigy(learning_rate, b1, b2, eps, estim_lr0, estim_lr_coef, **decay)
    return take_whole_steps(step, maximize=maximize)


@transformation
def dadapt_adamw(
    learning_rate: ScalarOrSchedule = 1.0,
    b1: ScalarOrSchedule = 0.9,
    b2: ScalarOrSchedule = 0.999,
    eps: ScalarOrSchedule = 1e-8,
    estim_lr0: float = 1e-6,
    *,
    weight_decay: ScalarOrSchedule | None = None,
    where: Any = None,
    maximize: bool = False,
) -> GradientTransformation:
    """AdamW with a learning rate that it finds itself.

    p - m / (sqrt(v) + eps) - d learning_rate weight_decay p, with d, m and v as in `scale_by_dadapt`.

    Optax corrects the bias of the moments; the authors' code does not unless asked.

    Args:
      learning_rate: factor of the step that is found, at least 0; 1, or a schedule from 1.
      b1: decay of the first moment, in [0, 1); a number or a schedule. The authors' default, as are those below.
      b2: decay of the second moment, in [0, 1); a number or a schedule.
      eps: keeps the quotient small where v is; at least 0.
      estim_lr0: the first estimate, above 0.
      weight_decay: the part of the parameters that a step takes off beside, times the rate found; None for none.
      where: which arrays decay, a mask as for `masked`; all if None.
      maximize: climb instead of descend.

    Returns:
      A transformation that keeps an `Estimate`, four arrays per array; its update needs `params`.

    Raises:
      ValueError: if an argument is out of range.

    References:
      Defazio and Mishchenko, 2023, Learning-Rate-Free Learning by D-Adaptation.
    """
    step = scale_by_dadapt(learning_rate, b1, b2, eps, estim_lr0, weight_decay=weight_decay, where=where)
    return take_whole_steps(step, maximize=maximize)


@transformation
def momo(
    learning_rate: ScalarOrSchedule = 1.0,
    beta: ScalarOrSchedule = 0.9,
    lower_bound: ScalarOrSchedule = 0.0,
    *,
    weight_decay: ScalarOrSchedule | None = None,
    where: Any = None,
    maximize: bool = False,
) -> GradientTransformation:
    """Momentum whose step goes as far as a model of the loss says.

    p - d min(learning_rate, max(f - lower_bound - c + <d, p>, 0) / ||d||^2), with averages d of g, f of the loss and c
    of <g, p>, as in `scale_by_momo`.

    Optax does the same, but for weight decay.

    Args:
      learning_rate: the longest step, at least 0; a number or a schedule.
      beta: decay of the averages, in [0, 1); a number or a schedule. The paper's default.
      lower_bound: the least value that the loss can have; any finite number.
      weight_decay: the part of the parameters that a step takes off beside, times learning_rate; None for none. In
        the paper and in Optax it enters the model of the loss, too.
      where: which arrays decay, a mask as for `masked`; all if None.
      maximize: climb instead of descend; lower_bound is the least of the opposite of `value` then.

    Returns:
      A transformation that keeps a `Momo`; its update needs `params` and the extra argument `value`, the loss.

    Raises:
      ValueError: if an argument is out of range.

    References:
      Schaipp, Ohana, Eickenberg, Defazio and Gower, 2023, MoMo: Momentum Models for Adaptive Learning Rates.
    """
    return take_whole_steps(
        scale_by_momo(learning_rate, beta, lower_bound, maximize=maximize),
        learning_rate=learning_rate,
        weight_decay=weight_decay,
        where=where,
        maximize=maximize,
    )


@transformation
def momo_adam(
    learning_rate: ScalarOrSchedule = 0.01,
    b1: ScalarOrSchedule = 0.9,
    b2: ScalarOrSchedule = 0.999,
    eps: ScalarOrSchedule = 1e-8,
    lower_bound: ScalarOrSchedule = 0.0,
    *,
    weight_decay: ScalarOrSchedule | None = None,
    where: Any = None,
    maximize: bool = False,
) -> GradientTransformation:
    """Adam whose step goes as far as a model of the loss says.

    p - d / D min(learning_rate / w, max(f - w lower_bound - c + <d, p>, 0) / <d, d / D>), with D = sqrt(v / (1 - b2^t))
    + eps, w = 1 - b1^t, and d, f, c and v as in `scale_by_momo_adam`.

    Optax does the same, but for weight decay.

    Args:
      learning_rate: the longest step, at least 0; a number or a schedule. The default is Optax's.
      b1: decay of the first moment, in [0, 1); a number or a schedule.
      b2: decay of the second moment, in [0, 1); a number or a schedule.
      eps: keeps the quotient small where v is; at least 0.
      lower_bound: the least value that the loss can have; any finite number.
      weight_decay: the part of the parameters that a step takes off beside, times learning_rate; None for none. In
        the paper and in Optax it enters the model of the loss, too.
      where: which arrays decay, a mask as for `masked`; all if None.
      maximize: climb instead of descend; lower_bound is the least of the opposite of `value` then.

    Returns:
      A transformation that keeps a `MomoAdam`; its update needs `params` and the extra argument `value`, the loss.

    Raises:
      ValueError: if an argument is out of range.

    References:
      Schaipp, Ohana, Eickenberg, Defazio and Gower, 2023, MoMo: Momentum Models for Adaptive Learning Rates.
    """
    return take_whole_steps(
        scale_by_momo_adam(learning_rate, b1, b2, eps, lower_bound, maximize=maximize),
        learning_rate=learning_rate,
        weight_decay=weight_decay,
        where=where,
        maximize=maximize,
    )
