"""Schedules: scalars that follow the step, or the loss."""

from gradtx.schedules.basic import constant, cosine, step_decay, warmup, warmup_cosine
from gradtx.schedules.plateau import Plateau, plateau

__all__ = ["Plateau", "constant", "cosine", "plateau", "step_decay", "warmup", "warmup_cosine"]
