"""A schedule that follows the loss, and falls when the loss has stalled."""

from __future__ import annotations

import math
from typing import NamedTuple

import jax
import jax.numpy as jnp
from jax import Array

from gradtx.core import Count, Fraction, NonNegative, PositiveCount, Schedule, stepwise, transformation


class Plateau(NamedTuple):
    """What `plateau` keeps, all of it scalars.

    Attributes:
      scale: what init_value is multiplied by.
      best: the best loss so far.
      stalled: how many losses in a row have failed to improve on it.
      cooldown: how many more losses will not count.
      total: the sum of the losses in the present group.
      seen: the number of losses in the present group.
    """

    scale: Array | float
    best: Array | float
    stalled: Array | int
    cooldown: Array | int
    total: Array | float
    seen: Array | int


@transformation
def plateau(
    init_value: NonNegative = 1.0,
    factor: Fraction = 0.1,
    patience: Count = 10,
    rtol: Fraction = 1e-4,
    atol: NonNegative = 0.0,
    cooldown: Count = 0,
    accumulation_size: PositiveCount = 1,
    min_scale: Fraction = 0.0,
    eps: NonNegative = 0.0,
) -> Schedule:
    """Cut the value each time the loss has not improved for a while.

    The value is init_value * scale. A loss is an improvement if it is below best - rtol |best| - atol. After more than
    `patience` losses in a row without an improvement, scale = max(factor * scale, min_scale), and the next `cooldown`
    losses do not count as failures to improve. A loss that is NaN never counts.

    Pass the schedule as a hyperparameter, and the loss to `update`: `tx.update(grads, state, params, value=loss)`. For
    a metric that should grow, pass its negative.

    Args:
      init_value: the value before the first cut.
      factor: the factor by which a cut multiplies the value. This and the next two defaults are PyTorch's.
      patience: how many losses in a row may fail to improve. As in PyTorch, the next one, number patience + 1, brings
        the cut; Optax cuts one loss earlier.
      rtol: the least improvement that counts, relative to the best loss.
      atol: the least improvement that counts, in absolute terms, added to the relative one.
      cooldown: how many losses after a cut do not count.
      accumulation_size: how many losses are averaged into one before it counts. Set it to the number of steps per epoch
        if `value` is the loss of a batch.
      min_scale: the lower bound on the scale.
      eps: a cut that would lower the value by this much or less is not made. PyTorch's default is 1e-8.

    Returns:
      A schedule that keeps a `Plateau` and needs the extra argument `value`, a scalar.

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
    return Plateau(scale=1.0, best=math.inf, stalled=0, cooldown=0, total=0.0, seen=0)


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
    group_is_full = counts & (seen >= accumulation_size)
    loss = total / jnp.maximum(seen, 1)

    # Before the first loss `best` is infinite, and infinity minus a fraction of itself would be NaN.
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
    s = jax.tree.map(lambda new, old: jnp.where(group_is_full, new, old), after, s)
    return init_value * s.scale, s
