"""What all optimizers share: which way they go, how far, and that parameters may decay."""

from typing import Any

from gradtx.core import GradientTransformation, ScalarOrSchedule, chain
from gradtx.transforms import add_decayed_weights, scale, scale_by_learning_rate


def descend(
    *stages: GradientTransformation,
    learning_rate: ScalarOrSchedule,
    weight_decay: ScalarOrSchedule | None = None,
    where: Any = None,
    maximize: bool = False,
) -> GradientTransformation:
    """The stages, then decoupled weight decay if any, then a step downhill; uphill if the gradient is turned first."""
    if where is not None and weight_decay is None:
        raise ValueError("where says which arrays decay, but weight_decay is None; give a weight_decay, or no where.")
    return chain(
        *([scale(-1.0)] if maximize else []),
        *stages,
        *([] if weight_decay is None else [add_decayed_weights(weight_decay, where)]),
        scale_by_learning_rate(learning_rate),
    )
