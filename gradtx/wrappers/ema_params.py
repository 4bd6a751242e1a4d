"""An exponential average of the parameters, to evaluate with."""

from __future__ import annotations

from typing import Any

import jax.numpy as jnp
from jax import Array

from gradtx.core import Fraction, GradientTransformation, Run, each, transformation, wrapping

PyTree = Any


@transformation
def ema_params(inner: GradientTransformation, decay: Fraction = 0.999) -> GradientTransformation:
    """Keep an exponential average of the parameters, and evaluate with it.

    average = decay * average + (1 - decay) * (p + u), the parameters themselves at first;  u = inner(u)

    `eval_params(tx, state, params)` gives the average. It is kept in float32 or wider, and sees the parameters before
    they are rounded to their dtype.

    Args:
      inner: the optimizer, whole: what is averaged are the parameters with its updates added.
      decay: the fraction of the average that is kept at each step; a schedule may let it grow.

    Returns:
      A transformation that keeps what `inner` keeps, under the same names, and an average of each array; its update
      needs `params`.

    Raises:
      TypeError: if `inner` is not a transformation of arrays into arrays.

    References:
      Polyak and Juditsky, 1992, Acceleration of Stochastic Approximation by Averaging.

    Example:
      >>> import gradtx, jax.numpy as jnp
      >>> tx = gradtx.ema_params(gradtx.sgd(1.0), decay=0.5)
      >>> params = jnp.zeros(1)
      >>> updates, state = tx.update(jnp.ones(1), tx.init(params), params)
      >>> params = gradtx.apply_updates(params, updates)
      >>> print(params, gradtx.eval_params(tx, state, params))
      [-1.] [-0.5]
    """
    given: dict[str, Any] = {"keeps": "average", "needs": ("params",), "reads": _average, "holds": True}
    return wrapping(inner, _ema_params, lambda params: params, **given, decay=decay)


def _ema_params(run: Run, g: PyTree, average: PyTree, params: PyTree, decay: Array) -> tuple[PyTree, PyTree]:
    updates = run(g)
    return updates, each(_towards, average, params, updates, decay=decay, taken=run.taken)


def _towards(average: Array, p: Array, u: Array, decay: Array, taken: Any) -> Array:
    return jnp.where(taken, average + (1 - decay) * (p + u - average), average)


def _average(run: Any, average: PyTree, params: PyTree, decay: Array) -> PyTree:
    return average
