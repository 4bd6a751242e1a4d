"""A schedule that follows the loss: it falls where the loss has stalled."""

from typing import NamedTuple

import jax
import jax.numpy as jnp

from gradtx.core import ScalarOrSchedule, Schedule, stepwise, transformation
from gradtx.core.checks import at_least, in_range

Array = jax.Array


class Plateau(NamedTuple):
    """What `plateau` keeps: scalars only."""

    scale: Array
    best: Array
    stalled: Array
    cooldown: Array
    total: Array
    seen: Array


@transformation
def plateau(
    init_value: ScalarOrSchedule = 1.0,
    factor: ScalarOrSchedule = 0.1,
    patience: int = 10,
    rtol: ScalarOrSchedule = 1e-4,
    atol: ScalarOrSchedule = 0.0,
    cooldown: int = 0,
    accumulation_size: int = 1,
    min_scale: ScalarOrSchedule = 0.0,
    eps: ScalarOrSchedule = 0.0,
) -> Schedule:
    """Cut the value each time the loss has not improved for a while.

    A loss is an improvement if it is below best - rtol |best| - atol. After more than `patience` losses in a row that
    are none, scale = max(factor * scale, min_scale), and losses count again after `cooldown` more. The value is
    init_value * scale. A loss that is NaN does not count.

    Pass it as a hyperparameter, and the loss to update: `tx.update(grads, state, params, value=loss)`. What is to grow
    is given as its opposite.

    Args:
      init_value: the value at first, at least 0.
      factor: what a cut multiplies by, in [0, 1).
      patience: how many losses may fail to improve before a cut, at least 0. As in PyTorch the cut comes with the
        next one, patience + 1; Optax cuts one earlier.
      rtol: how much of the best loss's size an improvement must be, in [0, 1).
      atol: how much it must be at least, at least 0.
      cooldown: how many losses after a cut do not count, at least 0.
      accumulation_size: losses are averaged in groups of this many first, and an average counts as one, at least 1;
        set it to the number of steps per epoch where `value` is the loss of a batch.
      min_scale: the scale never falls below this, in [0, 1).
      eps: a cut that would lower the value by this or less is not made, at least 0. PyTorch's is 1e-8.

    Returns:
      A schedule that keeps a `Plateau` and needs the extra argument `value`, a scalar.

    Raises:
      ValueError: if an argument is out of range.

    Example:
      >>> import gradtx, jax.numpy as jnp
      >>> tx = gradtx.sgd(learning_rate=gradtx.plateau(0.1, factor=0.5, patience=0))
      >>> params = jnp.array(1.0)
      >>> state = tx.init(params)
      >>> for loss in (3.0, 3.0, 3.0):
      ...     updates, state = tx.update(jnp.array(1.0), state, params, value=loss)
      ...     print(f"{float(updates):.3f}")
      -0.100
      -0.050
      -0.025
    """
    in_range("init_value", init_value)
    in_range("factor", factor, 0.0, 1.0)
    at_least("patience", patience, 0)
    in_range("rtol", rtol, 0.0, 1.0)
    in_range("atol", atol)
    at_least("cooldown", cooldown, 0)
    at_least("accumulation_size", accumulation_size, 1)
    in_range("min_scale", min_scale, 0.0, 1.0)
    in_range("eps", eps)
    return stepwise(
        _plateau,
        _first_plateau,
        needs=("value",),
        init_value=init_value,
        factor=factor,
        patience=patience,
        rtol=rtol,
        atol=atol,
        cooldown=cooldown,
        accumulation_size=accumulation_size,
        min_scale=min_scale,
        eps=eps,
    )


def _first_plateau() -> Plateau:
    return Plateau(scale=1.0, best=float("inf"), stalled=0, cooldown=0, total=0.0, seen=0)  # type: ignore[arg-type]


def _plateau(
    step: Array,
    s: Plateau,
    init_value: Array,
    factor: Array,
    patience: int,
    rtol: Array,
    atol: Array,
    cooldown: int,
    accumulation_size: int,
    min_scale: Array,
    eps: Array,
    value: Array,
) -> tuple[Array, Plateau]:
    counts = ~jnp.isnan(value)
    total = jnp.where(counts, s.total + value, s.total)
    seen = jnp.where(counts, s.seen + 1, s.seen)
    whole = counts & (seen >= accumulation_size)
    loss = total / jnp.maximum(seen, 1)

    # Against the first loss, best is infinite, and infinity less a part of itself would be NaN.
    bar = jnp.where(jnp.isinf(s.best), s.best, s.best - rtol * jnp.abs(s.best) - atol)
    improved = loss < bar
    resting = s.cooldown > 0
    stalled = jnp.where(improved | resting, 0, s.stalled + 1)
    cut = stalled > patience
    lower = jnp.maximum(factor * s.scale, min_scale)
    worth_it = (eps == 0) | (init_value * (s.scale - lower) > eps)
    after = Plateau(
        scale=jnp.where(cut & worth_it, lower, s.scale),
        best=jnp.where(improved, loss, s.best),
        stalled=jnp.where(cut, 0, stalled),
        cooldown=jnp.where(cut, cooldown, jnp.maximum(s.cooldown - 1, 0)),
        total=jnp.zeros_like(total),
        seen=jnp.zeros_like(seen),
    )
    s = s._replace(total=total, seen=seen)
    s = jax.tree.map(lambda new, old: jnp.where(whole, new, old), after, s)
    return init_value * s.scale, s
