"""Stages: each the mathematics of one subject, to be put in a row with `gradtx.chain`."""

from gradtx.transforms.basic import identity, set_to_zero
from gradtx.transforms.clipping import clip, clip_by_global_norm, global_norm
from gradtx.transforms.decay import add_decayed_weights
from gradtx.transforms.moments import (
    Moments,
    bias_correction,
    scale_by_moments,
    track_belief,
    track_maximum,
    track_moments,
    track_nesterov_moments,
)
from gradtx.transforms.scaling import scale, scale_by_learning_rate, scale_by_rms, scale_by_rss, trace

__all__ = [
    "Moments",
    "add_decayed_weights",
    "bias_correction",
    "clip",
    "clip_by_global_norm",
    "global_norm",
    "identity",
    "scale",
    "scale_by_learning_rate",
    "scale_by_moments",
    "scale_by_rms",
    "scale_by_rss",
    "set_to_zero",
    "trace",
    "track_belief",
    "track_maximum",
    "track_moments",
    "track_nesterov_moments",
]
