"""Wrappers: transformations of transformations."""

from gradtx.wrappers.accumulate import AccumulateState, accumulate
from gradtx.wrappers.cautious import cautious
from gradtx.wrappers.conditionally import ConditionallyState, conditionally
from gradtx.wrappers.dynamic_loss_scale import DynamicLossScaleState, dynamic_loss_scale, loss_scale
from gradtx.wrappers.ema_params import ema_params
from gradtx.wrappers.freeze import freeze
from gradtx.wrappers.groups import groups
from gradtx.wrappers.layerwise_rate_decay import layerwise_rate_decay
from gradtx.wrappers.lookahead import LookaheadState, lookahead
from gradtx.wrappers.masked import masked
from gradtx.wrappers.mechanize import MechanizeState, mechanize
from gradtx.wrappers.overrides import overrides
from gradtx.wrappers.partition import partition
from gradtx.wrappers.sam import SamState, sam, sam_value_and_grad
from gradtx.wrappers.schedule_free import ScheduleFreeState, schedule_free
from gradtx.wrappers.skip_nonfinite import SkipNonfiniteState, skip_nonfinite
from gradtx.wrappers.skip_spikes import SkipSpikesState, skip_spikes
from gradtx.wrappers.split_real_and_imaginary import Parts, split_real_and_imaginary
from gradtx.wrappers.swa import SwaState, swa
from gradtx.wrappers.with_gradient_sign import with_gradient_sign

__all__ = [
    "AccumulateState",
    "ConditionallyState",
    "DynamicLossScaleState",
    "LookaheadState",
    "MechanizeState",
    "Parts",
]
__all__ += ["SamState", "ScheduleFreeState", "SkipNonfiniteState", "SkipSpikesState", "SwaState", "accumulate"]
__all__ += ["cautious", "conditionally", "dynamic_loss_scale", "ema_params", "freeze", "groups", "layerwise_rate_decay"]
__all__ += ["lookahead", "loss_scale", "masked", "mechanize", "overrides", "partition", "sam", "sam_value_and_grad"]
__all__ += ["schedule_free", "skip_nonfinite", "skip_spikes", "split_real_and_imaginary", "swa", "with_gradient_sign"]
