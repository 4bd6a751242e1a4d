"""Second-order steps: the diagonal of the Hessian, estimated and divided by."""

from collections.abc import Callable
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp

from gradtx.core import GradientTransformation, ScalarOrSchedule, stepwise, transformation, treewise
from gradtx.core.checks import at_least, in_range
from gradtx.core.numerics import cast
from gradtx.core.trees import flatten, flatten_like
from gradtx.transforms import trees
from gradtx.transforms.averages import complement

Array = jax.Array
PyTree = Any


def hutchinson(loss: Callable[[PyTree], Array], params: PyTree, key: Array) -> PyTree:
    """An estimate of the diagonal of the Hessian of a loss, for the price of a second gradient.

    z * (H z), with z of random signs: its mean is the diagonal.

    Args:
      loss: a function of params that gives a scalar.
      params: pytree of real floating arrays.
      key: a JAX random key; another one at each call.

    Returns:
      A pytree like params.

    References:
      Hutchinson, 1990, A Stochastic Estimator of the Trace of the Influence Matrix for Laplacian Smoothing Splines.

    Example:
      >>> import gradtx, jax, jax.numpy as jnp
      >>> gradtx.hutchinson(lambda p: jnp.sum(p**3), jnp.array([1.0, 2.0]), jax.random.key(0))
      Array([ 6., 12.], dtype=float32)
    """
    leaves, treedef = jax.tree.flatten(params)
    keys = jax.random.split(key, max(len(leaves), 1))
    signs = [jax.random.rademacher(k, x.shape, x.dtype) for k, x in zip(keys, leaves, strict=False)]
    z = jax.tree.unflatten(treedef, signs)
    _, product = jax.jvp(jax.grad(loss), (params,), (z,))
    return jax.tree.map(jnp.multiply, z, product)


class Curvature(NamedTuple):
    """Averages of gradients and of the diagonal of the Hessian."""

    first: PyTree
    hessian: PyTree


@transformation
def scale_by_sophia(
    b1: ScalarOrSchedule = 0.965,
    b2: ScalarOrSchedule = 0.99,
    eps: ScalarOrSchedule = 1e-12,
    gamma: ScalarOrSchedule = 0.01,
    clip_threshold: ScalarOrSchedule = 1.0,
    update_interval: int = 10,
) -> GradientTransformation:
    """Divide an average of gradients by one of the Hessian's diagonal, within bounds.

    m = b1 m + (1 - b1) g, zero at first; at every update_interval-th step, the first among them,
    h = b2 h + (1 - b2) hessian, zero at first;  u = m / max(gamma h, eps), within [-clip_threshold, clip_threshold]

    Args:
      b1: decay of the gradients, in [0, 1); a number or a schedule. The paper's default, as are those below.
      b2: decay of the Hessian, in [0, 1); a number or a schedule.
      eps: the least to divide by, above 0.
      gamma: how much of the Hessian counts, at least 0.
      clip_threshold: the bound of a step, at least 0.
      update_interval: steps from one use of `hessian` to the next, at least 1.

    Returns:
      A transformation that keeps a `Curvature`, two arrays per array. It needs the extra argument `hessian`, a pytree
      like the gradients such as `hutchinson` makes; between the steps that use it, zeros will do.

    Raises:
      ValueError: if an argument is out of range.
      TypeError: when used, if an array is complex, for its numbers have no order to be bounded in.

    References:
      Liu et al., 2023, Sophia: A Scalable Stochastic Second-order Optimizer for Language Model Pre-training.
    """
    in_range("b1", b1, 0.0, 1.0)
    in_range("b2", b2, 0.0, 1.0)
    in_range("eps", eps)
    in_range("gamma", gamma)
    in_range("clip_threshold", clip_threshold)
    at_least("update_interval", update_interval, 1)

    def init(params: PyTree) -> Curvature:
        return Curvature(trees.zeros(params), trees.zeros(params))

    numbers: dict[str, Any] = {"rate1": complement(b1), "rate2": complement(b2), "eps": eps, "gamma": gamma}
    numbers |= {"bound": clip_threshold, "renew": stepwise(_is_due, interval=update_interval)}
    return treewise(_sophia, init, needs=("hessian",), **numbers)


def _is_due(step: Array, interval: int) -> Array:
    return jnp.where(step % interval == 0, 1.0, 0.0)


def _sophia(
    updates: PyTree,
    s: Curvature,
    params: PyTree,
    rate1: Array,
    rate2: Array,
    eps: Array,
    gamma: Array,
    bound: Array,
    renew: Array,
    hessian: PyTree,
) -> tuple[PyTree, Curvature]:
    gs, treedef = flatten(updates)
    hessians = flatten_like(treedef, hessian, name="scale_by_sophia", what="hessian", like="updates")
    ms, hs = (flatten_like(treedef, x, name="scale_by_sophia", what="state", like="updates") for x in s)
    results: list[tuple[Any, Any, Any]] = []
    for g, new, m, h in zip(gs, hessians, ms, hs, strict=True):
        if g is None:
            results.append((None, m, h))
            continue
        if jnp.iscomplexobj(g):
            raise TypeError(
                "sophia bounds real numbers; split the complex array into real and imaginary part "
                "with gradtx.split_real_and_imaginary(...)."
            )
        r1, r2, least, part, most = (cast(x, g.real.dtype) for x in (rate1, rate2, eps, gamma, bound))
        m = m + r1 * (g - m)  # noqa: PLW2901
        new = jnp.asarray(new, h.dtype)  # noqa: PLW2901
        h = jnp.where(renew > 0, h + r2 * (new - h), h)  # noqa: PLW2901
        results.append(
            (jnp.clip(m / jnp.maximum(jnp.maximum(part * h, least), jnp.finfo(g.dtype).tiny), -most, most), m, h)
        )
    u, first, second = (treedef.unflatten(list(x)) for x in zip(*results, strict=True)) if results else (updates, *s)
    return u, Curvature(first, second)
