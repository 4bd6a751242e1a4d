"""Which array goes where in a transformation."""

from __future__ import annotations

from typing import Any, NamedTuple

import jax

from gradtx.core import GradientTransformation
from gradtx.core.mathematics import Matrixwise, Varied, inner_of
from gradtx.core.numerics import is_floating
from gradtx.core.patterns import paths_of
from gradtx.core.plan import Placed, Plan
from gradtx.core.state import Held, open_state
from gradtx.core.trees import array_type, flatten
from gradtx.describe import Table, abstract, in_bytes, size_of

PyTree = Any


class Row(NamedTuple):
    """One array: its path and type, where it goes, by what its numbers differ, and the bytes of its state.

    Where a stage sees it as matrices: the words of its axes, and the stack that these may be computed in.
    """

    path: str
    array: str
    goes_to: tuple[str, ...]
    differs: tuple[str, ...]
    state: int
    axes: tuple[str, ...] = ()
    stack: str = ""


def explain(tx: GradientTransformation, params: PyTree) -> Table[Row]:
    """Say which array goes where: the groups and masks that let it in, what gives it other numbers, and its state.

    Args:
      tx: the transformation.
      params: pytree of arrays, or of `jax.ShapeDtypeStruct`, which take no memory.

    Returns:
      A table that prints itself, with a `Row` for each array in its `rows`.

    Raises:
      ValueError: if labels, masks or patterns do not fit params; the message names the place.

    Example:
      >>> import gradtx, jax.numpy as jnp
      >>> params = {"kernel": jnp.zeros((2, 2)), "bias": jnp.zeros(2)}
      >>> tx = gradtx.groups({"*/bias": gradtx.sgd(0.1), "**": gradtx.adamw(1e-3, where=gradtx.ndim(2))})
      >>> gradtx.explain(tx, params)
      array   type          goes to  differs by  state
      bias    float32[2]    *.bias               0 B
      kernel  float32[2,2]  **       where       32 B
      2 arrays, 24 B, with a state of 40 B
      >>> params = {"qkv": jnp.zeros((2, 6)), "out": jnp.zeros((2, 2)), "bias": jnp.zeros(2)}
      >>> gradtx.explain(gradtx.muon(0.02, others=gradtx.adamw(3e-4), axes={"qkv": "i 3o"}), params)
      array  type          goes to   differs by  axes  stack  state
      bias   float32[2]    others                             16 B
      out    float32[2,2]  matrices              i o   2x2    16 B
      qkv    float32[2,6]  matrices              i 3o  2x2    48 B
      3 arrays, 72 B, with a state of 88 B
    """
    plan = tx.plan
    shapes = abstract(params)
    state = jax.eval_shape(tx.init, shapes)
    leaves, treedef = flatten(shapes)
    found = [_Found() for _ in leaves]
    _look(plan, open_state(plan, state), shapes, treedef, found)
    rows = [
        Row(
            path,
            array_type(x),
            tuple(one.goes_to),
            tuple(dict.fromkeys(one.differs)),
            one.state,
            tuple(dict.fromkeys(one.axes)),
            one.stack,
        )
        for path, x, one in zip(paths_of(shapes), leaves, found, strict=True)
        if is_floating(x)
    ]
    size = size_of([x for x in leaves if is_floating(x)])
    seen = [(", ".join(row.axes), row.stack) for row in rows] if any(row.axes for row in rows) else [()] * len(rows)
    cells = [
        (row.path, row.array, ", ".join(row.goes_to), ", ".join(row.differs), *one, in_bytes(row.state))
        for row, one in zip(rows, seen, strict=True)
    ]
    heads = ("array", "type", "goes to", "differs by", *(("axes", "stack") if any(seen) else ()), "state")
    total = f"{len(rows)} arrays, {in_bytes(size)}, with a state of {in_bytes(size_of(state))}"
    return Table(heads, tuple(cells), total, tuple(rows))


class _Found:
    """What is known of one array."""

    def __init__(self) -> None:
        self.goes_to: list[str] = []
        self.differs: list[str] = []
        self.axes: list[str] = []
        self.stack, self.state = "", 0


def _look(plan: Plan, held: Held, params: PyTree, treedef: Any, found: list[_Found]) -> None:
    """Note what the stages of a plan do with each array that they see."""
    for stage in plan.stages:
        for x in stage.mathematics.hyperparameters.values():
            if isinstance(x, Varied):
                _note(x, params, plan.name, treedef, found)
        for name in stage.mathematics.alike:
            for one, part in zip(found, treedef.flatten_up_to(held[stage.kept[name]]), strict=True):
                one.state += size_of(part)
        if stage.mathematics.axes is not None:
            _note_axes(stage, held, params, found)
        inner = inner_of(stage.mathematics)
        if inner is not None:
            view = params if inner.view is None else jax.eval_shape(inner.view, params, params)
            if inner.view is not None:
                called = "/".join(stage.path[:-1]) or inner.name
                for one, x in zip(found, treedef.flatten_up_to(view), strict=True):
                    if x is not None and is_floating(jax.tree.leaves(x)[0]):
                        one.goes_to.append(called)
            _look(plan.inner[stage.path], held, view, treedef, found)


def _note_axes(stage: Placed, held: Held, params: PyTree, found: list[_Found]) -> None:
    """Note by which axes a stage sees each array, in which stack, and what is kept for it there."""
    mathematics = stage.mathematics
    for one, axes in zip(found, mathematics.axes(params), strict=True):
        one.axes += [] if axes is None else [repr(axes)]
    if isinstance(mathematics, Matrixwise):
        for leaf, name in mathematics.update.names(params).items():
            found[leaf].stack = name
        for name in mathematics.own:
            field = held[stage.kept[name]]
            kept = field.by_path()
            for _, members in field.members:
                for member in members:
                    found[member.leaf].state += size_of(kept[member.path])


def _note(varied: Varied, params: PyTree, name: str, treedef: Any, found: list[_Found]) -> None:
    """Note which label of a hyperparameter that varies an array has, unless that is the label of all others."""
    labels = treedef.flatten_up_to(flatten(params)[1].unflatten(varied.labels(params, name)))
    for one, label in zip(found, labels, strict=True):
        if label not in ("", False, None):
            one.differs.append(getattr(varied.labels, "source", "") + ("" if label is True else f" {label}"))
    for value in varied.values.values():
        if isinstance(value, Varied):
            _note(value, params, name, treedef, found)
