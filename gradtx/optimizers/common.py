"""What all optimizers share: which way they go, how far, and that parameters may decay."""

from __future__ import annotations

from collections.abc import Sequence

from gradtx.core import GradientTransformation, LearningRate, Mask, NonNegative, chain
from gradtx.schedules.numbers import times
from gradtx.transforms.decay import add_decayed_weights, check_where
from gradtx.transforms.scaling import scale, scale_by_learning_rate


def descend(
    stages: Sequence[GradientTransformation],
    learning_rate: LearningRate,
    weight_decay: NonNegative | None = None,
    where: Mask | None = None,
    maximize: bool = False,
) -> GradientTransformation:
    """The stages, then decoupled weight decay if any, then a step downhill; to ascend, gradients are negated first."""
    return chain(*negated(maximize), *stages, *decayed(weight_decay, where), scale_by_learning_rate(learning_rate))


def descend_by(
    step: GradientTransformation,
    learning_rate: LearningRate,
    weight_decay: NonNegative | None = None,
    where: Mask | None = None,
    maximize: bool = False,
) -> GradientTransformation:
    """As `descend`, for a stage that gives the whole step, uphill; the learning rate is that of the decay."""
    return chain(
        *negated(maximize),
        step,
        scale(-1.0),
        *decayed(None if weight_decay is None else times(learning_rate, weight_decay), where, independent=True),
    )


def negated(maximize: bool) -> list[GradientTransformation]:
    """The stage that negates gradients, if the loss is maximized."""
    return [scale(-1.0)] if maximize else []


def decayed(
    weight_decay: NonNegative | None, where: Mask | None, *, independent: bool = False
) -> list[GradientTransformation]:
    """The stage for an optimizer's `weight_decay` and `where`, or none."""
    if weight_decay is None:
        check_where(where)
        return []
    return [add_decayed_weights(weight_decay, where, mode="independent" if independent else "coupled")]
