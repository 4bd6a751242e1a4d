"""Adam, and Adam with weight decay."""

from __future__ import annotations

from gradtx.core import Fraction, GradientTransformation, LearningRate, Mask, NonNegative, chain, transformation
from gradtx.optimizers.common import descend
from gradtx.transforms.decay import add_decayed_weights
from gradtx.transforms.moments import bias_correction, scale_by_moments, track_moments, track_nesterov_moments


@transformation
def scale_by_adam(
    b1: Fraction = 0.9,
    b2: Fraction = 0.999,
    eps: NonNegative = 1e-8,
    eps_root: NonNegative | None = None,
    *,
    nesterov: bool = False,
) -> GradientTransformation:
    """The step of `adam` before the learning rate, as one stage; arguments as there.

    m = b1 m + (1 - b1) g,  v = b2 v + (1 - b2) |g|^2;  u = m / (1 - b1^t) / (sqrt(v / (1 - b2^t) + eps_root) + eps)

    Args:
      eps_root: added to v inside the root; None for none, which is 0 in Optax.
      nesterov: use the first moment as it will be one step ahead, as in `nadam`.

    Returns:
      A transformation that keeps `Moments`, under the names of its stages.

    Example:
      >>> import gradtx
      >>> list(gradtx.scale_by_adam().stages)
      ['track_moments', 'bias_correction', 'scale_by_moments']
    """
    track = track_nesterov_moments if nesterov else track_moments
    return chain(track(b1, b2), bias_correction(b1, b2), scale_by_moments(eps, eps_root))


@transformation
def adam(
    learning_rate: LearningRate,
    b1: Fraction = 0.9,
    b2: Fraction = 0.999,
    eps: NonNegative = 1e-8,
    *,
    weight_decay: NonNegative | None = None,
    where: Mask | None = None,
    maximize: bool = False,
) -> GradientTransformation:
    """Descend by the mean of the gradients over the root of the mean of their squares.

    m = b1 m + (1 - b1) g,  v = b2 v + (1 - b2) g^2;
    p - learning_rate * m / (1 - b1^t) / (sqrt(v / (1 - b2^t)) + eps)

    PyTorch and Optax do the same. Optax's `eps_root` is an argument of `scale_by_adam`.

    Args:
      learning_rate: the length of a step, usually 0.001.
      b1: decay of the first moment. The paper's default, as are `b2` and `eps`.
      b2: decay of the second moment.
      eps: added to the root, so that the quotient stays small where v is.
      weight_decay: decoupled weight decay: each step also subtracts learning_rate * weight_decay * p. None for no
        decay.
      where: which arrays decay: a mask as for `masked`. All by default.
      maximize: ascend instead of descending.

    Returns:
      A transformation that keeps `Moments`: two arrays per array, in float32 or wider.

    References:
      Kingma and Ba, 2014, Adam: A Method for Stochastic Optimization.

    Example:
      >>> import gradtx
      >>> gradtx.adam(0.001)
      adam(learning_rate=0.001, b1=0.9, b2=0.999, eps=1e-08)
      >>> list(gradtx.adam(0.001).stages)
      ['track_moments', 'bias_correction', 'scale_by_moments', 'scale_by_learning_rate']
    """
    stages = track_moments(b1, b2), bias_correction(b1, b2), scale_by_moments(eps)
    return descend(stages, learning_rate, weight_decay, where, maximize)


@transformation
def adamw(
    learning_rate: LearningRate,
    b1: Fraction = 0.9,
    b2: Fraction = 0.999,
    eps: NonNegative = 1e-8,
    weight_decay: NonNegative | None = 0.01,
    *,
    where: Mask | None = None,
    maximize: bool = False,
) -> GradientTransformation:
    """Adam with decoupled weight decay: each step also shrinks the parameters by a fraction of themselves.

    p - learning_rate * (adam's quotient + weight_decay p)

    The default decay is PyTorch's; Optax's is 0.0001.

    Args:
      learning_rate, b1, b2, eps, weight_decay, where, maximize: as for `adam`.

    Returns:
      A transformation that keeps `Moments`, and whose update needs `params`.

    References:
      Loshchilov and Hutter, 2019, Decoupled Weight Decay Regularization.
    """
    stages = track_moments(b1, b2), bias_correction(b1, b2), scale_by_moments(eps)
    return descend(stages, learning_rate, weight_decay, where, maximize)


@transformation
def adam_l2(
    learning_rate: LearningRate,
    b1: Fraction = 0.9,
    b2: Fraction = 0.999,
    eps: NonNegative = 1e-8,
    l2: NonNegative = 0.01,
    *,
    weight_decay: NonNegative | None = None,
    where: Mask | None = None,
    maximize: bool = False,
) -> GradientTransformation:
    """Adam on the loss with an L2 penalty: the penalty enters the moments, and is scaled with them.

    Adam for g + l2 p.

    It differs from AdamW; for plain SGD the two are the same. PyTorch's `Adam(weight_decay=...)` does this.

    Args:
      l2: the weight of half the squared parameters in the loss.
      learning_rate, b1, b2, eps, weight_decay, where, maximize: as for `adam`.

    Returns:
      A transformation that keeps `Moments`, and whose update needs `params`.

    References:
      Loshchilov and Hutter, 2019, Decoupled Weight Decay Regularization (there as Adam with L2 regularization).
    """
    stages = add_decayed_weights(l2), track_moments(b1, b2), bias_correction(b1, b2), scale_by_moments(eps)
    return descend(stages, learning_rate, weight_decay, where, maximize)
