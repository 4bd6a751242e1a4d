"""Optimizers that take the direction, or the scale, from elsewhere: the gradient's sign, the Hessian."""

from typing import Any

from gradtx.core import GradientTransformation, ScalarOrSchedule, transformation
from gradtx.optimizers.common import descend
from gradtx.transforms import scale_by_adam, scale_by_sophia, with_gradient_sign


@transformation
def grams(
    learning_rate: ScalarOrSchedule,
    b1: ScalarOrSchedule = 0.9,
    b2: ScalarOrSchedule = 0.999,
    eps: ScalarOrSchedule = 1e-6,
    *,
    weight_decay: ScalarOrSchedule | None = None,
    where: Any = None,
    maximize: bool = False,
) -> GradientTransformation:
    """Adam's sizes in the gradient's direction.

    p - learning_rate |adam's quotient| sign(g)

    Args:
      learning_rate: at least 0; a number or a schedule.
      b1: decay of the first moment, in [0, 1); a number or a schedule.
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
      Cao, Li and Song, 2024, Grams: Gradient Descent with Adaptive Momentum Scaling.
    """
    return descend(
        with_gradient_sign(scale_by_adam(b1, b2, eps)),
        learning_rate=learning_rate,
        weight_decay=weight_decay,
        where=where,
        maximize=maximize,
    )


@transformation
def sophia(
    learning_rate: ScalarOrSchedule,
    b1: ScalarOrSchedule = 0.965,
    b2: ScalarOrSchedule = 0.99,
    eps: ScalarOrSchedule = 1e-12,
    gamma: ScalarOrSchedule = 0.01,
    clip_threshold: ScalarOrSchedule = 1.0,
    update_interval: int = 10,
    *,
    weight_decay: ScalarOrSchedule | None = None,
    where: Any = None,
    maximize: bool = False,
) -> GradientTransformation:
    """Descent by gradients over the Hessian's diagonal, within bounds.

    m = b1 m + (1 - b1) g,  h = b2 h + (1 - b2) hessian, every update_interval steps;
    p - learning_rate clip(m / max(gamma h, eps), clip_threshold)

    Optax renews h after it is used, and corrects the bias of m.

    Args:
      learning_rate: at least 0; a number or a schedule.
      b1: decay of the gradients, in [0, 1); a number or a schedule. The paper's default, as are those below.
      b2: decay of the Hessian, in [0, 1); a number or a schedule.
      eps: the least to divide by, above 0.
      gamma: how much of the Hessian counts, at least 0.
      clip_threshold: the bound of a step, at least 0.
      update_interval: steps from one use of `hessian` to the next, at least 1.
      weight_decay: the part of the parameters that a step takes off beside, times the rate; None for none.
      where: which arrays decay, a mask as for `masked`; all if None.
      maximize: climb instead of descend.

    Returns:
      A transformation that keeps a `Curvature`; its update needs the extra argument `hessian`, as of `hutchinson`.

    Raises:
      ValueError: if an argument is out of range.

    References:
      Liu et al., 2023, Sophia: A Scalable Stochastic Second-order Optimizer for Language Model Pre-training.
    """
    return descend(
        scale_by_sophia(b1, b2, eps, gamma, clip_threshold, update_interval),
        learning_rate=learning_rate,
        weight_decay=weight_decay,
        where=where,
        maximize=maximize,
    )
