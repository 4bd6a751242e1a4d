"""Stochastic gradient descent."""

from __future__ import annotations

from gradtx.core import Fraction, GradientTransformation, LearningRate, Mask, NonNegative, transformation
from gradtx.optimizers.common import descend
from gradtx.transforms.trace import trace


@transformation
def sgd(
    learning_rate: LearningRate,
    momentum: Fraction | None = None,
    nesterov: bool = False,
    *,
    dampening: Fraction | None = None,
    weight_decay: NonNegative | None = None,
    where: Mask | None = None,
    maximize: bool = False,
) -> GradientTransformation:
    """Stochastic gradient descent, with or without momentum.

    v = momentum v + (1 - dampening) g,  p - learning_rate v;  without momentum p - learning_rate g

    PyTorch and Optax do the same, except for weight decay: PyTorch's enters the velocity, for which you put
    `add_decayed_weights` before `sgd` in a chain.

    Args:
      learning_rate: the length of a step.
      momentum: the fraction of the velocity that is left after a step, usually 0.9. None keeps no velocity.
      nesterov: use g + momentum v instead of v.
      dampening: the fraction of each gradient but the first that is kept out of the velocity; None for none. It is
        PyTorch's.
      weight_decay, where, maximize: as for `adam`.

    Returns:
      A transformation that keeps one velocity per array if there is momentum, otherwise nothing.

    Raises:
      ValueError: if an option of the momentum is given where there is none.

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
    stages = [] if momentum is None else [trace(momentum, nesterov, dampening=dampening)]
    return descend(stages, learning_rate, weight_decay, where, maximize)
