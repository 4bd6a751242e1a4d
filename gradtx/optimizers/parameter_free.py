"""Optimizers that find their own step size, from the loss or from the distance travelled."""

from typing import Any

from gradtx.core import GradientTransformation, ScalarOrSchedule, transformation
from gradtx.optimizers.common import descend
from gradtx.transforms import scale_by_cocob, scale_by_dog, scale_by_dowg, scale_by_polyak


@transformation
def polyak_sgd(
    learning_rate: ScalarOrSchedule = 1.0,
    f_min: ScalarOrSchedule = 0.0,
    max_learning_rate: ScalarOrSchedule = 1.0,
    eps: ScalarOrSchedule = 0.0,
    variant: str = "sps",
    *,
    weight_decay: ScalarOrSchedule | None = None,
    where: Any = None,
    maximize: bool = False,
) -> GradientTransformation:
    """Descent by the step that would reach the least loss, were it as steep all the way.

    p - learning_rate g min((value - f_min) / (||g||^2 + eps), max_learning_rate)

    Optax's first argument is `max_learning_rate`.

    Args:
      learning_rate: factor of the step that is found, at least 0; 1, or a schedule from 1.
      f_min: the least value that the loss can have; any finite number.
      max_learning_rate: the largest step size, at least 0; a number or a schedule.
      eps: added to the squared norm, at least 0.
      variant: "sps", or "sps+" to take no step uphill.
      weight_decay: the part of the parameters that a step takes off beside, times the rate found; None for none.
      where: which arrays decay, a mask as for `masked`; all if None.
      maximize: climb instead of descend; f_min is the least of the opposite of `value` then.

    Returns:
      A transformation without state, which needs the extra argument `value`, the loss.

    Raises:
      ValueError: if an argument is out of range.

    References:
      Loizou et al., 2021, Stochastic Polyak Step-size for SGD: An Adaptive Learning Rate for Fast Convergence.
    """
    options: dict[str, Any] = {"weight_decay": weight_decay, "where": where, "maximize": maximize}
    stage = scale_by_polyak(f_min, max_learning_rate, eps, variant, **options)
    return descend(stage, learning_rate=learning_rate, maximize=maximize)


@transformation
def dog(
    learning_rate: ScalarOrSchedule = 1.0,
    relative: ScalarOrSchedule = 1e-6,
    eps: ScalarOrSchedule = 1e-8,
    *,
    weight_decay: ScalarOrSchedule | None = None,
    where: Any = None,
    maximize: bool = False,
) -> GradientTransformation:
    """Descent with a step size from the distance travelled.

    p - learning_rate g r / sqrt(G + eps), with r and G as in `scale_by_dog`.

    The authors' code and Optax do the same, up to weight decay.

    Args:
      learning_rate: factor of the step that is found, at least 0; 1, or a schedule from 1.
      relative: the first distance, as a part of 1 + ||p0||, above 0. The authors' default, as is eps.
      eps: keeps the quotient finite, at least 0.
      weight_decay: the part of the parameters that a step takes off beside, times the rate found; None for none.
      where: which arrays decay, a mask as for `masked`; all if None.
      maximize: climb instead of descend.

    Returns:
      A transformation that keeps a `Travelled`; its update needs `params`.

    Raises:
      ValueError: if an argument is out of range.

    References:
      Ivgi, Hinder and Carmon, 2023, DoG is SGD's Best Friend: A Parameter-Free Dynamic Step Size Schedule.
    """
    return descend(
        scale_by_dog(relative, eps, weight_decay=weight_decay, where=where),
        learning_rate=learning_rate,
        maximize=maximize,
    )


@transformation
def dowg(
    learning_rate: ScalarOrSchedule = 1.0,
    eps: ScalarOrSchedule = 1e-4,
    *,
    weight_decay: ScalarOrSchedule | None = None,
    where: Any = None,
    maximize: bool = False,
) -> GradientTransformation:
    """Descent with a step size from the distance travelled, weighed by itself.

    p - learning_rate g q / (sqrt(v) + eps), with q and v as in `scale_by_dowg`.

    The authors' code and Optax do the same, up to weight decay.

    Args:
      learning_rate: factor of the step that is found, at least 0; 1, or a schedule from 1.
      eps: the first squared distance, and what keeps the quotient finite; above 0.
      weight_decay: the part of the parameters that a step takes off beside, times the rate found; None for none.
      where: which arrays decay, a mask as for `masked`; all if None.
      maximize: climb instead of descend.

    Returns:
      A transformation that keeps a `Travelled`; its update needs `params`.

    Raises:
      ValueError: if an argument is out of range.

    References:
      Khaled, Mishchenko and Jin, 2023, DoWG Unleashed: An Efficient Universal Parameter-Free Gradient Descent Method.
    """
    stage = scale_by_dowg(eps, weight_decay=weight_decay, where=where)
    return descend(stage, learning_rate=learning_rate, maximize=maximize)


@transformation
def cocob(
    learning_rate: ScalarOrSchedule = 1.0,
    alpha: ScalarOrSchedule = 100.0,
    eps: ScalarOrSchedule = 1e-8,
    *,
    weight_decay: ScalarOrSchedule | None = None,
    where: Any = None,
    maximize: bool = False,
) -> GradientTransformation:
    """Descent by betting on the sign of each gradient.

    the parameters go learning_rate of the way to p0 + S (L + R) / (L max(G + L, alpha L)), as in `scale_by_cocob`.

    Optax does the same, but that its weight decay joins the gradient, as learning_rate does.

    Args:
      learning_rate: factor of the step that is found, at least 0; 1, or a schedule from 1.
      alpha: the larger, the smaller the first steps; above 0. The paper's.
      eps: the least of the largest gradient, above 0.
      weight_decay: the part of the parameters that a step takes off beside, times the rate; None for none.
      where: which arrays decay, a mask as for `masked`; all if None.
      maximize: climb instead of descend.

    Returns:
      A transformation that keeps a `Betting`, five arrays per array; its update needs `params`.

    Raises:
      ValueError: if an argument is out of range.

    References:
      Orabona and Tommasi, 2017, Training Deep Networks without Learning Rates Through Coin Betting.
    """
    return descend(
        scale_by_cocob(alpha, eps),
        learning_rate=learning_rate,
        weight_decay=weight_decay,
        where=where,
        maximize=maximize,
    )
