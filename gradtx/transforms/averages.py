"""The weights of exponential averages: of what is new, and what they lack while they are young."""

from __future__ import annotations

import functools
from typing import Any

import jax
import jax.numpy as jnp
from jax import Array

from gradtx.core import (
    Fraction,
    NonNegative,
    ScalarOrSchedule,
    Schedule,
    stepwise,
)
from gradtx.core.numerics import scalar_dtype
from gradtx.schedules.constant import is_constant
from gradtx.transforms.numerics import one_minus_power


def one_minus(b: ScalarOrSchedule) -> Any:
    """1 - b, the weight of the newest value in an average of decay `b`.

    It is computed in double precision where `b` is a Python number: 1 - 0.999 in float32 is off by 1e-5.
    """
    if isinstance(b, Schedule):
        return stepwise(_one_minus, b=b)
    number: Any = jnp.asarray(b, scalar_dtype()) if isinstance(b, jax.Array) else b
    return 1.0 - number


def correction(b: ScalarOrSchedule, *, previous: bool = False) -> Schedule:
    """The schedule 1 - b^t, with t = age + 1: the sum of the weights in an average of decay `b` that began at zero.

    Where `b` itself follows a schedule it is 1 - b_1 b_2 ... b_t, and the logarithm of that product is kept. `previous`
    is that of the previous step, with t = age.
    """
    if isinstance(b, Schedule) and not is_constant(b.mathematics):
        return stepwise(_running_correction, _no_weight, one_minus_b=one_minus(b), previous=previous)
    return stepwise(_correction, needs=("age",), one_minus_b=one_minus(b), ahead=0 if previous else 1)


def nesterov_weight(b: ScalarOrSchedule) -> Schedule:
    """The schedule b_{t+1} (1 - b_1...b_t) / (1 - b_1...b_{t+1}): the weight of the average one step ahead."""
    if isinstance(b, Schedule) and not is_constant(b.mathematics):
        one_minus_next = stepwise(lambda step: 1.0 - b(step + 1))
        return stepwise(_running_nesterov_weight, _no_weight, one_minus_b=one_minus(b), one_minus_next_b=one_minus_next)
    return stepwise(_nesterov_weight, needs=("age",), b=b, one_minus_b=one_minus(b))


def _one_minus(step: Array, b: Array) -> Array:
    return 1 - b


def _no_weight() -> dict[str, float]:
    return {"log_product": 0.0}


def _correction(step: Array, age: Array, one_minus_b: Array, ahead: int) -> Array:
    return _gathered(age, ahead, one_minus_b)


# Compiled, for an update that is not: one call instead of six. Inside a trace it makes no difference.
@functools.partial(jax.jit, inline=True)
def _gathered(age: Array, ahead: int, one_minus_b: Array) -> Array:
    return one_minus_power(one_minus_b, jnp.asarray(age, scalar_dtype()) + ahead)


def _running_correction(
    step: Array, s: dict[str, Array], one_minus_b: Array, previous: bool = False
) -> tuple[Array, dict[str, Array]]:
    log_product = s["log_product"] + jnp.log1p(-one_minus_b)
    return -jnp.expm1(s["log_product"] if previous else log_product), {"log_product": log_product}


def _nesterov_weight(step: Array, age: Array, b: Array, one_minus_b: Array) -> Array:
    return b * _gathered(age, 1, one_minus_b) / _gathered(age, 2, one_minus_b)


def _running_nesterov_weight(
    step: Array, s: dict[str, Array], one_minus_b: Array, one_minus_next_b: Array
) -> tuple[Array, dict[str, Array]]:
    gathered, s = _running_correction(step, s, one_minus_b)
    next_gathered, _ = _running_correction(step, s, one_minus_next_b)
    return (1 - one_minus_next_b) * gathered / next_gathered, s


def warming_nesterov_weights(b1: Fraction, momentum_decay: NonNegative) -> tuple[Schedule, Schedule]:
    """The schedules b_{t+1} / (1 - B_{t+1}) and (1 - b_t) / (1 - B_t), of PyTorch's NAdam.

    b_t = b1 (1 - 0.96^(t momentum_decay) / 2), and B_t = b_1 ... b_t.
    """
    given: dict[str, Any] = {"needs": ("age",), "b1": b1, "momentum_decay": momentum_decay}
    return stepwise(_warming_average_weight, _no_weight, **given), stepwise(
        _warming_gradient_weight, _no_weight, **given
    )


def _warming(t: Array, b1: Array, momentum_decay: Array) -> Array:
    return b1 * (1 - 0.5 * 0.96 ** (t * momentum_decay))


def _warming_gradient_weight(
    step: Array, s: dict[str, Array], age: Array, b1: Array, momentum_decay: Array
) -> tuple[Array, dict[str, Array]]:
    b = _warming(age + 1.0, b1, momentum_decay)
    log_product = s["log_product"] + jnp.log(b)
    return (1 - b) / -jnp.expm1(log_product), {"log_product": log_product}


def _warming_average_weight(
    step: Array, s: dict[str, Array], age: Array, b1: Array, momentum_decay: Array
) -> tuple[Array, dict[str, Array]]:
    log_product = s["log_product"] + jnp.log(_warming(age + 1.0, b1, momentum_decay))
    b = _warming(age + 2.0, b1, momentum_decay)
    return b / -jnp.expm1(log_product + jnp.log(b)), {"log_product": log_product}
