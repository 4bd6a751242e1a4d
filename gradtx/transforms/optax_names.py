"""Adam and its kin as one stage, under the names, and with the numbers, that Optax gives them."""

from gradtx.core import GradientTransformation, ScalarOrSchedule, chain, transformation
from gradtx.transforms.moment_variants import scale_by_rectified_moments, track_yogi
from gradtx.transforms.moments import (
    bias_correction,
    scale_by_moments,
    track_belief,
    track_maximum,
    track_moments,
    track_nesterov_moments,
)


@transformation
def scale_by_adam(
    b1: ScalarOrSchedule = 0.9,
    b2: ScalarOrSchedule = 0.999,
    eps: ScalarOrSchedule = 1e-8,
    eps_root: ScalarOrSchedule | None = None,
    *,
    nesterov: bool = False,
) -> GradientTransformation:
    """Adam's quotient, or NAdam's: three stages as one.

    m = b1 m + (1 - b1) g,  v = b2 v + (1 - b2) |g|^2;  u = m / (1 - b1^t) / (sqrt(v / (1 - b2^t) + eps_root) + eps)

    Args:
      b1: decay of the first moment, in [0, 1); a number or a schedule. The paper's default, as are b2 and eps.
      b2: decay of the second moment, in [0, 1); a number or a schedule.
      eps: keeps the quotient small where v is; at least 0.
      eps_root: added to v within the root, at least 0; None for none, as 0 is in Optax.
      nesterov: take the first moment as it will be one step ahead, as in `nadam`.

    Returns:
      A transformation that keeps `Moments`, under the names of its stages.

    Raises:
      ValueError: if an argument is out of range.

    References:
      Kingma and Ba, 2014, Adam: A Method for Stochastic Optimization.
      Dozat, 2016, Incorporating Nesterov Momentum into Adam.

    Example:
      >>> import gradtx
      >>> list(gradtx.scale_by_adam().stages)
      ['track_moments', 'bias_correction', 'scale_by_moments']
    """
    track = track_nesterov_moments if nesterov else track_moments
    return chain(track(b1, b2), bias_correction(b1, b2), scale_by_moments(eps, eps_root))


@transformation
def scale_by_amsgrad(
    b1: ScalarOrSchedule = 0.9,
    b2: ScalarOrSchedule = 0.999,
    eps: ScalarOrSchedule = 1e-8,
    eps_root: ScalarOrSchedule | None = None,
) -> GradientTransformation:
    """Adam's quotient over the largest second moment there has been, after bias correction: four stages as one.

    As `scale_by_adam`, with max(v', v / (1 - b2^t)) for v / (1 - b2^t). The optimizer `amsgrad` takes the largest v
    before its bias is corrected, as PyTorch does.

    Args:
      b1: decay of the first moment, in [0, 1); a number or a schedule.
      b2: decay of the second moment, in [0, 1); a number or a schedule.
      eps: keeps the quotient small where v is; at least 0.
      eps_root: added to v within the root, at least 0; None for none, as 0 is in Optax.

    Returns:
      A transformation that keeps `Moments` and the largest second moment, under the names of its stages.

    Raises:
      ValueError: if an argument is out of range.

    References:
      Reddi, Kale and Kumar, 2018, On the Convergence of Adam and Beyond.
    """
    return chain(track_moments(b1, b2), bias_correction(b1, b2), track_maximum(), scale_by_moments(eps, eps_root))


@transformation
def scale_by_belief(
    b1: ScalarOrSchedule = 0.9,
    b2: ScalarOrSchedule = 0.999,
    eps: ScalarOrSchedule = 1e-16,
    eps_root: ScalarOrSchedule = 1e-16,
) -> GradientTransformation:
    """AdaBelief's quotient: three stages as one.

    As `scale_by_adam`, with s = b2 s + (1 - b2) |g - m|^2 + eps_root for v.

    Args:
      b1: decay of the first moment, in [0, 1); a number or a schedule.
      b2: decay of the second moment, in [0, 1); a number or a schedule.
      eps: keeps the quotient small where s is; at least 0.
      eps_root: added to s at every step, at least 0.

    Returns:
      A transformation that keeps `Moments`, under the names of its stages.

    Raises:
      ValueError: if an argument is out of range.

    References:
      Zhuang et al., 2020, AdaBelief Optimizer: Adapting Stepsizes by the Belief in Observed Gradients.
    """
    return chain(track_belief(b1, b2, eps_root), bias_correction(b1, b2), scale_by_moments(eps))


@transformation
def scale_by_yogi(
    b1: ScalarOrSchedule = 0.9,
    b2: ScalarOrSchedule = 0.999,
    eps: ScalarOrSchedule = 1e-3,
    eps_root: ScalarOrSchedule | None = None,
    initial_accumulator_value: float = 1e-6,
) -> GradientTransformation:
    """Yogi's quotient, bias corrected: three stages as one.

    As `scale_by_adam`, with v = v - (1 - b2) sign(v - |g|^2) |g|^2. The optimizer `yogi` corrects no bias, as the paper
    does not; Optax begins m with `initial_accumulator_value` too.

    Args:
      b1: decay of the first moment, in [0, 1); a number or a schedule.
      b2: 1 less the part by which v may change, in [0, 1); a number or a schedule.
      eps: keeps the quotient small where v is; at least 0.
      eps_root: added to v within the root, at least 0; None for none, as 0 is in Optax.
      initial_accumulator_value: v at first, at least 0.

    Returns:
      A transformation that keeps `Moments`, under the names of its stages.

    Raises:
      ValueError: if an argument is out of range.

    References:
      Zaheer et al., 2018, Adaptive Methods for Nonconvex Optimization.
    """
    tracked = track_yogi(b1, b2, initial_accumulator_value)
    return chain(tracked, bias_correction(b1, b2), scale_by_moments(eps, eps_root))


@transformation
def scale_by_radam(
    b1: ScalarOrSchedule = 0.9,
    b2: ScalarOrSchedule = 0.999,
    eps: ScalarOrSchedule = 1e-8,
    eps_root: ScalarOrSchedule | None = None,
    threshold: ScalarOrSchedule = 5.0,
    *,
    nesterov: bool = False,
) -> GradientTransformation:
    """RAdam's quotient: three stages as one.

    Adam's quotient times r_t where rho_t > threshold, else m / (1 - b1^t), as in `scale_by_rectified_moments`.

    Args:
      b1: decay of the first moment, in [0, 1); a number or a schedule.
      b2: decay of the second moment, in [0, 1); a number or a schedule.
      eps: keeps the quotient small where v is; at least 0.
      eps_root: added to v within the root, at least 0; None for none, as 0 is in Optax.
      threshold: at least 4, the paper's; 5 is PyTorch's and Optax's.
      nesterov: take the first moment as it will be one step ahead, as in `nadam`.

    Returns:
      A transformation that keeps `Moments`, under the names of its stages.

    Raises:
      ValueError: if an argument is out of range.

    References:
      Liu et al., 2020, On the Variance of the Adaptive Learning Rate and Beyond.
    """
    track = track_nesterov_moments if nesterov else track_moments
    return chain(track(b1, b2), bias_correction(b1, b2), scale_by_rectified_moments(b2, eps, threshold, eps_root))
