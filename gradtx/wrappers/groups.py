"""Transformations for some of the arrays: by a mask, or by labels."""

from collections.abc import Hashable, Mapping
from typing import Any, cast

from gradtx.core import GradientTransformation, transformation
from gradtx.core.primitives import Array, Chain, Labels, Selected
from gradtx.core.spelling import spell
from gradtx.core.state import STEP
from gradtx.transforms.basic import set_to_zero

PyTree = Any


@transformation
def masked(inner: GradientTransformation, mask: PyTree) -> GradientTransformation:
    """Apply a transformation to some of the arrays; all others pass by as they are, and have no state.

    u = inner(u) where the mask is True, else u

    What passes by is the raw gradient, as in Optax. To hold arrays still, `freeze` them or give them a group of their
    own in `partition`.

    Args:
      inner: the transformation; a norm that it takes is that of the chosen arrays alone.
      mask: a pytree of bools, of the structure of params or a prefix of it; or a function that makes one of params
        (of the updates, where `update` is given no params). A callable pytree, such as an Equinox module of bools, is
        taken as the pytree that it is.

    Returns:
      A transformation that keeps what `inner` keeps, for the chosen arrays.

    Raises:
      TypeError: if `inner` is no transformation of arrays into arrays.
      ValueError: when used, if the mask does not fit the parameters; the message names the place.

    Example:
      >>> import gradtx, jax, jax.numpy as jnp
      >>> params = {"kernel": jnp.ones((2, 2)), "bias": jnp.ones(2)}
      >>> tx = gradtx.masked(gradtx.add_decayed_weights(0.1), lambda p: jax.tree.map(lambda x: x.ndim > 1, p))
      >>> updates, _ = tx.update(jax.tree.map(jnp.zeros_like, params), tx.init(params), params)
      >>> updates["bias"], updates["kernel"][0]
      (Array([0., 0.], dtype=float32), Array([0.1, 0.1], dtype=float32))
    """
    check("masked", "inner", inner)
    return cast(Any, Selected(inner._primitive, Labels(mask, (True, False), "the mask"), True))


@transformation
def partition(transforms: Mapping[Hashable, GradientTransformation], labels: PyTree) -> GradientTransformation:
    """Apply to each array the transformation of its label.

    u = transforms[label](u)

    Args:
      transforms: a transformation for each label. Arrays under `set_to_zero()` are held still, and have no state.
      labels: a pytree of labels, of the structure of params or a prefix of it; or a function that makes one of params,
        as for `masked`.

    Returns:
      A transformation that keeps, under each label, what its transformation keeps for its arrays.

    Raises:
      TypeError: if one of `transforms` is no transformation of arrays into arrays.
      ValueError: when used, if an array has a label that is not among those of `transforms`.

    Example:
      >>> import gradtx, jax.numpy as jnp
      >>> tx = gradtx.partition({"fit": gradtx.adam(0.1), "hold": gradtx.set_to_zero()}, {"w": "fit", "b": "hold"})
      >>> state = tx.init({"w": jnp.zeros(2), "b": jnp.zeros(2)})
      >>> state["fit"]["track_moments"].first
      {'b': None, 'w': Array([0., 0.], dtype=float32)}
    """
    known = Labels(labels, tuple(transforms), "the labels")
    stages: dict[str, Any] = {}
    for label, inner in transforms.items():
        check("partition", f"the transformation for {label!r}", inner)
        if str(label) in (STEP, *stages):
            raise TypeError(f"partition: a group called {label!r} would share its place in the state; rename it.")
        stages[str(label)] = Selected(inner._primitive, known, label)
    return cast(Any, Chain(stages))


@transformation
def freeze(mask: PyTree) -> GradientTransformation:
    """Hold some of the arrays still, whatever their gradients are.

    u = 0 where the mask is True, else u; as the last stage of a chain.

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


def check(name: str, what: str, inner: Any) -> None:
    """Raise unless `inner` is a transformation of arrays into arrays."""
    if not isinstance(inner, GradientTransformation):
        raise TypeError(
            f"{name}: {what} is not a gradtx transformation, but {spell(inner)}. Call the factory, or make one "
            "of a pair from elsewhere with gradtx.chain(pair)."
        )
    for flowing in (inner._primitive.takes, inner._primitive.gives):
        if flowing is not Array:
            raise TypeError(
                f"{name}: {what}, {inner.name}, does not take arrays and give arrays, so that what passes by it could "
                f"not flow on with what it gives ({flowing.__name__}). Wrap the chain that it is part of."
            )
