"""Schedules: scalars that follow the step, or the loss."""

from gradtx.schedules.adjustable import adjustable
from gradtx.schedules.algebra import join, product, total
from gradtx.schedules.constant import constant
from gradtx.schedules.cosine import cosine
from gradtx.schedules.cosine_restarts import cosine_restarts
from gradtx.schedules.cyclical import cyclical
from gradtx.schedules.exponential import exponential
from gradtx.schedules.linear import linear
from gradtx.schedules.noam import noam
from gradtx.schedules.one_cycle import one_cycle
from gradtx.schedules.optax_schedules import (
    constant_schedule,
    cosine_decay_schedule,
    cosine_onecycle_schedule,
    exponential_decay,
    join_schedules,
    linear_onecycle_schedule,
    linear_schedule,
    piecewise_constant_schedule,
    piecewise_interpolate_schedule,
    polynomial_schedule,
    sgdr_schedule,
    warmup_constant_schedule,
    warmup_cosine_decay_schedule,
    warmup_exponential_decay_schedule,
)
from gradtx.schedules.piecewise_constant import piecewise_constant
from gradtx.schedules.piecewise_interpolate import piecewise_interpolate
from gradtx.schedules.plateau import Plateau, plateau
from gradtx.schedules.polynomial import polynomial
from gradtx.schedules.rsqrt import rsqrt
from gradtx.schedules.step_decay import step_decay
from gradtx.schedules.warmup import warmup
from gradtx.schedules.warmup_cosine import warmup_cosine
from gradtx.schedules.warmup_exponential import warmup_exponential
from gradtx.schedules.warmup_inverse_sqrt import warmup_inverse_sqrt
from gradtx.schedules.warmup_linear import warmup_linear
from gradtx.schedules.warmup_stable_decay import warmup_stable_decay

__all__ = [
    "Plateau",
    "adjustable",
    "constant",
    "constant_schedule",
    "cosine",
    "cosine_decay_schedule",
    "cosine_onecycle_schedule",
]
__all__ += ["cosine_restarts", "cyclical", "exponential", "exponential_decay", "join", "join_schedules", "linear"]
__all__ += ["linear_onecycle_schedule", "linear_schedule", "noam", "one_cycle", "piecewise_constant"]
__all__ += ["piecewise_constant_schedule", "piecewise_interpolate", "piecewise_interpolate_schedule", "plateau"]
__all__ += ["polynomial", "polynomial_schedule", "product", "rsqrt", "sgdr_schedule", "step_decay", "total", "warmup"]
__all__ += ["warmup_constant_schedule", "warmup_cosine", "warmup_cosine_decay_schedule", "warmup_exponential"]
__all__ += ["warmup_exponential_decay_schedule", "warmup_inverse_sqrt", "warmup_linear", "warmup_stable_decay"]
