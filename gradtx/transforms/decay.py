"""Stages that pull parameters towards zero."""

from collections.abc import Callable
from typing import Any, cast

import jax
import jax.numpy as jnp

from gradtx.core import GradientTransformation, ScalarOrSchedule, beside, chain, leafwise, transformation, treewise
from gradtx.core.checks import in_range
from gradtx.core.primitives import Labels, Pair, Selected, keeps_state
from gradtx.transforms.basic import set_to_zero

Array = jax.Array
MODES = ("coupled", "independent", "cautious")


@transformation
def add_decayed_weights(
    weight_decay: ScalarOrSchedule = 0.0, where: Any = None, *, mode: str = "coupled"
) -> GradientTransformation:
    """Add a part of the parameters to the updates.

    u + weight_decay * p;  "independent": u - weight_decay * p;  "cautious": u + weight_decay * p where u p > 0, else u

    Where it stands says what it means: before the moments it is an L2 penalty on the loss, between the moments and the
    learning rate it is decoupled weight decay (AdamW).

    Args:
      weight_decay: the part, at least 0; a number or a schedule.
      where: which arrays decay, a mask as for `masked`; all if None.
      mode: "coupled" to the learning rate, for a place before it; "independent" of it, for a place after it;
        "cautious", before it, to decay only what the step moves towards zero anyway.

    Returns:
      A transformation without state, whose update needs `params`.

    Raises:
      ValueError: if `weight_decay` is negative or not finite, or the mode is not known.

    References:
      Loshchilov and Hutter, 2019, Decoupled Weight Decay Regularization.
      Chen et al., 2025, Cautious Weight Decay.

    Example:
      >>> import gradtx, jax.numpy as jnp
      >>> tx = gradtx.add_decayed_weights(0.1, where={"kernel": True, "bias": False})
      >>> p = {"kernel": jnp.ones(2), "bias": jnp.ones(2)}
      >>> tx.update({"kernel": jnp.zeros(2), "bias": jnp.zeros(2)}, tx.init(p), p)[0]
      {'bias': Array([0., 0.], dtype=float32), 'kernel': Array([0.1, 0.1], dtype=float32)}
    """
    in_range("weight_decay", weight_decay)
    if mode not in MODES:
        raise ValueError(f"mode = {mode!r} is not known; expected {', '.join(map(repr, MODES))}.")
    decay = leafwise(_decay, needs=("params",), weight_decay=weight_decay, mode=mode)
    if where is None:
        return decay
    return cast(Any, Selected(decay._primitive, Labels(where, (True, False), "where"), True))


def _decay(u: Array, s: None, p: Array, weight_decay: Array, mode: str) -> tuple[Array, None]:
    if mode == "independent":
        return u - weight_decay * p, s
    if mode == "cautious":
        towards = jnp.real(u * jnp.conj(p)) > 0
        return u + jnp.where(towards, weight_decay * p, 0), s
    return u + weight_decay * p, s


def decayed(weight_decay: ScalarOrSchedule | None, where: Any, mode: str = "coupled") -> list[GradientTransformation]:
    """The stage for an optimizer's `weight_decay` and `where`, or none."""
    if weight_decay is None and where is not None:
        raise ValueError("where says which arrays decay, but weight_decay is None; give a weight_decay, or no where.")
    return [] if weight_decay is None else [add_decayed_weights(weight_decay, where, mode=mode)]


def sharing_its_rate(
    update: Callable[..., Any],
    init: Callable[..., Any] | None,
    weight_decay: ScalarOrSchedule | None,
    where: Any,
    **options: Any,
) -> GradientTransformation:
    """Treewise mathematics that finds a rate from gradients alone, and takes decay by that rate too.

    Where parameters decay, each array comes as a `Pair` of its decay and its gradient: see `trees.apart`.
    """
    decay = decayed(weight_decay, where)
    if decay and keeps_state(decay[0]._primitive):
        raise TypeError("weight_decay is a schedule with a state, which has no place here; expected one of the step.")
    stage = treewise(update, init, takes=Pair if decay else Array, **options)
    return beside(chain(set_to_zero(), *decay), stage, in_place=True) if decay else stage
