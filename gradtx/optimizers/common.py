"""What all optimizers share: which way they go, how far, and that parameters may decay."""

from typing import Any

from gradtx.core import GradientTransformation, ScalarOrSchedule, chain
from gradtx.core.checks import in_range
from gradtx.schedules.numbers import times
from gradtx.transforms import scale, scale_by_learning_rate
from gradtx.transforms.decay import decayed


def descend(
    *stages: GradientTransformation,
    learning_rate: ScalarOrSchedule,
    weight_decay: ScalarOrSchedule | None = None,
    where: Any = None,
    maximize: bool = False,
) -> GradientTransformation:
    """The stages, then decoupled weight decay if any, then a step downhill; uphill if the gradient is turned first."""
    return chain(*turned(maximize), *stages, *decayed(weight_decay, where), scale_by_learning_rate(learning_rate))


def take_whole_steps(
    stage: GradientTransformation,
    *,
    learning_rate: ScalarOrSchedule = 1.0,
    weight_decay: ScalarOrSchedule | None = None,
    where: Any = None,
    maximize: bool = False,
) -> GradientTransformation:
    """As `descend`, for a stage whose step uphill has its rate within; the learning rate given is for the decay."""
    if weight_decay is not None:
        in_range("weight_decay", weight_decay)
        weight_decay = times(learning_rate, weight_decay)
    return chain(*turned(maximize), stage, scale(-1.0), *decayed(weight_decay, where, "independent"))


def turned(maximize: bool) -> list[GradientTransformation]:
    """The stage that turns gradients, if the loss is to grow."""
    return [scale(-1.0)] if maximize else []
