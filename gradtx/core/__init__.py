"""What a transformation is."""

from gradtx.core.apply_updates import apply_updates
from gradtx.core.axes import Axes, AxesOf
from gradtx.core.chain import chain
from gradtx.core.each import each
from gradtx.core.factory import stepwise, transformation
from gradtx.core.leafwise import leafwise
from gradtx.core.mathematics import ParamsLike, Varied
from gradtx.core.matrixwise import matrixwise
from gradtx.core.patterns import dtype, ndim, shape
from gradtx.core.ranges import (
    Count,
    CountOrSchedule,
    Finite,
    Fraction,
    LearningRate,
    Mask,
    NonNegative,
    Positive,
    PositiveCount,
    Range,
    ScalarOrSchedule,
)
from gradtx.core.run import Run
from gradtx.core.transformation import GradientTransformation, Schedule
from gradtx.core.treewise import treewise
from gradtx.core.wrapping import wrapping

__all__ = ["Axes", "AxesOf", "Count", "CountOrSchedule", "Finite", "Fraction", "GradientTransformation"]
__all__ += ["LearningRate", "Mask", "NonNegative", "ParamsLike", "Positive", "PositiveCount", "Range", "Run"]
__all__ += ["ScalarOrSchedule", "Schedule", "Varied", "apply_updates", "chain", "dtype", "each", "leafwise"]
__all__ += ["matrixwise", "ndim", "shape", "stepwise", "transformation", "treewise", "wrapping"]
