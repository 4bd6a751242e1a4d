"""RMSProp: gradients over the root of an average of their squares."""

from __future__ import annotations

from gradtx.core import Fraction, GradientTransformation, LearningRate, Mask, NonNegative, transformation
from gradtx.optimizers.common import descend
from gradtx.transforms.rms import scale_by_rms
from gradtx.transforms.stddev import scale_by_stddev
from gradtx.transforms.trace import trace


@transformation
def rmsprop(
    learning_rate: LearningRate,
    decay: Fraction = 0.9,
    eps: NonNegative = 1e-8,
    *,
    eps_in_sqrt: bool = False,
    centered: bool = False,
    momentum: Fraction | None = None,
    nesterov: bool = False,
    weight_decay: NonNegative | None = None,
    where: Mask | None = None,
    maximize: bool = False,
) -> GradientTransformation:
    """Descend by gradients divided by the root of an average of their squares.

    s = decay s + (1 - decay) g^2, zero at first;  p - learning_rate g / (sqrt(s) + eps)

    Args:
      decay: decay of the average; 0.9 is the lecture's and Optax's, 0.99 PyTorch's.
      eps: added to the root, so that the quotient stays small where s is.
      eps_in_sqrt: divide by sqrt(s + eps) instead, as Optax does by default. PyTorch does as here.
      centered: divide by the standard deviation: subtract the squared average of gradients from s.
      momentum: gather the quotients in a velocity, of which this fraction is left after a step; None for none.
      nesterov: use Nesterov's momentum.
      learning_rate, weight_decay, where, maximize: as for `adam`.

    Returns:
      A transformation that keeps one real array per array, one more if centered, and one with momentum.

    References:
      Tieleman and Hinton, 2012, Lecture 6.5: RMSProp.
      Graves, 2013, Generating Sequences With Recurrent Neural Networks (centered).
    """
    scaled = (scale_by_stddev if centered else scale_by_rms)(decay, eps, eps_in_sqrt=eps_in_sqrt)
    gathered = [] if momentum is None else [trace(momentum, nesterov)]
    return descend([scaled, *gathered], learning_rate, weight_decay, where, maximize)
