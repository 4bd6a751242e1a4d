"""Mathematics that is handed another transformation to run."""

from __future__ import annotations

import inspect
import weakref
from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp

from gradtx.core.chain import as_transformation, chain
from gradtx.core.compiled import closure_of
from gradtx.core.factory import transformation
from gradtx.core.leafwise import stage_of
from gradtx.core.mathematics import Inner, Treewise, is_numeric
from gradtx.core.run import Run, WrapperError
from gradtx.core.transformation import GradientTransformation
from gradtx.core.trees import array_type

PyTree = Any


@transformation
def wrapping(
    inner: GradientTransformation,
    update: Callable[..., tuple[PyTree, Any]],
    init: Callable[[PyTree], Any] | None = None,
    *,
    keeps: type | str | tuple[str, ...] | None = None,
    needs: tuple[str, ...] = (),
    skips: bool = False,
    view: Callable[[PyTree, PyTree], PyTree] | None = None,
    reads: Callable[..., PyTree] | None = None,
    holds: bool = False,
    **hyperparameters: Any,
) -> GradientTransformation:
    """A transformation of a transformation: `update(run, updates, s, params, **hyperparameters) -> (updates, s)`.

    It is treewise mathematics that is also handed `run`, a `gradtx.Run`: `run(updates)` takes one step with `inner` and
    gives its updates; `run.when(condition, updates)` takes it only where the condition is true.

    Wrapping moves no names: `inner` keeps its state where it would without the wrapper, and the wrapper's own stands
    next to it under the wrapper's name, so that a plain run restores into a wrapped one and back. A step that is not
    taken changes nothing in its place, and is not counted there.

    Args:
      inner: the transformation that is wrapped, of arrays into arrays.
      update: a function as for `treewise`, with `run` before its other arguments. What `inner` needs it gets without
        being named here.
      init: as for `treewise`.
      keeps: as for `treewise`.
      needs: as for `treewise`.
      skips: whether `update` calls `run.when`. The steps that are taken are then counted for what is inside.
      view: `view(tree, params)`, what `inner` is to see of a tree like params, such as some of its arrays. `run`
        applies it to updates and params.
      reads: `reads(run, s, params, **hyperparameters) -> params`, the parameters to evaluate with, where those differ
        from the ones to train; there `run(params)` gives those of `inner`.
      holds: whether `update` itself gives zeros and keeps `s` as it was where `run.taken` is false. Otherwise this is
        done for it, with a copy of `s`.
      **hyperparameters: as for `leafwise`. A schedule sees the steps that `inner` has taken.

    Returns:
      A transformation. In a chain it is called what `inner` is called.

    Raises:
      TypeError: if `inner` is not a transformation of arrays into arrays; if `update` does not call `run` once, calls
        `run.when` undeclared, or returns anything else than updates and what it keeps; and in the cases of `treewise`.

    Example:
      >>> import gradtx, jax.numpy as jnp
      >>> @gradtx.transformation
      ... def doubled(inner: gradtx.GradientTransformation):
      ...     return gradtx.wrapping(inner, lambda run, g, s, p: (gradtx.each(lambda u: 2 * u, run(g)), s))
      >>> tx = doubled(gradtx.sgd(0.5))
      >>> tx.update(jnp.array([1.0]), tx.init(jnp.zeros(1)))[0]
      Array([-1.], dtype=float32)
    """
    tx = as_inner(inner, "wrapping: inner")
    within = Inner(tx.mathematics, tx.name, "", skips, view, reads, holds)
    given = update, init, keeps, needs, hyperparameters
    stage: Any = stage_of(Treewise, ("run", "updates", "s", "params"), *given, inner=within)
    if update not in _REHEARSED:
        _rehearse(stage, within)
        if inspect.isfunction(update) and closure_of([update]) is None:
            _REHEARSED.add(update)
    return stage


# Functions at the top of a module, which are rehearsed once.
_REHEARSED: weakref.WeakSet[Any] = weakref.WeakSet()


def _rehearse(stage: Treewise, inner: Inner) -> None:
    """Call the update once on an abstract array, and raise if it is wrong whatever it is given.

    Any other error may be due to that array: it is left to the first update.
    """

    def once(g: PyTree) -> None:
        run = Run("wrapping", inner, lambda updates, held, params, extra: (updates, held, True), None, g, {})
        s = _first(stage, g)
        needed = {need: jnp.zeros((), jnp.int32) for need in stage.needs if need != "params"}
        numbers = {k: jnp.zeros(()) if is_numeric(x) else x for k, x in stage.hyperparameters.items()}
        result = stage.update(run, g, s, g, **numbers, **needed)
        run.check()
        if not (isinstance(result, tuple) and len(result) == 2):
            raise WrapperError(
                f"the update of a wrapper returned {array_type(result)}; expected (updates, what it keeps)."
            )
        found, expected = (str(jax.tree.structure(x)) for x in (result[0], g))
        if found != expected:
            raise WrapperError(f"a wrapper was given updates of the structure {expected}, and returned {found}.")

    try:
        jax.eval_shape(once, {"w": jax.ShapeDtypeStruct((2,), jnp.float32)})
    except WrapperError as error:
        raise TypeError(*error.args) from None
    except Exception:
        return


def _first(stage: Treewise, params: PyTree) -> Any:
    keeps = stage.keeps
    if stage.init is not None:
        return stage.init(params)
    zeros = {name: params if name in stage.alike else jnp.zeros(()) for name in keeps.fields}
    return keeps.pack(zeros, jnp.zeros((), jnp.int32))


def as_inner(inner: Any, what: str) -> GradientTransformation:
    """What a wrapper is given to wrap, a pair from another library included. `what` is what an error calls it.

    Raises:
      TypeError: if it is not a transformation of arrays into arrays; the message says what it is.
    """
    tx = as_transformation(inner, what)
    tx = tx if tx is inner else chain(inner)
    for flowing in (tx.mathematics.takes, tx.mathematics.gives):
        if flowing is not jax.Array:
            raise TypeError(
                f"{what}, {tx.name}, does not take arrays and give arrays, so that what passes by it could "
                f"not flow on with what it gives ({flowing.__name__}). Wrap the chain that it is part of."
            )
    return tx
