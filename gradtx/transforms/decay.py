"""Weight decay: parameters pulled towards zero."""

from __future__ import annotations

from typing import Any, Literal

import jax
import jax.numpy as jnp
from jax import Array

from gradtx.core import GradientTransformation, Mask, NonNegative, Varied, leafwise, transformation
from gradtx.transforms.labels import Labels

PyTree = Any


@transformation
def add_decayed_weights(
    weight_decay: NonNegative = 0.0,
    where: Mask | None = None,
    *,
    mode: Literal["coupled", "independent", "cautious"] = "coupled",
) -> GradientTransformation:
    """Add a fraction of the parameters to the updates.

    u + weight_decay * p;  "independent": u - weight_decay * p;  "cautious": u + weight_decay * p where u p > 0, else u

    What it means depends on where it stands: before the moments it is an L2 penalty on the loss; between the moments
    and the learning rate it is decoupled weight decay (AdamW).

    Args:
      weight_decay: the fraction.
      where: which arrays decay: a mask as for `masked`. All by default.
      mode: "coupled" to the learning rate, for a place before it; "independent" of it, for a place after it;
        "cautious", before it, to decay only what the step moves towards zero anyway.

    Returns:
      A transformation without state, whose update needs `params`.

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
    return leafwise(_decay, needs=("params",), mode=mode, **decay_of(weight_decay, where))


def _decay(u: Array, s: None, p: Array, weight_decay: Array, mode: str, chosen: Any = 1.0) -> tuple[Array, None]:
    weight_decay = chosen * weight_decay
    if mode == "independent":
        return u - weight_decay * p, s
    if mode == "cautious":
        towards_zero = jnp.real(u * jnp.conj(p)) > 0
        return u + jnp.where(towards_zero, weight_decay * p, 0), s
    return u + weight_decay * p, s


def decay_of(weight_decay: NonNegative | None, where: Mask | None) -> dict[str, Any]:
    """The hyperparameters of a stage whose parameters decay: how much, and which of them."""
    if weight_decay is None:
        check_where(where)
    if where is None:
        return {"weight_decay": weight_decay}
    labels = Labels(where, (True, False), "where")
    return {"weight_decay": weight_decay, "chosen": Varied({True: 1.0, False: 0.0}, labels)}


def check_where(where: Mask | None) -> None:
    """Raise if it says which arrays decay, where none do."""
    if where is not None:
        raise ValueError("where says which arrays decay, but weight_decay is None; give a weight_decay, or no where.")


def plus_decay(updates: PyTree, params: PyTree, weight_decay: Array | None, chosen: PyTree = 1.0) -> PyTree:
    """U + weight_decay * p, array by array, for a treewise stage that has the hyperparameters of `decay_of`."""
    if weight_decay is None:
        return updates

    def one(u: Array, p: Array, factor: Array) -> Array:
        return u + (factor * weight_decay).astype(u.real.dtype) * p.astype(u.dtype)

    return jax.tree.map(one, updates, params, jax.tree.broadcast(chosen, updates))
