"""Adam, and what differs from it by one stage."""

from typing import Any

from gradtx.core import GradientTransformation, ScalarOrSchedule, transformation
from gradtx.optimizers.common import descend
from gradtx.transforms import (
    add_decayed_weights,
    bias_correction,
    scale_by_moments,
    track_belief,
    track_maximum,
    track_moments,
    track_nesterov_moments,
)


@transformation
def adam(
    learning_rate: ScalarOrSchedule,
    b1: ScalarOrSchedule = 0.9,
    b2: ScalarOrSchedule = 0.999,
    eps: ScalarOrSchedule = 1e-8,
    *,
    weight_decay: ScalarOrSchedule | None = None,
    where: Any = None,
    maximize: bool = False,
) -> GradientTransformation:
    """Descent by the mean of gradients over the root of the mean of their squares.

    m = b1 m + (1 - b1) g,  v = b2 v + (1 - b2) g^2;
    p - learning_rate * m / (1 - b1^t) / (sqrt(v / (1 - b2^t)) + eps)

    PyTorch and Optax do the same. Optax's `eps_root` is an argument of `scale_by_adam`.

    Args:
      learning_rate: at least 0, usually 0.001; a number or a schedule.
      b1: decay of the first moment, in [0, 1); a number or a schedule. The paper's default, as are b2 and eps.
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
      Kingma and Ba, 2014, Adam: A Method for Stochastic Optimization.

    Example:
      >>> import gradtx
      >>> gradtx.adam(0.001)
      adam(learning_rate=0.001, b1=0.9, b2=0.999, eps=1e-08)
      >>> list(gradtx.adam(0.001).stages)
      ['track_moments', 'bias_correction', 'scale_by_moments', 'scale_by_learning_rate']
    """
    return descend(
        track_moments(b1, b2),
        bias_correction(b1, b2),
        scale_by_moments(eps),
        learning_rate=learning_rate,
        weight_decay=weight_decay,
        where=where,
        maximize=maximize,
    )


@transformation
def adamw(
    learning_rate: ScalarOrSchedule,
    b1: ScalarOrSchedule = 0.9,
    b2: ScalarOrSchedule = 0.999,
    eps: ScalarOrSchedule = 1e-8,
    weight_decay: ScalarOrSchedule | None = 0.01,
    *,
    where: Any = None,
    maximize: bool = False,
) -> GradientTransformation:
    """Adam with decoupled weight decay: parameters shrink by a part of themselves, beside Adam's step.

    p - learning_rate * (adam's quotient + weight_decay p)

    The default decay is PyTorch's; Optax's is 0.0001.

    Args:
      learning_rate: at least 0; a number or a schedule.
      b1: decay of the first moment, in [0, 1); a number or a schedule.
      b2: decay of the second moment, in [0, 1); a number or a schedule.
      eps: keeps the quotient small where v is; at least 0.
      weight_decay: the part of the parameters that a step takes off beside, times the rate; None for none.
      where: which arrays decay, a mask as for `masked`; all if None.
      maximize: climb instead of descend.

    Returns:
      A transformation that keeps `Moments`, and whose update needs `params`.

    Raises:
      ValueError: if an argument is out of range.

    References:
      Loshchilov and Hutter, 2019, Decoupled Weight Decay Regularization.
    """
    return descend(
        track_moments(b1, b2),
        bias_correction(b1, b2),
        scale_by_moments(eps),
        learning_rate=learning_rate,
        weight_decay=weight_decay,
        where=where,
        maximize=maximize,
    )


@transformation
def adam_l2(
    learning_rate: ScalarOrSchedule,
    b1: ScalarOrSchedule = 0.9,
    b2: ScalarOrSchedule = 0.999,
    eps: ScalarOrSchedule = 1e-8,
    l2: ScalarOrSchedule = 0.01,
    *,
    weight_decay: ScalarOrSchedule | None = None,
    where: Any = None,
    maximize: bool = False,
) -> GradientTransformation:
    """Adam on the loss with an L2 penalty: the decay enters the moments, and is scaled with them.

    Adam for g + l2 p.

    It differs from AdamW; for plain SGD the two are one. This is what PyTorch's `Adam(weight_decay=...)` does.

    Args:
      learning_rate: at least 0; a number or a schedule.
      b1: decay of the first moment, in [0, 1); a number or a schedule.
      b2: decay of the second moment, in [0, 1); a number or a schedule.
      eps: keeps the quotient small where v is; at least 0.
      l2: the weight of half the squared parameters in the loss, at least 0; a number or a schedule.
      weight_decay: the part of the parameters that a step takes off beside, times the rate; None for none.
      where: which arrays decay, a mask as for `masked`; all if None.
      maximize: climb instead of descend.

    Returns:
      A transformation that keeps `Moments`, and whose update needs `params`.

    Raises:
      ValueError: if an argument is out of range.

    References:
      Loshchilov and Hutter, 2019, Decoupled Weight Decay Regularization (there as Adam with L2 regularization).
    """
    return descend(
        add_decayed_weights(l2),
        track_moments(b1, b2),
        bias_correction(b1, b2),
        scale_by_moments(eps),
        learning_rate=learning_rate,
        weight_decay=weight_decay,
        where=where,
        maximize=maximize,
    )


@transformation
def amsgrad(
    learning_rate: ScalarOrSchedule,
    b1: ScalarOrSchedule = 0.9,
    b2: ScalarOrSchedule = 0.999,
    eps: ScalarOrSchedule = 1e-8,
    *,
    weight_decay: ScalarOrSchedule | None = None,
    where: Any = None,
    maximize: bool = False,
) -> GradientTransformation:
    """Adam whose second moment never falls.

    v' = max(v', v) takes the place of v.

    The largest second moment is taken before bias correction, as in PyTorch. The paper corrects nothing: leave
    `bias_correction` out of the chain. Optax takes the largest corrected one: put `track_maximum` after it.

    Args:
      learning_rate: at least 0; a number or a schedule.
      b1: decay of the first moment, in [0, 1); a number or a schedule.
      b2: decay of the second moment, in [0, 1); a number or a schedule.
      eps: keeps the quotient small where v is; at least 0.
      weight_decay: the part of the parameters that a step takes off beside, times the rate; None for none.
      where: which arrays decay, a mask as for `masked`; all if None.
      maximize: climb instead of descend.

    Returns:
      A transformation that keeps `Moments` and the largest second moment: three arrays per array.

    Raises:
      ValueError: if an argument is out of range.

    References:
      Reddi, Kale and Kumar, 2018, On the Convergence of Adam and Beyond.
    """
    return descend(
        track_moments(b1, b2),
        track_maximum(),
        bias_correction(b1, b2),
        scale_by_moments(eps),
        learning_rate=learning_rate,
        weight_decay=weight_decay,
        where=where,
        maximize=maximize,
    )


@transformation
def nadam(
    learning_rate: ScalarOrSchedule,
    b1: ScalarOrSchedule = 0.9,
    b2: ScalarOrSchedule = 0.999,
    eps: ScalarOrSchedule = 1e-8,
    *,
    momentum_decay: ScalarOrSchedule | None = None,
    weight_decay: ScalarOrSchedule | None = None,
    where: Any = None,
    maximize: bool = False,
) -> GradientTransformation:
    """Adam with Nesterov's momentum: the first moment as it will be one step ahead.

    b1 m / (1 - b1^(t+1)) + (1 - b1) g / (1 - b1^t) takes the place of m / (1 - b1^t).

    With a schedule for b1 the products of its values take the place of its powers, as in the paper. Optax does as
    here with a constant b1. PyTorch lets b1 follow 0.9 (1 - 0.96^(0.004 t) / 2) in the weights, and not in m.

    Args:
      learning_rate: at least 0; a number or a schedule.
      b1: decay of the first moment, in [0, 1); a number or a schedule that is a function of the step alone.
      b2: decay of the second moment, in [0, 1); a number or a schedule.
      eps: keeps the quotient small where v is; at least 0.
      momentum_decay: let b1 rise in the weights as PyTorch does, with 0.004; None for the rule above.
      weight_decay: the part of the parameters that a step takes off beside, times the rate; None for none.
      where: which arrays decay, a mask as for `masked`; all if None.
      maximize: climb instead of descend.

    Returns:
      A transformation that keeps `Moments`.

    Raises:
      ValueError: if an argument is out of range.

    References:
      Dozat, 2016, Incorporating Nesterov Momentum into Adam.
    """
    return descend(
        track_nesterov_moments(b1, b2, momentum_decay),
        bias_correction(b1, b2),
        scale_by_moments(eps),
        learning_rate=learning_rate,
        weight_decay=weight_decay,
        where=where,
        maximize=maximize,
    )


@transformation
def nadamw(
    learning_rate: ScalarOrSchedule,
    b1: ScalarOrSchedule = 0.9,
    b2: ScalarOrSchedule = 0.999,
    eps: ScalarOrSchedule = 1e-8,
    weight_decay: ScalarOrSchedule | None = 0.01,
    *,
    where: Any = None,
    maximize: bool = False,
) -> GradientTransformation:
    """NAdam with decoupled weight decay.

    p - learning_rate * (nadam's quotient + weight_decay p)

    Optax's default decay is 0.0001.

    Args:
      learning_rate: at least 0; a number or a schedule.
      b1: decay of the first moment, in [0, 1); a number or a schedule that is a function of the step alone.
      b2: decay of the second moment, in [0, 1); a number or a schedule.
      eps: keeps the quotient small where v is; at least 0.
      weight_decay: the part of the parameters that a step takes off beside, times the rate; None for none.
      where: which arrays decay, a mask as for `masked`; all if None.
      maximize: climb instead of descend.

    Returns:
      A transformation that keeps `Moments`, and whose update needs `params`.

    Raises:
      ValueError: if an argument is out of range.

    References:
      Dozat, 2016, Incorporating Nesterov Momentum into Adam.
      Loshchilov and Hutter, 2019, Decoupled Weight Decay Regularization.
    """
    return descend(
        track_nesterov_moments(b1, b2),
        bias_correction(b1, b2),
        scale_by_moments(eps),
        learning_rate=learning_rate,
        weight_decay=weight_decay,
        where=where,
        maximize=maximize,
    )


@transformation
def adabelief(
    learning_rate: ScalarOrSchedule,
    b1: ScalarOrSchedule = 0.9,
    b2: ScalarOrSchedule = 0.999,
    eps: ScalarOrSchedule = 1e-16,
    *,
    weight_decay: ScalarOrSchedule | None = None,
    where: Any = None,
    maximize: bool = False,
) -> GradientTransformation:
    """Adam that measures how far gradients lie from their mean, and not from zero.

    s = b2 s + (1 - b2) (g - m)^2 + eps takes the place of v, and eps also stands beside its root.

    As in the paper. Optax does the same; there the first eps is called `eps_root`.

    Args:
      learning_rate: at least 0; a number or a schedule.
      b1: decay of the first moment, in [0, 1); a number or a schedule.
      b2: decay of the second moment, in [0, 1); a number or a schedule.
      eps: keeps the quotient small where s is; at least 0. The default is that of the authors' code and of Optax.
      weight_decay: the part of the parameters that a step takes off beside, times the rate; None for none.
      where: which arrays decay, a mask as for `masked`; all if None.
      maximize: climb instead of descend.

    Returns:
      A transformation that keeps `Moments`.

    Raises:
      ValueError: if an argument is out of range.

    References:
      Zhuang et al., 2020, AdaBelief Optimizer: Adapting Stepsizes by the Belief in Observed Gradients.
    """
    return descend(
        track_belief(b1, b2, eps),
        bias_correction(b1, b2),
        scale_by_moments(eps),
        learning_rate=learning_rate,
        weight_decay=weight_decay,
        where=where,
        maximize=maximize,
    )
