"""Optimizers that step by signs."""

from typing import Any

from gradtx.core import GradientTransformation, ScalarOrSchedule, transformation
from gradtx.optimizers.common import descend, take_whole_steps
from gradtx.transforms import (
    ema,
    scale_by_lion,
    scale_by_rprop,
    scale_by_sign,
)


@transformation
def sign_sgd(
    learning_rate: ScalarOrSchedule,
    *,
    weight_decay: ScalarOrSchedule | None = None,
    where: Any = None,
    maximize: bool = False,
) -> GradientTransformation:
    """Descent by the sign of the gradient.

    p - learning_rate sign(g)

    Optax does the same.

    Args:
      learning_rate: at least 0; a number or a schedule.
      weight_decay: the part of the parameters that a step takes off beside, times the rate; None for none.
      where: which arrays decay, a mask as for `masked`; all if None.
      maximize: climb instead of descend.

    Returns:
      A transformation without state.

    Raises:
      ValueError: if an argument is out of range.

    References:
      Bernstein, Wang, Azizzadenesheli and Anandkumar, 2018, signSGD: Compressed Optimisation for Non-Convex Problems.
    """
    return descend(
        scale_by_sign(),
        learning_rate=learning_rate,
        weight_decay=weight_decay,
        where=where,
        maximize=maximize,
    )


@transformation
def signum(
    learning_rate: ScalarOrSchedule,
    beta: ScalarOrSchedule = 0.9,
    *,
    weight_decay: ScalarOrSchedule | None = None,
    where: Any = None,
    maximize: bool = False,
) -> GradientTransformation:
    """Descent by the sign of an average of gradients.

    m = beta m + (1 - beta) g, zero at first;  p - learning_rate sign(m)

    Optax does the same.

    Args:
      learning_rate: at least 0; a number or a schedule.
      beta: decay of the average, in [0, 1); a number or a schedule.
      weight_decay: the part of the parameters that a step takes off beside, times the rate; None for none.
      where: which arrays decay, a mask as for `masked`; all if None.
      maximize: climb instead of descend.

    Returns:
      A transformation that keeps one average per array.

    Raises:
      ValueError: if an argument is out of range.

    References:
      Bernstein, Wang, Azizzadenesheli and Anandkumar, 2018, signSGD: Compressed Optimisation for Non-Convex Problems.
    """
    return descend(
        ema(beta, debias=False),
        scale_by_sign(),
        learning_rate=learning_rate,
        weight_decay=weight_decay,
        where=where,
        maximize=maximize,
    )


@transformation
def lion(
    learning_rate: ScalarOrSchedule,
    b1: ScalarOrSchedule = 0.9,
    b2: ScalarOrSchedule = 0.99,
    weight_decay: ScalarOrSchedule | None = 0.001,
    *,
    where: Any = None,
    maximize: bool = False,
) -> GradientTransformation:
    """Descent by the sign of a mean of the present gradient and past ones.

    p - learning_rate (sign(b1 m + (1 - b1) g) + weight_decay p),  then m = b2 m + (1 - b2) g

    Optax does the same, and its default decay is this; with a smaller rate than AdamW's the paper takes a larger decay.

    Args:
      learning_rate: at least 0, a third to a tenth of AdamW's; a number or a schedule.
      b1: weight of the average in the step, in [0, 1); a number or a schedule. The paper's default, as is b2.
      b2: decay of the average, in [0, 1); a number or a schedule.
      weight_decay: the part of the parameters that a step takes off beside, times the rate; None for none.
      where: which arrays decay, a mask as for `masked`; all if None.
      maximize: climb instead of descend.

    Returns:
      A transformation that keeps one average per array.

    Raises:
      ValueError: if an argument is out of range.

    References:
      Chen et al., 2023, Symbolic Discovery of Optimization Algorithms.
    """
    return descend(
        scale_by_lion(b1, b2),
        learning_rate=learning_rate,
        weight_decay=weight_decay,
        where=where,
        maximize=maximize,
    )


@transformation
def rprop(
    learning_rate: ScalarOrSchedule,
    eta_minus: ScalarOrSchedule = 0.5,
    eta_plus: ScalarOrSchedule = 1.2,
    min_step_size: ScalarOrSchedule = 1e-6,
    max_step_size: ScalarOrSchedule = 50.0,
    *,
    weight_decay: ScalarOrSchedule | None = None,
    where: Any = None,
    maximize: bool = False,
) -> GradientTransformation:
    """Descent by the sign of the gradient, with a step size of its own for each number; for full batches.

    size = learning_rate at first, then times eta_plus where g keeps its sign, times eta_minus where it turns;
    p - sign(g) size, and no step where it turns.

    PyTorch does the same. Optax does not move at the first step, and for two where a sign turns.

    Args:
      learning_rate: at least 0; a number or a schedule.
      eta_minus: factor of the size where the sign turns, in [0, 1). The paper's default, as are those below.
      eta_plus: factor where it does not, at least 1.
      min_step_size: the least size, at least 0.
      max_step_size: the largest size, at least 0.
      weight_decay: the part of the parameters that a step takes off beside, times the rate; None for none.
      where: which arrays decay, a mask as for `masked`; all if None.
      maximize: climb instead of descend.

    Returns:
      A transformation that keeps an `Rprop`: two arrays per array.

    Raises:
      ValueError: if an argument is out of range.

    References:
      Riedmiller and Braun, 1993, A direct adaptive method for faster backpropagation learning: the RPROP algorithm.
    """
    return take_whole_steps(
        scale_by_rprop(learning_rate, eta_minus, eta_plus, min_step_size, max_step_size),
        learning_rate=learning_rate,
        weight_decay=weight_decay,
        where=where,
        maximize=maximize,
    )
