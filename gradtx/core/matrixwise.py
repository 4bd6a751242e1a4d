"""Mathematics of one matrix, run on all matrices of a tree."""

from __future__ import annotations

from collections.abc import Callable
from typing import Annotated, Any, Literal

import jax
import jax.numpy as jnp

from gradtx.core.axes import Axes, axes_of
from gradtx.core.factory import check_function, stepwise, transformation
from gradtx.core.leafwise import stage_of
from gradtx.core.mathematics import AGE, Keeps, Matrixwise, is_numeric
from gradtx.core.ranges import AtLeast, Count, CountOrSchedule, PositiveCount
from gradtx.core.stacks import First, Stacks
from gradtx.core.transformation import GradientTransformation, Schedule
from gradtx.core.views import View

Array = jax.Array


@transformation
def matrixwise(
    update: Callable[..., tuple[Array, Any]],
    init: Callable[[Array], Any] | None = None,
    *,
    keeps: type | str | tuple[str, ...] | None = None,
    axes: Axes | None = None,
    needs: tuple[str, ...] = (),
    refresh: Callable[..., Any] | None = None,
    begin: Callable[..., Any] | None = None,
    every: CountOrSchedule = 1,
    after: Count = 0,
    stagger: bool = True,
    wide: bool = False,
    block: Annotated[int, AtLeast(1)] | None = None,
    stack: bool | None = None,
    chunk: PositiveCount | None = None,
    spread: str | tuple[str, ...] | None = None,
    state: Literal["array", "stack"] = "array",
    **hyperparameters: Any,
) -> GradientTransformation:
    """Mathematics of ONE matrix [inputs, outputs], run on all: `update(u, s, p, **hyperparameters) -> (u, s)`.

    Arrays are seen as matrices by their axes, and matrices of one shape may be computed in one stack, whatever arrays
    they come from. What is kept stands at the path of its array, with the axes of the batch first. An array that is not
    a matrix passes unchanged, and has no state.

    Args:
      update: a function of one matrix, as for `leafwise`.
      init: `init(p) -> s`, what is kept for one matrix at first. By default zeros of its shape.
      keeps: what is kept, as for `leafwise`.
      axes: what the axes of arrays are, as `gradtx.Axes`. By default two axes are "i o", and four "i i i o".
      needs: "params", "age", "index" (the number of the matrix in its tree), or an extra argument of `update`.
      refresh: `refresh(u, s, p, **hyperparameters) -> s`, what is done before the update at every `every`-th step, such
        as a decomposition.
      begin: the same for the first step only.
      every: how many steps lie between two refreshes of a matrix: a number, or a schedule of such, by which all
        matrices are refreshed at once.
      after: the first step at which any are refreshed.
      stagger: refresh a share of the equal matrices at each step, so that all steps take about the same time; False
        refreshes all at once.
      wide: turn matrices with more inputs than outputs, so that `update` sees at most as many inputs as outputs, and
        more matrices share a shape.
      block: the largest side; larger matrices are cut into blocks, filled up with zeros.
      stack: compute equal matrices in one stack; by default everywhere but on a CPU, where that is slower.
      chunk: how many matrices of a stack are computed at a time; all by default.
      spread: the mesh axes over whose devices stacks are spread, so that each matrix is computed on one of them.
      state: where what is kept stands: at the path of its array, or for good in the stack and on the device where it is
        used. `flat_state` and `restore_state` use the same names either way.
      **hyperparameters: as for `leafwise`.

    Returns:
      A transformation.

    Raises:
      TypeError: if `update`, `refresh` or `begin` cannot be called so, or if what is kept is not declared as above.

    Example:
      >>> import gradtx, jax.numpy as jnp
      >>> by_spectrum = gradtx.matrixwise(lambda u, s, p: (u / jnp.linalg.norm(u, 2), s))
      >>> tree = {"kernel": jnp.diag(jnp.array([4.0, 2.0])), "bias": jnp.ones(2)}
      >>> by_spectrum.update(tree, by_spectrum.init(tree))[0]["kernel"]
      Array([[1. , 0. ],
             [0. , 0.5]], dtype=float32)
    """
    for name, function in (("refresh", refresh), ("begin", begin)):
        if function is not None:
            if keeps is None:
                raise TypeError(f"{name} makes what is kept anew, but keeps= does not say what is kept.")
            check_function(name, function, ("u", "s", "p"), needs, hyperparameters)
    if refresh is None and (every != 1 or after):
        raise TypeError("every and after say when refresh is called, but there is no refresh.")
    timed = refresh is not None or begin is not None
    options = tuple((name, type(x), x) for name, x in hyperparameters.items() if not _varies(x))
    try:
        hash(options)
    except TypeError as error:
        raise TypeError(f"an option must be hashable, so that programs can be compared: {error}.") from None
    stacks = Stacks(
        update, init, Keeps(keeps), axes_of(axes), needs, refresh, begin, every if isinstance(every, int) else 1, after,
        stagger and isinstance(every, int), View(wide, block), stack,
        chunk, (spread,) if isinstance(spread, str) else spread, state, options,
    )  # fmt: skip
    check_function("update", update, ("u", "s", "p"), needs, hyperparameters)
    hyperparameters = {name: x for name, x in hyperparameters.items() if _varies(x)}
    if not isinstance(every, int):
        hyperparameters["due"] = stepwise(_due, _no_steps, needs=(AGE,), interval=every)
    asked = (*(need for need in needs if need not in ("index", AGE)), *((AGE,) if timed or AGE in needs else ()))
    first = None if keeps is None and init is None else First(stacks)
    return stage_of(
        Matrixwise, ("updates", "s", "params"), stacks, first, keeps, asked, hyperparameters, axes=stacks.axes
    )


def _varies(x: Any) -> bool:
    return isinstance(x, Schedule) or is_numeric(x)


def _no_steps() -> dict[str, int]:
    return {"since": 0}


def _due(step: Array, s: dict[str, Array], age: Array, interval: Array) -> tuple[Array, dict[str, Array]]:
    """1 if the interval has gone by since the last refresh, and at first; else 0. And the steps since then."""
    since = s["since"] + 1
    due = (since >= interval) | (age == 0)
    return jnp.where(due, 1.0, 0.0), {"since": jnp.where(due, 0, since)}
