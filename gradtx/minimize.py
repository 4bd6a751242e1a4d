"""A function minimized from a start to the end, in one call."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
from jax import Array

from gradtx.core import GradientTransformation, apply_updates
from gradtx.core.mathematics import Chain, Mathematics, inner_of
from gradtx.core.numerics import cast, is_floating, widen
from gradtx.core.trees import array_type
from gradtx.optimizers.lbfgs import lbfgs
from gradtx.transforms.vectors import dot, dtype_of, largest
from gradtx.value_and_grad import arrived

PyTree = Any

# A search has come to rest after this many steps that lessened neither the value nor the gradient. One that looks for a
# step and finds none counts for half of them: from there it may find one along the gradient alone.
FAILURES = 12


class MinimizeResult(NamedTuple):
    """What `minimize` found.

    Attributes:
      params: the parameters.
      value: the loss there.
      grad: its gradient there.
      aux: what else the function returned there, if `has_aux`, else None.
      steps: the steps that were taken.
      evaluations: how often the loss and its gradient were computed, in line searches too.
      converged: whether no entry of the gradient is larger than `tol`.
      state: the last state of the transformation.
    """

    params: PyTree
    value: Array
    grad: PyTree
    aux: Any
    steps: Array
    evaluations: Array
    converged: Array
    state: PyTree


class _Run(NamedTuple):
    params: PyTree
    state: PyTree
    value: Array
    grad: PyTree
    best: Any  # parameters, value and gradient of the least value, of what does not search
    least: Array  # the least of the largest entries of the gradients
    steps: Array
    evaluations: Array
    failures: Array


def minimize(
    fun: Callable[[PyTree], Any],
    x0: PyTree,
    tx: GradientTransformation | None = None,
    *,
    tol: float = 1e-5,
    max_steps: int = 1000,
    has_aux: bool = False,
) -> MinimizeResult:
    """Take steps until the gradient is small: a loop that can be compiled and batched.

    It ends when no entry of the gradient is larger than `tol`, when a line search comes to rest, when the loss is not
    finite and nothing searches, or after `max_steps`.

    It is not differentiable: in reverse mode JAX raises, and in forward mode the result is that of the last steps. For
    the derivatives of a minimum, use the implicit function theorem: the gradient there stays zero.

    Bounds are not among its arguments: a quasi-Newton step that is projected need not lessen the loss. Write the
    bounded parameter as a function of a free one, such as `jax.nn.softplus`; or descend by gradients and project every
    step, `chain(sgd(rate), project(lambda p: jnp.clip(p, 0, 1)))`, which is sound.

    Args:
      fun: the loss, a function of the parameters that returns a number. For a transformation that needs `residual_fn`,
        such as `levenberg_marquardt`, it returns a pytree of residuals, and half the sum of their squares is the loss.
      x0: where to begin: pytree of floating arrays.
      tx: any transformation; `lbfgs()` by default. It is given `value`, `grad` and `value_fn`. Unless its last stage is
        a line search, one evaluation is made after every step.
      tol: the largest entry of the gradient that is small. In float32 it may have to be larger than 1e-5.
      max_steps: the most steps; compiled, it may be traced.
      has_aux: whether `fun` returns a pair of the above and something else, which is computed once more at the end.

    Returns:
      A `MinimizeResult`. The parameters are the last ones if they converged or if the last stage of `tx` is a line
      search, which never goes uphill; otherwise those of the least loss that was seen.

    Raises:
      TypeError: if an array of `x0` is not floating.

    Example:
      >>> import gradtx, jax, jax.numpy as jnp
      >>> rosenbrock = lambda p: (1 - p[0]) ** 2 + 100 * (p[1] - p[0] ** 2) ** 2
      >>> result = jax.jit(lambda x0: gradtx.minimize(rosenbrock, x0, tol=1e-4))(jnp.array([-1.2, 1.0]))
      >>> print(result.params.round(3), result.converged)
      [1. 1.] True
    """
    tx = lbfgs() if tx is None else tx
    alone = (lambda p: fun(p)[0]) if has_aux else fun
    of_residuals = "residual_fn" in tx.needs
    loss = (lambda p: _half_square(alone(p))) if of_residuals else alone
    functions = {"value_fn": loss, **({"residual_fn": alone} if of_residuals else {})}
    params = _start(x0)
    state = tx.init(params)
    searches = len(arrived(state)) == 1 and _ends_with_the_step(tx.mathematics)

    def evaluate(params: PyTree) -> tuple[Array, PyTree]:
        value, grad = jax.value_and_grad(loss)(params)
        return widen(cast(value)), grad

    def is_small(grad: PyTree) -> Array:
        return largest(grad) <= tol

    def more(run: _Run) -> Array:
        going = run.failures < FAILURES if searches else jnp.isfinite(run.value)
        return (run.steps < max_steps) & ~is_small(run.grad) & going

    def step(run: _Run) -> _Run:
        given = {"value": run.value, "grad": run.grad, **functions}
        updates, state = tx.update(run.grad, run.state, run.params, **given)
        params = apply_updates(run.params, updates)
        if searches:
            (end,) = arrived(state)
            value = cast(end.value, run.value.dtype)
            grad = jax.tree.map(lambda g, old: cast(g, old.dtype), end.grad, run.grad)
            moved, size = end.step_size > 0, largest(grad)
            useful = moved & ((value < run.value) | (size < run.least))
            looked = ~moved & (1 + end.evaluations > run.evaluations)
            failures = jnp.where(useful, 0, run.failures + jnp.where(looked, FAILURES // 2, 1))
            least = jnp.minimum(size, run.least)
            return _Run(params, state, value, grad, None, least, run.steps + moved, 1 + end.evaluations, failures)
        value, grad = evaluate(params)
        value = cast(value, run.value.dtype)
        found, better = (params, value, grad), value < run.best[1]
        best = jax.tree.map(lambda new, old: jnp.where(better, new, old), found, run.best)
        evaluations = run.steps + 2 + sum(end.evaluations for end in arrived(state))
        return _Run(params, state, value, grad, best, run.least, run.steps + 1, evaluations, run.failures)

    value, grad = evaluate(params)
    none = jnp.zeros((), jnp.int32)
    best = None if searches else (params, value, grad)
    first = _Run(params, state, value, grad, best, largest(grad), none, none + 1, none)
    end = jax.lax.while_loop(more, step, first)
    converged = is_small(end.grad)
    last = end.params, end.value, end.grad
    if not searches:
        last = jax.tree.map(lambda new, old: jnp.where(converged, new, old), last, end.best)
    aux = fun(last[0])[1] if has_aux else None
    return MinimizeResult(*last, aux, end.steps, end.evaluations, converged, end.state)


def _ends_with_the_step(mathematics: Mathematics) -> bool:
    """Whether what a line search has chosen is the step, and no wrapper makes another one of it."""
    if isinstance(mathematics, Chain):
        return any(map(_ends_with_the_step, list(mathematics.stages.values())[-1:]))
    return inner_of(mathematics) is None and getattr(mathematics, "last", False)


def _start(x0: PyTree) -> PyTree:
    """The first parameters, as arrays.

    Raises:
      TypeError: if one is not floating; the message names it.
    """
    params = jax.tree.map(lambda x: cast(jnp.asarray(x)), x0)
    for path, x in jax.tree_util.tree_leaves_with_path(params):
        if not is_floating(x):
            raise TypeError(
                f"minimize: x0{jax.tree_util.keystr(path)} is {array_type(x)}, which has no gradient; convert it with "
                "astype(jnp.float32), or give it to the loss with functools.partial."
            )
    return params


def _half_square(residuals: PyTree) -> Array:
    wide = jax.tree.map(lambda x: widen(jnp.asarray(x)), residuals)
    return 0.5 * cast(dot(wide, wide), dtype_of(wide))
