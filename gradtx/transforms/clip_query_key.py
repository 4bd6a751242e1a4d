"""Steps that shrink the queries and keys of attention whose logits have grown."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import jax.numpy as jnp
from jax import Array

from gradtx.core import Axes, AxesOf, GradientTransformation, Positive, transformation, treewise
from gradtx.core.axes import axes_of
from gradtx.core.numerics import cast
from gradtx.core.patterns import fits, paths_of, some
from gradtx.core.trees import array_type, flatten

PyTree = Any


@transformation
def clip_query_key(max_logit: Positive = 100.0, *, axes: Axes | None = None) -> GradientTransformation:
    """Shrink the kernels of queries and keys whose logits were too large, as MuonClip does.

    p + u becomes c (p + u), with c = sqrt(min(1, max_logit / max_logits)), head by head

    It stands at the end of a chain, after the learning rate. Its update needs `max_logits`, a dict with a pattern for
    each kernel of queries or keys, as for `groups`, and with the largest logit of each of its heads: a scalar, or an
    array with one number for each matrix that the kernel is seen as. Queries and keys of one head get the same number.

    Args:
      max_logit: the largest logit that is left alone; the paper's default.
      axes: what the axes of arrays are, as for `muon`: "i b o" or "i 12o" has a matrix for each head.

    Returns:
      A transformation without state, whose update needs `params` and `max_logits`.

    Raises:
      TypeError: when used, if `max_logits` is no dict.
      ValueError: when used, if a pattern fits no array, or if there is another number of logits than of matrices.

    References:
      Kimi Team, 2025, Kimi K2: Open Agentic Intelligence.

    Example:
      >>> import gradtx, jax.numpy as jnp
      >>> tx = gradtx.clip_query_key(100.0, axes={"query": "i b o"})
      >>> params = {"query": jnp.ones((1, 2, 1))}
      >>> logits = {"query": jnp.array([50.0, 400.0])}
      >>> u, _ = tx.update({"query": jnp.zeros((1, 2, 1))}, tx.init(params), params, max_logits=logits)
      >>> u["query"].ravel()
      Array([ 0. , -0.5], dtype=float32)
    """
    return treewise(_clip, needs=("params", "max_logits"), max_logit=max_logit, axes=axes_of(axes, "array"))


def _clip(
    updates: PyTree, s: None, params: PyTree, max_logits: Any, max_logit: Array, axes: AxesOf
) -> tuple[PyTree, None]:
    if not isinstance(max_logits, Mapping):
        raise TypeError(
            f"max_logits is {array_type(max_logits)}; expected a dict such as {{'*/query': logits, '*/key': logits}}, "
            "with the largest logit of each head."
        )
    us, treedef = flatten(updates)
    ps, every = flatten(params)[0], axes(updates)
    paths = paths_of(updates)
    unused = [name for name in max_logits if not any(fits(name, path, None) for path in paths)]
    if unused and paths:
        raise ValueError(f"max_logits: {some(unused)} fits no array. The arrays are {some(paths)}.")
    results = []
    for path, u, p, seen in zip(paths, us, ps, every, strict=True):
        name = next((name for name in max_logits if fits(name, path, None)), None)
        if u is None or name is None:
            results.append(u)
            continue
        logits = jnp.asarray(max_logits[name])
        batch = () if seen is None else seen.seen(u.shape)[:-2]
        if logits.shape not in ((), batch):
            raise ValueError(
                f"max_logits[{name!r}] has shape {logits.shape}, but {path} {array_type(u)} is seen as matrices "
                f"{list(batch)}: say with axes= where its heads are, as in 'i b o' or 'i 12o'."
            )
        shrunk = _shrinkage(cast(logits, u.real.dtype), cast(max_logit, u.real.dtype))
        if seen is not None and logits.ndim:
            shrunk = seen.array(jnp.broadcast_to(shrunk[..., None, None], seen.seen(u.shape)), u.shape)
        results.append(u - shrunk * (u + p.astype(u.dtype)))
    return treedef.unflatten(results), s


def _shrinkage(logits: Array, most: Array) -> Array:
    """1 - c: how much of a kernel is taken away. A logit that is not finite takes nothing."""
    over = (logits > most) & jnp.isfinite(logits)
    return jnp.where(over, 1 - jnp.sqrt(most / jnp.where(over, logits, most)), 0)
