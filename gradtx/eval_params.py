"""The parameters to evaluate a model with."""

from __future__ import annotations

from typing import Any, TypeVar

import jax

from gradtx.core import GradientTransformation, scalars
from gradtx.core.mathematics import AGE, inner_of
from gradtx.core.numerics import cast, is_floating, widen
from gradtx.core.plan import Plan
from gradtx.core.state import Held, open_state
from gradtx.core.trees import is_none

PyTree = Any
P = TypeVar("P")


def eval_params(tx: GradientTransformation, state: PyTree, params: P) -> P:
    """The parameters to evaluate with: those that a wrapper says, such as an average, through any nesting.

    Args:
      tx: the transformation that trains the parameters.
      state: its state.
      params: the parameters as they are trained.

    Returns:
      A pytree like params, of the same dtypes; params themselves if nothing in `tx` says otherwise.

    Raises:
      ValueError: if the state belongs to another transformation.

    Example:
      >>> import gradtx, jax.numpy as jnp
      >>> params = {"w": jnp.ones(2)}
      >>> tx = gradtx.adam(0.1)
      >>> gradtx.eval_params(tx, tx.init(params), params)
      {'w': Array([1., 1.], dtype=float32)}
    """
    plan = tx.plan
    wide = jax.tree.map(lambda p: widen(p) if is_floating(p) else None, params, is_leaf=is_none)
    found = _evaluate(plan, open_state(plan, state), wide)
    return jax.tree.map(lambda x, p: p if x is None else cast(x, p.dtype), found, params, is_leaf=is_none)


def _evaluate(plan: Plan, held: Held, params: PyTree) -> PyTree:
    for stage in plan.stages:
        inner, within = inner_of(stage.mathematics), plan.inner.get(stage.path)
        if inner is None or within is None:
            continue
        view = inner.view

        def run(params: PyTree, within: Plan = within, view: Any = view) -> PyTree:
            return _evaluate(within, held, params if view is None else view(params, params))

        if inner.reads is None:
            params = run(params) if view is None else params
            continue
        mathematics, kept = stage.mathematics, {name: held[path] for name, path in stage.kept.items()}
        numbers, _ = scalars.resolve(mathematics, held[within.clock], kept, {AGE: kept.get(AGE)})
        params = inner.reads(run, mathematics.keeps.pack(kept, kept.get(AGE)), params, **numbers)
    return params
