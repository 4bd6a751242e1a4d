"""Schedules: scalars that follow the step, or the loss."""

from gradtx.core.algebra import constant, join, product, total
from gradtx.schedules.basic import linear, polynomial
from gradtx.schedules.cycles import cosine_restarts, cyclical
from gradtx.schedules.decay import cosine, exponential, rsqrt, step_decay
from gradtx.schedules.one_cycle import one_cycle
from gradtx.schedules.optax_joined import (
    cosine_onecycle_schedule,
    join_schedules,
    linear_onecycle_schedule,
    sgdr_schedule,
    warmup_constant_schedule,
    warmup_cosine_decay_schedule,
    warmup_exponential_decay_schedule,
)
from gradtx.schedules.optax_names import (
    constant_schedule,
    cosine_decay_schedule,
    exponential_decay,
    linear_schedule,
    piecewise_constant_schedule,
    piecewise_interpolate_schedule,
    polynomial_schedule,
)
from gradtx.schedules.piecewise import piecewise_constant, piecewise_interpolate
from gradtx.schedules.plateau import Plateau, plateau
from gradtx.schedules.transformer import noam, warmup_inverse_sqrt
from gradtx.schedules.warmup import warmup, warmup_cosine, warmup_exponential, warmup_linear, warmup_stable_decay

__all__ = [
    "Plateau",
    "constant",
    "constant_schedule",
    "cosine",
    "cosine_decay_schedule",
    "cosine_onecycle_schedule",
    "cosine_restarts",
    "cyclical",
    "exponential",
    "exponential_decay",
    "join",
    "join_schedules",
    "linear",
    "linear_onecycle_schedule",
    "linear_schedule",
    "noam",
    "one_cycle",
    "piecewise_constant",
    "piecewise_constant_schedule",
    "piecewise_interpolate",
    "piecewise_interpolate_schedule",
    "plateau",
    "polynomial",
    "polynomial_schedule",
    "product",
    "rsqrt",
    "sgdr_schedule",
    "step_decay",
    "total",
    "warmup",
    "warmup_constant_schedule",
    "warmup_cosine",
    "warmup_cosine_decay_schedule",
    "warmup_exponential",
    "warmup_exponential_decay_schedule",
    "warmup_inverse_sqrt",
    "warmup_linear",
    "warmup_stable_decay",
]
