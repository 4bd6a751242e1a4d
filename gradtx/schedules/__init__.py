"""Schedules: scalars that follow the step, or the loss."""

from gradtx.schedules.basic import constant, cosine, step_decay, warmup, warmup_cosine
from gradtx.schedules.piecewise import piecewise_constant
from gradtx.schedules.plateau import Plateau, plateau

__all__ = ["Plateau", "constant", "cosine", "piecewise_constant", "plateau", "step_decay", "warmup", "warmup_cosine"]
