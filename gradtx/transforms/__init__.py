"""Stages: each the mathematics of one subject, to be put in a row with `gradtx.chain`."""

from gradtx.transforms.basic import identity, keep_params_nonnegative, project, set_to_zero, stateless, zero_nans
from gradtx.transforms.clipping import (
    adaptive_grad_clip,
    clip,
    clip_by_block_rms,
    clip_by_global_norm,
    clip_by_norm,
    global_norm,
    per_example_global_norm_clip,
)
from gradtx.transforms.decay import add_decayed_weights
from gradtx.transforms.distance import scale_by_cocob, scale_by_dog, scale_by_dowg
from gradtx.transforms.estimates import scale_by_dadapt, scale_by_prodigy
from gradtx.transforms.factored import scale_by_factored_rms, scale_by_sm3
from gradtx.transforms.history import clip_by_norm_quantile, clip_by_norm_zscore
from gradtx.transforms.hutchinson import hutchinson, scale_by_sophia
from gradtx.transforms.madgrad import scale_by_madgrad, track_average
from gradtx.transforms.moment_variants import (
    scale_by_adamax,
    scale_by_adan,
    scale_by_novograd,
    scale_by_rectified_moments,
    track_mini_moments,
    track_stable_moments,
    track_yogi,
)
from gradtx.transforms.moments import (
    Moments,
    bias_correction,
    scale_by_moments,
    track_belief,
    track_maximum,
    track_moments,
    track_nesterov_moments,
)
from gradtx.transforms.momentum import ema, scale_by_optimistic_gradient, trace
from gradtx.transforms.momo import scale_by_momo, scale_by_momo_adam
from gradtx.transforms.noise import add_noise
from gradtx.transforms.norms import (
    centralize,
    normalize_by_update_norm,
    scale_by_param_block_norm,
    scale_by_param_block_rms,
    scale_by_trust_ratio,
)
from gradtx.transforms.optax_names import (
    scale_by_adam,
    scale_by_amsgrad,
    scale_by_belief,
    scale_by_radam,
    scale_by_yogi,
)
from gradtx.transforms.polyak import scale_by_polyak
from gradtx.transforms.rprop import scale_by_rprop
from gradtx.transforms.scaling import scale, scale_by_learning_rate, scale_by_schedule
from gradtx.transforms.signs import scale_by_lion, scale_by_sign, with_gradient_sign
from gradtx.transforms.slow_moments import (
    reduce_variance,
    scale_by_acprop,
    scale_by_ademamix,
    scale_by_adopt,
    scale_by_simplified_ademamix,
)
from gradtx.transforms.squares import scale_by_adadelta, scale_by_rms, scale_by_rss, scale_by_stddev

__all__ = [
    "Moments",
    "adaptive_grad_clip",
    "add_decayed_weights",
    "add_noise",
    "bias_correction",
    "centralize",
    "clip",
    "clip_by_block_rms",
    "clip_by_global_norm",
    "clip_by_norm",
    "clip_by_norm_quantile",
    "clip_by_norm_zscore",
    "ema",
    "global_norm",
    "hutchinson",
    "identity",
    "keep_params_nonnegative",
    "normalize_by_update_norm",
    "per_example_global_norm_clip",
    "project",
    "reduce_variance",
    "scale",
    "scale_by_acprop",
    "scale_by_adadelta",
    "scale_by_adam",
    "scale_by_adamax",
    "scale_by_adan",
    "scale_by_ademamix",
    "scale_by_adopt",
    "scale_by_amsgrad",
    "scale_by_belief",
    "scale_by_cocob",
    "scale_by_dadapt",
    "scale_by_dog",
    "scale_by_dowg",
    "scale_by_factored_rms",
    "scale_by_learning_rate",
    "scale_by_lion",
    "scale_by_madgrad",
    "scale_by_moments",
    "scale_by_momo",
    "scale_by_momo_adam",
    "scale_by_novograd",
    "scale_by_optimistic_gradient",
    "scale_by_param_block_norm",
    "scale_by_param_block_rms",
    "scale_by_polyak",
    "scale_by_prodigy",
    "scale_by_radam",
    "scale_by_rectified_moments",
    "scale_by_rms",
    "scale_by_rprop",
    "scale_by_rss",
    "scale_by_schedule",
    "scale_by_sign",
    "scale_by_simplified_ademamix",
    "scale_by_sm3",
    "scale_by_sophia",
    "scale_by_stddev",
    "scale_by_trust_ratio",
    "scale_by_yogi",
    "set_to_zero",
    "stateless",
    "trace",
    "track_average",
    "track_belief",
    "track_maximum",
    "track_mini_moments",
    "track_moments",
    "track_nesterov_moments",
    "track_stable_moments",
    "track_yogi",
    "with_gradient_sign",
    "zero_nans",
]
