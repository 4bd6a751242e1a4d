"""Values and gradients of a large batch, computed part by part."""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable, Sequence
from typing import Any

import jax
import jax.numpy as jnp
from jax import Array

from gradtx.core.numerics import arithmetic_dtype, cast, is_key, real_dtype, scalar_dtype
from gradtx.core.ranges import AtLeast
from gradtx.core.trees import array_type

PyTree = Any


def microbatch_value_and_grad(
    fun: Callable[..., Any],
    microbatches: int,
    *,
    argnums: int | Sequence[int] = 0,
    has_aux: bool = False,
    weight: Callable[..., Any] | None = None,
) -> Callable[..., tuple[Any, Any]]:
    """`jax.value_and_grad` of a mean over a batch, one part after another, with the activations of one part in memory.

    sum_i w_i f(p, x_i) / sum_i w_i, and its gradient, over the parts x_i of the batch; w_i = 1 without `weight`

    The positional arguments that are not in `argnums` are the batch. Every array in them is split along its first axis:
    part i has the examples i, i + microbatches, i + 2 microbatches, ..., so that the parts of a sharded batch are
    sharded alike. Keyword arguments are passed whole. Value and gradients are summed and returned in float32 or wider,
    whatever the dtype of the parameters. Use it inside `jax.jit`; outside, every call compiles anew.

    Args:
      fun: as for `jax.value_and_grad`; it returns the mean over the examples that it is given.
      microbatches: the number of parts, a divisor of the size of the batch.
      argnums: as for `jax.value_and_grad`.
      has_aux: as for `jax.value_and_grad`.
      weight: how much a part counts, `weight(*batch) -> scalar`, where `fun` is a weighted mean: for a mean over tokens
        their number. A part of weight 0 has no effect, even if its gradient is NaN.

    Returns:
      A function like that of `jax.value_and_grad`. Its aux is that of all parts, along a new first axis. If all weights
      are 0, so are the value and the gradients.

    Raises:
      ValueError: when called, if there is no batch, if an array of it cannot be split, or if two have different sizes;
        the message names the array.

    Example:
      >>> import gradtx, jax.numpy as jnp
      >>> loss = lambda w, x, y: jnp.mean((w * x - y) ** 2)
      >>> x, y = jnp.array([1.0, 2.0, 3.0, 4.0]), jnp.array([2.0, 4.0, 6.0, 8.0])
      >>> gradtx.microbatch_value_and_grad(loss, microbatches=2)(1.0, x, y)
      (Array(7.5, dtype=float32), Array(-15., dtype=float32))
    """
    microbatches = AtLeast(1).check("microbatches", microbatches)
    value_and_grad = jax.value_and_grad(fun, argnums, has_aux)

    @functools.wraps(fun)
    def by_parts(*args: Any, **kwargs: Any) -> tuple[Any, PyTree]:
        places = _places(argnums, len(args))
        params = args[places[0]] if isinstance(argnums, int) else tuple(args[i] for i in places)
        batch = {i: x for i, x in enumerate(args) if i not in places}
        split = _split({_name(fun, i): x for i, x in batch.items()}, microbatches)

        def step(sums: PyTree, i: Array) -> tuple[PyTree, tuple[Any, Any]]:
            part = jax.tree.map(lambda x: jax.lax.dynamic_index_in_dim(x, i, axis=1, keepdims=False), split)
            given = dict(zip(batch, part, strict=True))
            out, grads = value_and_grad(*(given.get(place, x) for place, x in enumerate(args)), **kwargs)
            w = None if weight is None else _as_weight(weight(*part))
            return jax.tree.map(lambda total, g: total + _times(w, cast(g, total.dtype)), sums, grads), (out, w)

        sums = jax.tree.map(lambda p: jnp.zeros_like(p, arithmetic_dtype(jnp.result_type(p))), params)
        sums, (out, weights) = jax.lax.scan(step, sums, jnp.arange(microbatches))
        values, aux = out if has_aux else (out, None)
        values = _times(weights, cast(values, arithmetic_dtype(values.dtype)))
        count = microbatches if weights is None else jnp.sum(weights)
        value, grads = jax.tree.map(lambda total: _divided(total, count), (jnp.sum(values), sums))
        return ((value, aux) if has_aux else value), grads

    return by_parts


def _places(argnums: int | Sequence[int], given: int) -> list[int]:
    """The arguments of `argnums`, counted from the front."""
    numbers = [argnums] if isinstance(argnums, int) else list(argnums)
    for i in numbers:
        if not -given <= i < given:
            raise TypeError(
                f"microbatch_value_and_grad: argnums = {argnums}, but {given} arguments were given by position."
            )
    return [i % given for i in numbers]


def _name(fun: Callable[..., Any], i: int) -> str:
    try:
        parameters = inspect.signature(fun).parameters.values()
    except (TypeError, ValueError):  # a function that has no signature
        return f"argument {i}"
    names = [p.name for p in parameters if p.kind in (p.POSITIONAL_ONLY, p.POSITIONAL_OR_KEYWORD)]
    return names[i] if i < len(names) else f"argument {i}"


def _split(batch: dict[str, PyTree], microbatches: int) -> list[PyTree]:
    """The arguments of a batch, with an axis of parts after the axis of examples.

    Raises:
      ValueError: if they are not arrays of one size that can be split.
    """
    found = [
        (name + jax.tree_util.keystr(path), x)
        for name, argument in batch.items()
        for path, x in jax.tree_util.tree_leaves_with_path(argument)
    ]
    if not found:
        raise ValueError("microbatch_value_and_grad: there is no batch; give it by position, as are the parameters.")
    first, size = found[0][0], _size(found[0][1])
    by_keyword = "Pass what is not part of the batch by keyword."
    for name, x in found:
        shown = f"microbatch_value_and_grad: {name} is {f'key{list(x.shape)}' if is_key(x) else array_type(x)}"
        if _size(x) is None:
            raise ValueError(f"{shown}, which has no axis of examples. {by_keyword}")
        if _size(x) != size:
            raise ValueError(f"{shown}, but {first} has {size} examples. {by_keyword}")
        if size % microbatches:
            raise ValueError(f"{shown}, which cannot be split into {microbatches} equal parts; choose a divisor.")
    return jax.tree.map(lambda x: jnp.reshape(x, (-1, microbatches, *x.shape[1:])), list(batch.values()))


def _size(x: Any) -> Any:
    """The number of examples in an array; None if it has no axis of them."""
    shape = getattr(x, "shape", ())
    return shape[0] if shape else None


def _as_weight(w: Any) -> Array:
    if jnp.shape(w) != ():
        raise ValueError(
            f"microbatch_value_and_grad: weight returned {array_type(w)}; expected one number for the part, such as "
            "the sum of its mask."
        )
    return jnp.asarray(w, scalar_dtype())


def _times(w: Array | None, x: Array) -> Array:
    if w is None:
        return x
    w = cast(w, real_dtype(x.dtype))
    return jnp.where(w == 0, 0, w * x)


def _divided(x: Array, count: Any) -> Array:
    return x / cast(jnp.where(count == 0, 1, count), real_dtype(x.dtype))
