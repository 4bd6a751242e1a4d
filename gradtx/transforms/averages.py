"""Exponential averages: the weight of what is new, and what an average that began at zero still lacks."""

import functools
from typing import Any

import jax
import jax.numpy as jnp

from gradtx.core import ScalarOrSchedule, Schedule, stepwise
from gradtx.core.numerics import scalar_dtype
from gradtx.core.primitives import changes

Array = jax.Array


def complement(b: ScalarOrSchedule) -> Any:
    """1 - b, the weight of what is new in an average of decay `b`.

    Taken in double precision where `b` is a Python number: 1 - 0.999 in float32 is off by 1e-5.
    """
    if isinstance(b, Schedule):
        return stepwise(_complement, b=b)
    number: Any = jnp.asarray(b, scalar_dtype()) if isinstance(b, jax.Array) else b
    return 1.0 - number


def correction(b: ScalarOrSchedule) -> Schedule:
    """The schedule 1 - b^t, t = step + 1: the sum of the weights in an average of decay `b` that began at zero.

    Where `b` itself follows a schedule that changes, 1 - b_1 b_2 ... b_t; the logarithm of that product is kept.
    """
    if isinstance(b, Schedule) and changes(b._primitive):
        return stepwise(_running_correction, _no_weight, rate=complement(b))
    return stepwise(_correction, rate=complement(b))


def nesterov_weight(b: ScalarOrSchedule) -> Schedule:
    """The schedule b_{t+1} (1 - b_1...b_t) / (1 - b_1...b_{t+1}): the weight of the average one step ahead."""
    if isinstance(b, Schedule) and changes(b._primitive):
        ahead = stepwise(lambda step: 1.0 - b(step + 1))
        return stepwise(_running_nesterov_weight, _no_weight, rate=complement(b), ahead=ahead)
    return stepwise(_nesterov_weight, b=b, rate=complement(b))


def _complement(step: Array, b: Array) -> Array:
    return 1 - b


def _no_weight() -> dict[str, float]:
    return {"log_product": 0.0}


# -expm1(t log1p(-rate)) and not 1 - b^t, which loses all but three digits at first.
def _correction(step: Array, rate: Array) -> Array:
    return _power_complement(step, 1, rate)


# Compiled, for an update that is not: one call in place of six. Inside a trace it is as if it stood where it is called.
@functools.partial(jax.jit, inline=True)
def _power_complement(step: Array, ahead: int, rate: Array) -> Array:
    return -jnp.expm1((jnp.asarray(step, scalar_dtype()) + ahead) * jnp.log1p(-rate))


def _running_correction(step: Array, s: dict[str, Array], rate: Array) -> tuple[Array, dict[str, Array]]:
    log_product = s["log_product"] + jnp.log1p(-rate)
    return -jnp.expm1(log_product), {"log_product": log_product}


def _nesterov_weight(step: Array, b: Array, rate: Array) -> Array:
    return b * _power_complement(step, 1, rate) / _power_complement(step, 2, rate)


def _running_nesterov_weight(
    step: Array, s: dict[str, Array], rate: Array, ahead: Array
) -> tuple[Array, dict[str, Array]]:
    now, s = _running_correction(step, s, rate)
    after, _ = _running_correction(step, s, ahead)
    return (1 - ahead) * now / after, s


def after_first() -> Schedule:
    """The schedule 0, 1, 1, ...: whether there was a step before."""
    return stepwise(_after_first)


def _after_first(step: Array) -> Array:
    return jnp.where(step > 0, 1.0, 0.0)


def warming_nesterov_weights(b1: ScalarOrSchedule, momentum_decay: ScalarOrSchedule) -> tuple[Schedule, Schedule]:
    """The schedules b_{t+1} / (1 - B_{t+1}) and (1 - b_t) / (1 - B_t), of PyTorch's NAdam.

    b_t = b1 (1 - 0.96^(t momentum_decay) / 2), and B_t = b_1 ... b_t.
    """
    given: dict[str, Any] = {"b1": b1, "momentum_decay": momentum_decay}
    return stepwise(_warming_ahead, _no_weight, **given), stepwise(_warming_now, _no_weight, **given)


def _warming(t: Array, b1: Array, momentum_decay: Array) -> Array:
    return b1 * (1 - 0.5 * 0.96 ** (t * momentum_decay))


def _warming_now(step: Array, s: dict[str, Array], b1: Array, momentum_decay: Array) -> tuple[Array, dict[str, Array]]:
    b = _warming(step + 1.0, b1, momentum_decay)
    log_product = s["log_product"] + jnp.log(b)
    return (1 - b) / -jnp.expm1(log_product), {"log_product": log_product}


def _warming_ahead(
    step: Array, s: dict[str, Array], b1: Array, momentum_decay: Array
) -> tuple[Array, dict[str, Array]]:
    log_product = s["log_product"] + jnp.log(_warming(step + 1.0, b1, momentum_decay))
    b = _warming(step + 2.0, b1, momentum_decay)
    return b / -jnp.expm1(log_product + jnp.log(b)), {"log_product": log_product}
