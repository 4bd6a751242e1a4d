"""Optimizers that measure arrays as a whole, or keep second moments in little memory."""

from typing import Any

import jax.numpy as jnp

from gradtx.core import GradientTransformation, ScalarOrSchedule, chain, stepwise, transformation
from gradtx.core.checks import in_range
from gradtx.optimizers.common import descend, take_whole_steps, turned
from gradtx.transforms import (
    add_decayed_weights,
    bias_correction,
    clip_by_block_rms,
    ema,
    scale_by_factored_rms,
    scale_by_learning_rate,
    scale_by_madgrad,
    scale_by_moments,
    scale_by_novograd,
    scale_by_param_block_rms,
    scale_by_sm3,
    scale_by_trust_ratio,
    trace,
    track_moments,
)
from gradtx.transforms.decay import decayed


@transformation
def lamb(
    learning_rate: ScalarOrSchedule,
    b1: ScalarOrSchedule = 0.9,
    b2: ScalarOrSchedule = 0.999,
    eps: ScalarOrSchedule = 1e-6,
    weight_decay: ScalarOrSchedule | None = 0.01,
    *,
    where: Any = None,
    maximize: bool = False,
) -> GradientTransformation:
    """AdamW whose step is as long as the array that it moves: for large batches.

    r = adam's quotient + weight_decay p;  p - learning_rate r ||p|| / ||r||, for each array

    Optax does the same; its default decay is 0.

    Args:
      learning_rate: at least 0; a number or a schedule.
      b1: decay of the first moment, in [0, 1); a number or a schedule.
      b2: decay of the second moment, in [0, 1); a number or a schedule.
      eps: keeps the quotient small where v is; at least 0.
      weight_decay: the part of the parameters that joins what a step takes off, before it is given its length: this is
        what the method is. None for none.
      where: which arrays decay, a mask as for `masked`; all if None.
      maximize: climb instead of descend.

    Returns:
      A transformation that keeps `Moments`; its update needs `params`.

    Raises:
      ValueError: if an argument is out of range.

    References:
      You et al., 2020, Large Batch Optimization for Deep Learning: Training BERT in 76 minutes.
    """
    return chain(
        *turned(maximize),
        track_moments(b1, b2),
        bias_correction(b1, b2),
        scale_by_moments(eps),
        *decayed(weight_decay, where),
        scale_by_trust_ratio(),
        scale_by_learning_rate(learning_rate),
    )


@transformation
def lars(
    learning_rate: ScalarOrSchedule,
    trust_coefficient: ScalarOrSchedule = 0.001,
    eps: ScalarOrSchedule = 0.0,
    momentum: ScalarOrSchedule = 0.9,
    nesterov: bool = False,
    *,
    weight_decay: ScalarOrSchedule | None = None,
    where: Any = None,
    maximize: bool = False,
) -> GradientTransformation:
    """Momentum whose steps are in proportion to the arrays that they move: for large batches.

    r = g + weight_decay p;  v = momentum v + learning_rate trust_coefficient r ||p|| / (||r|| + eps);  p - v

    As in Optax. The paper divides by ||g|| + weight_decay ||p|| in place of ||r||.

    Args:
      learning_rate: at least 0; a number or a schedule.
      trust_coefficient: the part of ||p||, at least 0. The paper's.
      eps: added to the norm, at least 0.
      momentum: what is left of the velocity after a step, in [0, 1); a number or a schedule.
      nesterov: Nesterov's momentum.
      weight_decay: the part of the parameters that joins the gradient, before it is given its length: this is what the
        method is. None for none.
      where: which arrays decay, a mask as for `masked`; all if None.
      maximize: climb instead of descend.

    Returns:
      A transformation that keeps one velocity per array; its update needs `params`.

    Raises:
      ValueError: if an argument is out of range.

    References:
      You, Gitman and Ginsburg, 2017, Large Batch Training of Convolutional Networks.
    """
    return chain(
        *turned(maximize),
        *decayed(weight_decay, where),
        scale_by_trust_ratio(0.0, trust_coefficient, eps),
        scale_by_learning_rate(learning_rate),
        trace(momentum, nesterov),
    )


@transformation
def novograd(
    learning_rate: ScalarOrSchedule,
    b1: ScalarOrSchedule = 0.9,
    b2: ScalarOrSchedule = 0.25,
    eps: ScalarOrSchedule = 1e-8,
    *,
    weight_decay: ScalarOrSchedule | None = None,
    where: Any = None,
    maximize: bool = False,
) -> GradientTransformation:
    """Momentum of gradients divided by an average of their norms, array by array.

    v = b2 v + (1 - b2) ||g||^2;  m = b1 m + g / (sqrt(v) + eps);  p - learning_rate (m + weight_decay p)

    Weight decay stands outside the momentum here, as everywhere in gradtx; the paper's and Optax's goes through it:
    `scale_by_novograd(weight_decay=...)`. Optax's eps is 1e-6, its b1 and b2 are these.

    Args:
      learning_rate: at least 0; a number or a schedule.
      b1: what is left of the momentum after a step, in [0, 1); a number or a schedule.
      b2: decay of the squared norms, in [0, 1); a number or a schedule.
      eps: keeps the quotient small where v is; at least 0.
      weight_decay: the part of the parameters that a step takes off beside, times the rate; None for none.
      where: which arrays decay, a mask as for `masked`; all if None.
      maximize: climb instead of descend.

    Returns:
      A transformation that keeps one momentum, and one number, per array; its update needs `params`.

    Raises:
      ValueError: if an argument is out of range.

    References:
      Ginsburg et al., 2019, Stochastic Gradient Methods with Layer-wise Adaptive Moments for Training of Deep Networks.
    """
    return descend(
        scale_by_novograd(b1, b2, eps),
        learning_rate=learning_rate,
        weight_decay=weight_decay,
        where=where,
        maximize=maximize,
    )


@transformation
def adafactor(
    learning_rate: ScalarOrSchedule,
    min_dim_size_to_factor: int = 128,
    decay_rate: ScalarOrSchedule = 0.8,
    multiply_by_parameter_scale: bool = True,
    clipping_threshold: ScalarOrSchedule | None = 1.0,
    momentum: ScalarOrSchedule | None = None,
    eps: ScalarOrSchedule = 1e-30,
    factored: bool = True,
    *,
    weight_decay: ScalarOrSchedule | None = None,
    where: Any = None,
    maximize: bool = False,
) -> GradientTransformation:
    """Adam's second moment in factors, bounded steps in proportion to the parameters, and no first moment.

    u = g / sqrt(v), within rms(u) <= clipping_threshold, times max(rms(p), 0.001);  p - learning_rate u, with v as in
    `scale_by_factored_rms`.

    Optax's weight decay is not times the rate. PyTorch's rate is min(learning_rate, 1 / sqrt(t)), and it factors along
    the last two axes.

    Args:
      learning_rate: at least 0; a number or a schedule. The paper takes min(0.01, 1 / sqrt(t)).
      min_dim_size_to_factor: an array is factored along its two longest axes if both are at least this long.
      decay_rate: how fast old squares are forgotten, in [0, 1); the paper's.
      multiply_by_parameter_scale: make steps in proportion to parameters.
      clipping_threshold: bound of the root mean square of a step; None for none. The paper's.
      momentum: decay of an average of steps, in [0, 1); None keeps none.
      eps: added to squares, at least 0; the paper's.
      factored: keep factors; False keeps every square.
      weight_decay: the part of the parameters that a step takes off beside, times the rate; None for none.
      where: which arrays decay, a mask as for `masked`; all if None.
      maximize: climb instead of descend.

    Returns:
      A transformation that keeps a `FactoredSquare`; its update needs `params`.

    Raises:
      ValueError: if an argument is out of range.

    References:
      Shazeer and Stern, 2018, Adafactor: Adaptive Learning Rates with Sublinear Memory Cost.
    """
    return descend(
        scale_by_factored_rms(factored, decay_rate, 0, min_dim_size_to_factor, eps),
        *([] if clipping_threshold is None else [clip_by_block_rms(clipping_threshold)]),
        *([scale_by_param_block_rms()] if multiply_by_parameter_scale else []),
        *([] if momentum is None else [ema(momentum, debias=False)]),
        learning_rate=learning_rate,
        weight_decay=weight_decay,
        where=where,
        maximize=maximize,
    )


@transformation
def sm3(
    learning_rate: ScalarOrSchedule,
    momentum: ScalarOrSchedule = 0.9,
    *,
    weight_decay: ScalarOrSchedule | None = None,
    where: Any = None,
    maximize: bool = False,
) -> GradientTransformation:
    """AdaGrad in the memory of one number for each row and column, with momentum.

    m = momentum m + (1 - momentum) g / sqrt(nu + 1e-8);  p - learning_rate m, with nu the least of the row's and the
    column's largest, plus g^2, as in `scale_by_sm3`.

    Optax does the same; the paper has no eps.

    Args:
      learning_rate: at least 0; a number or a schedule.
      momentum: decay of the momentum, in [0, 1); a number or a schedule.
      weight_decay: the part of the parameters that a step takes off beside, times the rate; None for none.
      where: which arrays decay, a mask as for `masked`; all if None.
      maximize: climb instead of descend.

    Returns:
      A transformation that keeps `Covered`.

    Raises:
      ValueError: if an argument is out of range.

    References:
      Anil, Gupta, Koren and Singer, 2019, Memory-Efficient Adaptive Optimization.
    """
    return descend(
        scale_by_sm3(momentum),
        learning_rate=learning_rate,
        weight_decay=weight_decay,
        where=where,
        maximize=maximize,
    )


@transformation
def madgrad(
    learning_rate: ScalarOrSchedule,
    momentum: ScalarOrSchedule = 0.9,
    eps: ScalarOrSchedule = 1e-6,
    *,
    weight_decay: ScalarOrSchedule | None = None,
    where: Any = None,
    maximize: bool = False,
) -> GradientTransformation:
    """Dual averaging with cube roots and momentum.

    s = s + w g,  v = v + w g^2,  w = learning_rate sqrt(t);  p + (1 - momentum)(p0 - s / (cbrt(v) + eps) - p)

    The authors' code and Optax take learning_rate + eps for the rate, and add an L2 penalty to the gradient for weight
    decay: put `add_decayed_weights` before it in a chain.

    Args:
      learning_rate: at least 0; a number or a schedule.
      momentum: how much of where p is stays, in [0, 1); a number or a schedule. The paper's, as is eps.
      eps: keeps the quotient small where v is; at least 0.
      weight_decay: the part of the parameters that a step takes off beside, times the rate; None for none.
      where: which arrays decay, a mask as for `masked`; all if None.
      maximize: climb instead of descend.

    Returns:
      A transformation that keeps a `Madgrad`: three arrays per array; its update needs `params`.

    Raises:
      ValueError: if an argument is out of range.

    References:
      Defazio and Jelassi, 2021, Adaptivity without Compromise: A Momentumized, Adaptive, Dual Averaged Gradient Method
      for Stochastic Optimization.
    """
    return take_whole_steps(
        scale_by_madgrad(learning_rate, momentum, eps),
        learning_rate=learning_rate,
        weight_decay=weight_decay,
        where=where,
        maximize=maximize,
    )


@transformation
def fromage(
    learning_rate: ScalarOrSchedule,
    min_norm: ScalarOrSchedule = 1e-6,
    *,
    weight_decay: ScalarOrSchedule | None = None,
    where: Any = None,
    maximize: bool = False,
) -> GradientTransformation:
    """Descent by steps as long as the arrays they move, that never lets arrays grow.

    (p - learning_rate g ||p|| / ||g||) / sqrt(1 + learning_rate^2), for each array

    Optax does the same.

    Args:
      learning_rate: at least 0; a number or a schedule.
      min_norm: norms below this count as this, at least 0.
      weight_decay: the part of the parameters that a step takes off beside, times the rate; None for none.
      where: which arrays decay, a mask as for `masked`; all if None.
      maximize: climb instead of descend.

    Returns:
      A transformation without state, whose update needs `params`.

    Raises:
      ValueError: if an argument is out of range.

    References:
      Bernstein, Vahdat, Yue and Liu, 2020, On the distance between two neural networks and the stability of learning.
    """
    in_range("learning_rate", learning_rate)
    shrinkage = stepwise(_shrinkage, learning_rate=learning_rate)
    return chain(
        *turned(maximize),
        scale_by_trust_ratio(min_norm),
        *decayed(weight_decay, where),
        scale_by_learning_rate(stepwise(_shrunk_rate, learning_rate=learning_rate)),
        add_decayed_weights(shrinkage, mode="independent"),
    )


def _shrunk_rate(step: Any, learning_rate: Any) -> Any:
    return learning_rate / jnp.sqrt(1 + learning_rate**2)


def _shrinkage(step: Any, learning_rate: Any) -> Any:
    # 1 - 1 / sqrt(1 + x), in a form that keeps its digits for small x.
    root = jnp.sqrt(1 + learning_rate**2)
    return learning_rate**2 / (root * (1 + root))
