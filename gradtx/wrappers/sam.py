"""Sharpness-aware minimization: the gradient of the worst parameters near by."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
from jax import Array

from gradtx.core import GradientTransformation, NonNegative, ParamsLike, Run, each, transformation, wrapping
from gradtx.transforms.global_norm import global_norm

PyTree = Any


class SamState(NamedTuple):
    """The parameters before the climb, and whether the next gradient is that of the top: 0 or 1."""

    origin: ParamsLike
    climbed: Array


@transformation
def sam(inner: GradientTransformation, rho: NonNegative = 0.05) -> GradientTransformation:
    """Climb along the gradient, and step from where the climb began with the gradient of the top: two calls a step.

    First call: u = rho g / ||g||. Second call: u = origin + inner(g) - p.

    The trained parameters are those of the top after every first call; `eval_params(tx, state, params)` gives those
    before the climb. `sam_value_and_grad` does both in one call.

    Args:
      inner: the optimizer, whole; it is given the second gradient, and the parameters before the climb.
      rho: how far the climb goes, in the norm of all parameters together. The paper's default.

    Returns:
      A transformation that keeps what `inner` keeps, under the same names, and a `SamState`; its update needs `params`.

    Raises:
      TypeError: if `inner` is not a transformation of arrays into arrays.

    References:
      Foret, Kleiner, Mobahi and Neyshabur, 2021, Sharpness-Aware Minimization for Efficiently Improving Generalization.
    """

    def init(params: PyTree) -> SamState:
        return SamState(params, jnp.zeros((), jnp.int32))

    given: dict[str, Any] = {"keeps": SamState, "needs": ("params",), "skips": True, "reads": _origin}
    return wrapping(inner, _sam, init, **given, rho=rho)


def _sam(run: Run, g: PyTree, s: SamState, params: PyTree, rho: Array) -> tuple[PyTree, SamState]:
    climbed = s.climbed > 0
    updates = run.when(climbed, g, params=s.origin)
    updates, origin = each(_either, updates, g, params, s.origin, gives=2, climbed=climbed, by=_per_norm(rho, g))
    return updates, SamState(origin, 1 - s.climbed)


def _either(u: Array, g: Array, p: Array, origin: Array, climbed: Array, by: Array) -> tuple[Array, Array]:
    climb = jnp.where(by > 0, by * g, 0)  # where a gradient is not finite, there is nothing to climb along
    return jnp.where(climbed, origin + u - p, climb), jnp.where(climbed, origin, p)


def _per_norm(rho: Any, g: PyTree) -> Array:
    """What a gradient is multiplied by to be `rho` long."""
    norm = global_norm(g)
    some = (norm > 0) & jnp.isfinite(norm)
    return jnp.where(some, rho / jnp.where(some, norm, 1), 0)


def _origin(run: Any, s: SamState, params: PyTree, rho: Array) -> PyTree:
    return run(each(_if_climbed, params, s.origin, climbed=s.climbed > 0))


def _if_climbed(p: Array, origin: Array, climbed: Array) -> Array:
    return jnp.where(climbed, origin, p)


def sam_value_and_grad(
    fun: Callable[..., Any], rho: float | Array = 0.05, *, argnums: int = 0, has_aux: bool = False
) -> Callable[..., tuple[Any, PyTree]]:
    """`jax.value_and_grad` for `sam` in one call: the value at the parameters, the gradient at the top of the climb.

    grad fun(p + rho g / ||g||), where g = grad fun(p)

    Args:
      fun: the loss, a function of the parameters and whatever else.
      rho: how far the climb goes, as for `sam`.
      argnums: which argument the parameters are.
      has_aux: whether `fun` returns a pair of the loss and something else, which is given of the first call.

    Returns:
      A function with the arguments of `fun` that returns `(value, gradient)`, and takes two gradients to do so.

    Example:
      >>> import gradtx, jax.numpy as jnp
      >>> value, grads = gradtx.sam_value_and_grad(lambda p: jnp.sum(p**2), rho=0.5)(jnp.array([3.0, 4.0]))
      >>> print(value, grads)
      25.0 [6.6 8.8]
    """
    value_and_grad = jax.value_and_grad(fun, argnums, has_aux)

    def at_the_top(*args: Any, **kwargs: Any) -> tuple[Any, PyTree]:
        value, g = value_and_grad(*args, **kwargs)
        by = _per_norm(rho, g)
        # The gradient of a complex number that JAX gives is the conjugate of the direction of ascent.
        top = jax.tree.map(lambda p, d: (p + by * jnp.conj(d)).astype(p.dtype), args[argnums], g)
        return value, value_and_grad(*args[:argnums], top, *args[argnums + 1 :], **kwargs)[1]

    return at_the_top
