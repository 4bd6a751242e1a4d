"""Arrays held still, by a mask."""

from __future__ import annotations

from gradtx.core import GradientTransformation, Mask, transformation
from gradtx.transforms.set_to_zero import set_to_zero
from gradtx.wrappers.masked import masked


@transformation
def freeze(mask: Mask) -> GradientTransformation:
    """Hold some of the arrays still, whatever their gradients are. Put it last in a chain.

    u = 0 where the mask is True, else u

    Stages before it still keep a state for what is frozen, and a norm still counts it. `partition` with
    `set_to_zero()` for the frozen group saves both.

    Args:
      mask: as for `masked`; True for what is held.

    Returns:
      A transformation without state.

    Raises:
      ValueError: when used, if the mask does not fit the parameters; the message names the place.

    Example:
      >>> import gradtx, jax.numpy as jnp
      >>> tx = gradtx.chain(gradtx.sgd(0.1), gradtx.freeze({"w": False, "b": True}))
      >>> g = {"w": jnp.ones(1), "b": jnp.array([jnp.nan])}
      >>> gradtx.apply_updates({"w": jnp.ones(1), "b": jnp.ones(1)}, tx.update(g, tx.init(g))[0])
      {'b': Array([1.], dtype=float32), 'w': Array([0.9], dtype=float32)}
    """
    return masked(set_to_zero(), mask)
