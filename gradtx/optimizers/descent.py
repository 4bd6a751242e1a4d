"""Gradient descent, plain, with momentum, and with steps scaled by gathered squares."""

from typing import Any

import jax

from gradtx.core import GradientTransformation, ScalarOrSchedule, chain, stepwise, transformation
from gradtx.core.checks import at_least, in_range
from gradtx.optimizers.common import descend, turned
from gradtx.transforms import (
    add_decayed_weights,
    add_noise,
    scale_by_adadelta,
    scale_by_learning_rate,
    scale_by_optimistic_gradient,
    scale_by_rms,
    scale_by_rss,
    scale_by_stddev,
    trace,
    track_average,
)
from gradtx.transforms.decay import decayed


@transformation
def sgd(
    learning_rate: ScalarOrSchedule,
    momentum: ScalarOrSchedule | None = None,
    nesterov: bool = False,
    *,
    dampening: ScalarOrSchedule | None = None,
    weight_decay: ScalarOrSchedule | None = None,
    where: Any = None,
    maximize: bool = False,
) -> GradientTransformation:
    """Stochastic gradient descent, with momentum if asked for.

    v = momentum v + (1 - dampening) g,  p - learning_rate v;  without momentum p - learning_rate g

    PyTorch and Optax do the same, but for weight decay: see there.

    Args:
      learning_rate: at least 0; a number or a schedule.
      momentum: what is left of the velocity after a step, in [0, 1), usually 0.9; a number or a schedule. None keeps
        no velocity.
      nesterov: g + momentum v in the place of v.
      dampening: the part of each gradient but the first that is kept out of the velocity, in [0, 1); None
        for none. PyTorch's.
      weight_decay: the part of the parameters that a step takes off beside, times the rate; None for none. PyTorch's
        enters the velocity: put `add_decayed_weights` before `sgd` in a chain.
      where: which arrays decay, a mask as for `masked`; all if None.
      maximize: climb instead of descend.

    Returns:
      A transformation that keeps one velocity per array if there is momentum, else nothing.

    Raises:
      ValueError: if an argument is out of range, or is of the momentum where there is none.

    References:
      Robbins and Monro, 1951, A Stochastic Approximation Method.
      Sutskever et al., 2013, On the importance of initialization and momentum in deep learning.

    Example:
      >>> import gradtx
      >>> list(gradtx.sgd(0.1, momentum=0.9).stages)
      ['trace', 'scale_by_learning_rate']
    """
    if momentum is None and (nesterov or dampening is not None):
        raise ValueError("nesterov and dampening are about the momentum, which is None; give one, usually 0.9.")
    return descend(
        *([] if momentum is None else [trace(momentum, nesterov, dampening=dampening)]),
        learning_rate=learning_rate,
        weight_decay=weight_decay,
        where=where,
        maximize=maximize,
    )


@transformation
def rmsprop(
    learning_rate: ScalarOrSchedule,
    decay: ScalarOrSchedule = 0.9,
    eps: ScalarOrSchedule = 1e-8,
    *,
    eps_in_sqrt: bool = False,
    centered: bool = False,
    momentum: ScalarOrSchedule | None = None,
    nesterov: bool = False,
    weight_decay: ScalarOrSchedule | None = None,
    where: Any = None,
    maximize: bool = False,
) -> GradientTransformation:
    """Descent by gradients divided by the root of an average of their squares.

    s = decay s + (1 - decay) g^2, zero at first;  p - learning_rate g / (sqrt(s) + eps)

    Args:
      learning_rate: at least 0; a number or a schedule.
      decay: decay of the average, in [0, 1); 0.9 is the lecture's and Optax's, 0.99 PyTorch's. A number or a schedule.
      eps: keeps the quotient small where s is; at least 0.
      eps_in_sqrt: divide by sqrt(s + eps) instead, as Optax does unless told otherwise. PyTorch does as here.
      centered: divide by the standard deviation, with s less the squared average of gradients.
      momentum: gather the quotients in a velocity, of which this is left after a step; None for none.
      nesterov: Nesterov's momentum.
      weight_decay: the part of the parameters that a step takes off beside, times the rate; None for none.
      where: which arrays decay, a mask as for `masked`; all if None.
      maximize: climb instead of descend.

    Returns:
      A transformation that keeps one real array per array, one more if centered, and one with momentum.

    Raises:
      ValueError: if an argument is out of range.

    References:
      Tieleman and Hinton, 2012, Lecture 6.5: RMSProp.
      Graves, 2013, Generating Sequences With Recurrent Neural Networks (centered).
    """
    return descend(
        (scale_by_stddev if centered else scale_by_rms)(decay, eps, eps_in_sqrt=eps_in_sqrt),
        *([] if momentum is None else [trace(momentum, nesterov)]),
        learning_rate=learning_rate,
        weight_decay=weight_decay,
        where=where,
        maximize=maximize,
    )


@transformation
def adagrad(
    learning_rate: ScalarOrSchedule,
    initial_accumulator_value: ScalarOrSchedule = 0.0,
    eps: ScalarOrSchedule = 1e-8,
    *,
    eps_in_sqrt: bool = False,
    weight_decay: ScalarOrSchedule | None = None,
    where: Any = None,
    maximize: bool = False,
) -> GradientTransformation:
    """Descent by gradients divided by the root of the sum of all their squares so far.

    s = s + g^2;  p - learning_rate g / (sqrt(s) + eps)

    Args:
      learning_rate: at least 0; a number or a schedule.
      initial_accumulator_value: s at first, at least 0. The paper's and PyTorch's is 0, Optax's 0.1.
      eps: keeps the quotient small where s is; at least 0. PyTorch's is 1e-10, Optax's 1e-7.
      eps_in_sqrt: divide by sqrt(s + eps) instead, as Optax does.
      weight_decay: the part of the parameters that a step takes off beside, times the rate; None for none.
      where: which arrays decay, a mask as for `masked`; all if None.
      maximize: climb instead of descend.

    Returns:
      A transformation that keeps one real array per array.

    Raises:
      ValueError: if an argument is out of range.

    References:
      Duchi, Hazan and Singer, 2011, Adaptive Subgradient Methods for Online Learning and Stochastic Optimization.
    """
    return descend(
        scale_by_rss(initial_accumulator_value, eps, eps_in_sqrt=eps_in_sqrt),
        learning_rate=learning_rate,
        weight_decay=weight_decay,
        where=where,
        maximize=maximize,
    )


@transformation
def adadelta(
    learning_rate: ScalarOrSchedule,
    rho: ScalarOrSchedule = 0.9,
    eps: ScalarOrSchedule = 1e-6,
    *,
    weight_decay: ScalarOrSchedule | None = None,
    where: Any = None,
    maximize: bool = False,
) -> GradientTransformation:
    """Descent by gradients over their recent size, times the recent size of steps.

    u = g sqrt(x + eps) / sqrt(s + eps), with s and x the averages of g^2 and u^2;  p - learning_rate u

    Args:
      learning_rate: at least 0, in the paper 1; a number or a schedule.
      rho: decay of both averages, in [0, 1); 0.9 is PyTorch's and Optax's, 0.95 the paper's.
      eps: starts the steps, above 0; a number or a schedule.
      weight_decay: the part of the parameters that a step takes off beside, times the rate; None for none.
      where: which arrays decay, a mask as for `masked`; all if None.
      maximize: climb instead of descend.

    Returns:
      A transformation that keeps `Squares`: two real arrays per array.

    Raises:
      ValueError: if an argument is out of range.

    References:
      Zeiler, 2012, ADADELTA: An Adaptive Learning Rate Method.
    """
    return descend(
        scale_by_adadelta(rho, eps),
        learning_rate=learning_rate,
        weight_decay=weight_decay,
        where=where,
        maximize=maximize,
    )


@transformation
def optimistic_gradient_descent(
    learning_rate: ScalarOrSchedule,
    alpha: ScalarOrSchedule = 1.0,
    beta: ScalarOrSchedule = 1.0,
    *,
    weight_decay: ScalarOrSchedule | None = None,
    where: Any = None,
    maximize: bool = False,
) -> GradientTransformation:
    """Descent by what the gradient would be next, for games and saddle points.

    p - learning_rate ((alpha + beta) g_t - beta g_(t-1))

    Optax does the same.

    Args:
      learning_rate: at least 0; a number or a schedule.
      alpha: weight of the gradient; any finite number or a schedule.
      beta: weight of its change; any finite number or a schedule.
      weight_decay: the part of the parameters that a step takes off beside, times the rate; None for none.
      where: which arrays decay, a mask as for `masked`; all if None.
      maximize: climb instead of descend.

    Returns:
      A transformation that keeps the last gradient.

    Raises:
      ValueError: if an argument is out of range.

    References:
      Mokhtari, Ozdaglar and Pattathil, 2020, A Unified Analysis of Extra-gradient and Optimistic Gradient Methods for
      Saddle Point Problems.
    """
    return descend(
        scale_by_optimistic_gradient(alpha, beta),
        learning_rate=learning_rate,
        weight_decay=weight_decay,
        where=where,
        maximize=maximize,
    )


@transformation
def noisy_sgd(
    learning_rate: ScalarOrSchedule,
    eta: ScalarOrSchedule = 0.01,
    gamma: ScalarOrSchedule = 0.55,
    key: int | jax.Array = 0,
    *,
    weight_decay: ScalarOrSchedule | None = None,
    where: Any = None,
    maximize: bool = False,
) -> GradientTransformation:
    """Descent with normal noise on the gradients, less of it with time.

    p - learning_rate (g + normal(0, eta / t^gamma))

    Optax's noise has the same variance; its key is in the state.

    Args:
      learning_rate: at least 0; a number or a schedule.
      eta: the variance of the noise at the first step, at least 0; a number or a schedule.
      gamma: how fast it falls; the paper's 0.55.
      key: a seed, an int; or a JAX key.
      weight_decay: the part of the parameters that a step takes off beside, times the rate; None for none.
      where: which arrays decay, a mask as for `masked`; all if None.
      maximize: climb instead of descend.

    Returns:
      A transformation without state.

    Raises:
      ValueError: if an argument is out of range.
      TypeError: if `key` is neither.

    References:
      Neelakantan et al., 2015, Adding Gradient Noise Improves Learning for Very Deep Networks.
    """
    return descend(
        add_noise(eta, gamma, key),
        learning_rate=learning_rate,
        weight_decay=weight_decay,
        where=where,
        maximize=maximize,
    )


@transformation
def asgd(
    learning_rate: ScalarOrSchedule,
    lambd: ScalarOrSchedule = 1e-4,
    alpha: ScalarOrSchedule = 0.75,
    t0: int = 1_000_000,
    *,
    weight_decay: ScalarOrSchedule | None = None,
    where: Any = None,
    maximize: bool = False,
) -> GradientTransformation:
    """Descent with a rate that falls, and the average of where it has been.

    eta = learning_rate / (1 + lambd learning_rate t)^alpha, t = 0 at first;  p - eta (g + lambd p);
    a = a + (p - a) / max(1, t - t0), in the state as `average`, as in PyTorch

    Args:
      learning_rate: at least 0; a number or a schedule.
      lambd: decay of the parameters and of the rate, at least 0. PyTorch's default, as are those below.
      alpha: how fast the rate falls, at least 0.
      t0: steps before the average begins; up to then it is the last parameters.
      weight_decay: the part of the parameters that a step takes off beside, times the rate; None for none.
      where: which arrays decay, a mask as for `masked`; all if None.
      maximize: climb instead of descend.

    Returns:
      A transformation that keeps the average, one array per array; its update needs `params`.

    Raises:
      ValueError: if an argument is out of range.

    References:
      Polyak and Juditsky, 1992, Acceleration of stochastic approximation by averaging.
    """
    in_range("learning_rate", learning_rate)
    at_least("t0", t0, 0)
    in_range("lambd", lambd)
    in_range("alpha", alpha)
    return chain(
        *turned(maximize),
        add_decayed_weights(lambd),
        *decayed(weight_decay, where),
        scale_by_learning_rate(stepwise(_falling, learning_rate=learning_rate, lambd=lambd, alpha=alpha)),
        track_average(t0 + 1),
    )


def _falling(step: Any, learning_rate: Any, lambd: Any, alpha: Any) -> Any:
    return learning_rate / (1.0 + lambd * learning_rate * step) ** alpha
