"""Adam, and what differs from it by one stage."""

from gradtx.core import GradientTransformation, ScalarOrSchedule, chain, transformation
from gradtx.transforms import (
    add_decayed_weights,
    bias_correction,
    scale_by_learning_rate,
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
) -> GradientTransformation:
    """Descent by the mean of gradients over the root of the mean of their squares.

    m = b1 m + (1 - b1) g,  v = b2 v + (1 - b2) g^2;
    p - learning_rate * m / (1 - b1^t) / (sqrt(v / (1 - b2^t)) + eps)

    Args:
      learning_rate: at least 0, usually 0.001; a number or a schedule.
      b1: decay of the first moment, in [0, 1); a number or a schedule. The paper's default, as are b2 and eps.
      b2: decay of the second moment, in [0, 1); a number or a schedule.
      eps: keeps the quotient small where v is; at least 0.

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
    return chain(
        track_moments(b1, b2),
        bias_correction(b1, b2),
        scale_by_moments(eps),
        scale_by_learning_rate(learning_rate),
    )


@transformation
def adamw(
    learning_rate: ScalarOrSchedule,
    b1: ScalarOrSchedule = 0.9,
    b2: ScalarOrSchedule = 0.999,
    eps: ScalarOrSchedule = 1e-8,
    weight_decay: ScalarOrSchedule = 0.01,
) -> GradientTransformation:
    """Adam with decoupled weight decay: parameters shrink by a part of themselves, beside Adam's step.

    p - learning_rate * (adam's quotient + weight_decay p)

    Args:
      learning_rate: at least 0; a number or a schedule.
      b1: decay of the first moment, in [0, 1); a number or a schedule.
      b2: decay of the second moment, in [0, 1); a number or a schedule.
      eps: keeps the quotient small where v is; at least 0.
      weight_decay: the part, times the learning rate, at least 0; a number or a schedule. 0.01 as in PyTorch; Optax's
        default is 0.0001.

    Returns:
      A transformation that keeps `Moments`, and whose update needs `params`.

    Raises:
      ValueError: if an argument is out of range.

    References:
      Loshchilov and Hutter, 2019, Decoupled Weight Decay Regularization.
    """
    return chain(
        track_moments(b1, b2),
        bias_correction(b1, b2),
        scale_by_moments(eps),
        add_decayed_weights(weight_decay),
        scale_by_learning_rate(learning_rate),
    )


@transformation
def adam_l2(
    learning_rate: ScalarOrSchedule,
    b1: ScalarOrSchedule = 0.9,
    b2: ScalarOrSchedule = 0.999,
    eps: ScalarOrSchedule = 1e-8,
    weight_decay: ScalarOrSchedule = 0.01,
) -> GradientTransformation:
    """Adam on the loss with an L2 penalty: the decay enters the moments, and is scaled with them.

    Adam for g + weight_decay p. It differs from AdamW; for plain SGD the two are one. This is what PyTorch's
    `Adam(weight_decay=...)` does.

    Args:
      learning_rate: at least 0; a number or a schedule.
      b1: decay of the first moment, in [0, 1); a number or a schedule.
      b2: decay of the second moment, in [0, 1); a number or a schedule.
      eps: keeps the quotient small where v is; at least 0.
      weight_decay: the weight of half the squared parameters in the loss, at least 0; a number or a schedule.

    Returns:
      A transformation that keeps `Moments`, and whose update needs `params`.

    Raises:
      ValueError: if an argument is out of range.

    References:
      Loshchilov and Hutter, 2019, Decoupled Weight Decay Regularization (there as Adam with L2 regularization).
    """
    return chain(
        add_decayed_weights(weight_decay),
        track_moments(b1, b2),
        bias_correction(b1, b2),
        scale_by_moments(eps),
        scale_by_learning_rate(learning_rate),
    )


@transformation
def amsgrad(
    learning_rate: ScalarOrSchedule,
    b1: ScalarOrSchedule = 0.9,
    b2: ScalarOrSchedule = 0.999,
    eps: ScalarOrSchedule = 1e-8,
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

    Returns:
      A transformation that keeps `Moments` and the largest second moment: three arrays per array.

    Raises:
      ValueError: if an argument is out of range.

    References:
      Reddi, Kale and Kumar, 2018, On the Convergence of Adam and Beyond.
    """
    return chain(
        track_moments(b1, b2),
        track_maximum(),
        bias_correction(b1, b2),
        scale_by_moments(eps),
        scale_by_learning_rate(learning_rate),
    )


@transformation
def nadam(
    learning_rate: ScalarOrSchedule,
    b1: ScalarOrSchedule = 0.9,
    b2: ScalarOrSchedule = 0.999,
    eps: ScalarOrSchedule = 1e-8,
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

    Returns:
      A transformation that keeps `Moments`.

    Raises:
      ValueError: if an argument is out of range.

    References:
      Dozat, 2016, Incorporating Nesterov Momentum into Adam.
    """
    return chain(
        track_nesterov_moments(b1, b2),
        bias_correction(b1, b2),
        scale_by_moments(eps),
        scale_by_learning_rate(learning_rate),
    )


@transformation
def adabelief(
    learning_rate: ScalarOrSchedule,
    b1: ScalarOrSchedule = 0.9,
    b2: ScalarOrSchedule = 0.999,
    eps: ScalarOrSchedule = 1e-16,
) -> GradientTransformation:
    """Adam that measures how far gradients lie from their mean, and not from zero.

    s = b2 s + (1 - b2) (g - m)^2 + eps takes the place of v, and eps also stands beside its root, as in the paper.
    Optax does the same; there the first eps is called `eps_root`.

    Args:
      learning_rate: at least 0; a number or a schedule.
      b1: decay of the first moment, in [0, 1); a number or a schedule.
      b2: decay of the second moment, in [0, 1); a number or a schedule.
      eps: keeps the quotient small where s is; at least 0. The default is that of the authors' code and of Optax.

    Returns:
      A transformation that keeps `Moments`.

    Raises:
      ValueError: if an argument is out of range.

    References:
      Zhuang et al., 2020, AdaBelief Optimizer: Adapting Stepsizes by the Belief in Observed Gradients.
    """
    return chain(
        track_belief(b1, b2, eps),
        bias_correction(b1, b2),
        scale_by_moments(eps),
        scale_by_learning_rate(learning_rate),
    )
