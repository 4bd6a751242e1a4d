"""Gradient descent, plain, with momentum, and with steps scaled by gathered squares."""

from gradtx.core import GradientTransformation, ScalarOrSchedule, chain, transformation
from gradtx.transforms import scale_by_learning_rate, scale_by_rms, scale_by_rss, trace


@transformation
def sgd(learning_rate: ScalarOrSchedule, momentum: ScalarOrSchedule | None = None) -> GradientTransformation:
    """Stochastic gradient descent, with momentum if asked for.

    v = momentum v + g,  p - learning_rate v;  without momentum p - learning_rate g

    Args:
      learning_rate: at least 0; a number or a schedule.
      momentum: what is left of the velocity after a step, in [0, 1), usually 0.9; a number or a schedule. None keeps
        no velocity.

    Returns:
      A transformation that keeps one velocity per array if there is momentum, else nothing.

    Raises:
      ValueError: if an argument is out of range.

    References:
      Robbins and Monro, 1951, A Stochastic Approximation Method.
      Sutskever et al., 2013, On the importance of initialization and momentum in deep learning.

    Example:
      >>> import gradtx
      >>> list(gradtx.sgd(0.1, momentum=0.9).stages)
      ['trace', 'scale_by_learning_rate']
    """
    stages = () if momentum is None else (trace(momentum),)
    return chain(*stages, scale_by_learning_rate(learning_rate))


@transformation
def rmsprop(
    learning_rate: ScalarOrSchedule,
    decay: ScalarOrSchedule = 0.9,
    eps: ScalarOrSchedule = 1e-8,
    *,
    eps_in_sqrt: bool = False,
) -> GradientTransformation:
    """Descent by gradients divided by the root of an average of their squares.

    s = decay s + (1 - decay) g^2, zero at first;  p - learning_rate g / (sqrt(s) + eps)

    Args:
      learning_rate: at least 0; a number or a schedule.
      decay: decay of the average, in [0, 1); 0.9 is the lecture's and Optax's, 0.99 PyTorch's. A number or a schedule.
      eps: keeps the quotient small where s is; at least 0.
      eps_in_sqrt: divide by sqrt(s + eps) instead, as Optax does unless told otherwise. PyTorch does as here.

    Returns:
      A transformation that keeps one real array per array.

    Raises:
      ValueError: if an argument is out of range.

    References:
      Tieleman and Hinton, 2012, Lecture 6.5: RMSProp.
    """
    return chain(scale_by_rms(decay, eps, eps_in_sqrt=eps_in_sqrt), scale_by_learning_rate(learning_rate))


@transformation
def adagrad(
    learning_rate: ScalarOrSchedule,
    initial_accumulator_value: ScalarOrSchedule = 0.0,
    eps: ScalarOrSchedule = 1e-8,
    *,
    eps_in_sqrt: bool = False,
) -> GradientTransformation:
    """Descent by gradients divided by the root of the sum of all their squares so far.

    s = s + g^2;  p - learning_rate g / (sqrt(s) + eps)

    Args:
      learning_rate: at least 0; a number or a schedule.
      initial_accumulator_value: s at first, at least 0. The paper's and PyTorch's is 0, Optax's 0.1.
      eps: keeps the quotient small where s is; at least 0. PyTorch's is 1e-10, Optax's 1e-7.
      eps_in_sqrt: divide by sqrt(s + eps) instead, as Optax does.

    Returns:
      A transformation that keeps one real array per array.

    Raises:
      ValueError: if an argument is out of range.

    References:
      Duchi, Hazan and Singer, 2011, Adaptive Subgradient Methods for Online Learning and Stochastic Optimization.
    """
    return chain(
        scale_by_rss(initial_accumulator_value, eps, eps_in_sqrt=eps_in_sqrt),
        scale_by_learning_rate(learning_rate),
    )
