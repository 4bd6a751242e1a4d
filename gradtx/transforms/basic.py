"""Stages of little mathematics: that pass, drop, mend or project what they are given, or call a function."""

from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp

from gradtx.core import GradientTransformation, leafwise, transformation, treewise

Array = jax.Array


@transformation
def identity() -> GradientTransformation:
    """Pass every update on as it is.

    u = u

    Returns:
      A transformation without state.

    Example:
      >>> import gradtx, jax.numpy as jnp
      >>> gradtx.identity().update(jnp.array(2.0), gradtx.identity().init(jnp.array(0.0)))[0]
      Array(2., dtype=float32)
    """
    return leafwise(_pass)


def _pass(u: Array, s: None, p: None) -> tuple[Array, None]:
    return u, s


@transformation
def set_to_zero() -> GradientTransformation:
    """Put zero in the place of every update, NaN included: parameters stay as they are, bit for bit.

    u = 0

    Returns:
      A transformation without state.

    Example:
      >>> import gradtx, jax.numpy as jnp
      >>> tx = gradtx.set_to_zero()
      >>> float(tx.update(jnp.array(jnp.nan), tx.init(jnp.array(0.0)))[0])
      -0.0
    """
    return leafwise(_zero)


def _zero(u: Array, s: None, p: None) -> tuple[Array, None]:
    # Of negative sign: -0 + -0 is -0, while -0 + 0 is 0, other bits than before.
    return jnp.full_like(u, -0.0), s


@transformation
def stateless(f: Callable[[Any, Any], Any]) -> GradientTransformation:
    """A function of updates and parameters as a stage.

    u = f(updates, params)

    Args:
      f: a function of the tree of updates and that of params (None if `update` is given none), which returns a tree
        like the updates. Best defined at the top of a module, so that the stage can be pickled and compared.

    Returns:
      A transformation without state.

    Example:
      >>> import gradtx, jax, jax.numpy as jnp
      >>> halve = gradtx.stateless(lambda updates, params: jax.tree.map(lambda u: u / 2, updates))
      >>> halve.update([jnp.array(3.0)], halve.init([jnp.array(0.0)]))[0]
      [Array(1.5, dtype=float32)]
    """
    return treewise(_call, f=f)


def _call(updates: Any, s: None, params: Any, f: Callable[[Any, Any], Any]) -> tuple[Any, None]:
    return f(updates, params), s


@transformation
def zero_nans() -> GradientTransformation:
    """Put zero in the place of every NaN.

    u = 0 where u is NaN, else u. What was lost is not told: to skip such a step as a whole is safer.

    Returns:
      A transformation without state. Optax keeps which arrays had NaN in a state.
    """
    return leafwise(_zero_nans)


def _zero_nans(u: Array, s: None, p: None) -> tuple[Array, None]:
    return jnp.where(jnp.isnan(u), 0, u), s


@transformation
def project(projection: Callable[[Array], Array]) -> GradientTransformation:
    """Keep parameters within a set, by projecting each array after its step; as the last stage of a chain.

    u = projection(p + u) - p

    Args:
      projection: a function of one array that returns one of the same shape: the nearest in the set, such as
        `jax.nn.relu` for numbers that are not negative.

    Returns:
      A transformation without state, whose update needs `params`.

    Example:
      >>> import gradtx, jax, jax.numpy as jnp
      >>> tx = gradtx.chain(gradtx.sgd(1.0), gradtx.project(jax.nn.relu))
      >>> p = jnp.array([0.5, 2.0])
      >>> tx.update(jnp.ones(2), tx.init(p), p)[0]
      Array([-0.5, -1. ], dtype=float32)
    """
    return leafwise(_project, needs=("params",), projection=projection)


def _project(u: Array, s: None, p: Array, projection: Callable[[Array], Array]) -> tuple[Array, None]:
    return projection(p + u) - p, s


@transformation
def keep_params_nonnegative() -> GradientTransformation:
    """Keep parameters from falling below zero; as the last stage of a chain.

    u = max(p + u, 0) - p

    Returns:
      A transformation without state, whose update needs `params`.
    """
    return project(_nonnegative)


def _nonnegative(x: Array) -> Array:
    return jnp.maximum(x, 0)
