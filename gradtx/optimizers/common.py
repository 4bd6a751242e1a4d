"""What all optimizers share: which way they go, how far, and that parameters may decay."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

from gradtx.core import Axes, AxesOf, GradientTransformation, LearningRate, Mask, NonNegative, chain
from gradtx.core.axes import axes_of
from gradtx.core.trees import flatten
from gradtx.schedules.numbers import times
from gradtx.transforms.decay import add_decayed_weights, check_where
from gradtx.transforms.scaling import scale, scale_by_learning_rate
from gradtx.wrappers.partition import partition

PyTree = Any


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


def axes_of_matrices(axes: Axes | None, others: GradientTransformation | None) -> AxesOf:
    """The axes for a method of matrices; without a transformation for other arrays, those raise."""
    rule = axes_of(axes)
    return replace(rule, otherwise="only") if others is None else rule


def descend_matrices(
    stages: Sequence[GradientTransformation],
    others: GradientTransformation | None,
    axes: AxesOf,
    learning_rate: LearningRate,
    weight_decay: NonNegative | None = None,
    where: Mask | None = None,
    maximize: bool = False,
    last: Sequence[GradientTransformation] = (),
) -> GradientTransformation:
    """As `descend`, for the arrays that are matrices by their axes, with another transformation for all others."""
    if others is None:
        tx = descend(stages, learning_rate, weight_decay, where, maximize)
        return chain(*tx.stages.values(), *last) if last else tx
    matrices = descend(stages, learning_rate, weight_decay, where)
    groups = partition({"matrices": matrices, "others": others}, _KindOfArray(axes))
    return chain(*negated(maximize), **groups.stages, **{tx.name: tx for tx in last})


@dataclass(frozen=True)
class _KindOfArray:
    """A function from params to a tree that says of each array whether it is a matrix."""

    axes: AxesOf

    def __call__(self, params: PyTree) -> PyTree:
        treedef = flatten(params)[1]
        return treedef.unflatten(["others" if axes is None else "matrices" for axes in self.axes(params)])


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
