"""Building blocks: stages that several methods share, or that users chain by hand."""

from gradtx.transforms.centralize import centralize
from gradtx.transforms.clip import (
    ClipByNormQuantileState,
    ClipByNormZscoreState,
    adaptive_grad_clip,
    clip,
    clip_by_block_rms,
    clip_by_global_norm,
    clip_by_norm,
    clip_by_norm_quantile,
    clip_by_norm_zscore,
    per_example_global_norm_clip,
)
from gradtx.transforms.clip_query_key import clip_query_key
from gradtx.transforms.decay import add_decayed_weights
from gradtx.transforms.ema import ema
from gradtx.transforms.global_norm import global_norm
from gradtx.transforms.hutchinson import hutchinson
from gradtx.transforms.identity import identity
from gradtx.transforms.line_search import LineSearchState, line_search
from gradtx.transforms.measure import MeasureState, measure
from gradtx.transforms.moments import (
    AgedMoments,
    Moments,
    bias_correction,
    scale_by_moments,
    track_moments,
    track_nesterov_moments,
)
from gradtx.transforms.noise import add_noise
from gradtx.transforms.normalize import normalize_by_update_norm
from gradtx.transforms.orthogonalize import orthogonalize
from gradtx.transforms.param_block import scale_by_param_block_norm, scale_by_param_block_rms
from gradtx.transforms.project import keep_params_nonnegative, project
from gradtx.transforms.rms import scale_by_rms
from gradtx.transforms.scaling import scale, scale_by_learning_rate, scale_by_schedule
from gradtx.transforms.set_to_zero import set_to_zero
from gradtx.transforms.sides import scale_by_sides
from gradtx.transforms.sign import scale_by_sign
from gradtx.transforms.stateless import stateless
from gradtx.transforms.stddev import StddevState, scale_by_stddev
from gradtx.transforms.trace import trace
from gradtx.transforms.track_average import track_average
from gradtx.transforms.trust_ratio import scale_by_trust_ratio
from gradtx.transforms.zero_nans import zero_nans

__all__ = ["AgedMoments", "ClipByNormQuantileState", "ClipByNormZscoreState", "LineSearchState"]
__all__ += ["MeasureState", "Moments", "StddevState", "adaptive_grad_clip", "add_decayed_weights"]
__all__ += ["add_noise", "bias_correction", "centralize", "clip", "clip_by_block_rms", "clip_by_global_norm"]
__all__ += ["clip_by_norm", "clip_by_norm_quantile", "clip_by_norm_zscore", "clip_query_key", "ema"]
__all__ += ["global_norm", "hutchinson", "identity", "keep_params_nonnegative", "line_search", "measure"]
__all__ += ["normalize_by_update_norm", "orthogonalize", "per_example_global_norm_clip", "project", "scale"]
__all__ += ["scale_by_learning_rate", "scale_by_moments", "scale_by_param_block_norm"]
__all__ += ["scale_by_param_block_rms", "scale_by_rms", "scale_by_schedule", "scale_by_sides"]
__all__ += ["scale_by_sign", "scale_by_stddev", "scale_by_trust_ratio", "set_to_zero", "stateless", "trace"]
__all__ += ["track_average", "track_moments", "track_nesterov_moments", "zero_nans"]
