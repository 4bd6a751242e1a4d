"""What a transformation is."""

from gradtx.core.chain import beside, chain
from gradtx.core.factory import ScalarOrSchedule, leafwise, stepwise, transformation, treewise
from gradtx.core.transformation import GradientTransformation, Schedule
from gradtx.core.update import apply_updates

__all__ = [
    "GradientTransformation",
    "ScalarOrSchedule",
    "Schedule",
    "apply_updates",
    "beside",
    "chain",
    "leafwise",
    "stepwise",
    "transformation",
    "treewise",
]
