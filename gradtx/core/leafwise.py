"""Mathematics of one array, lifted to trees."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import jax

from gradtx.core.axes import Axes, axes_of
from gradtx.core.factory import check_function, transformation, with_schedules
from gradtx.core.mathematics import AGE, Keeps, Leafwise, is_numeric
from gradtx.core.transformation import GradientTransformation

Array = jax.Array


@transformation
def leafwise(
    update: Callable[..., tuple[Any, Any]],
    init: Callable[[Array], Any] | None = None,
    *,
    keeps: type | str | tuple[str, ...] | None = None,
    needs: tuple[str, ...] = (),
    takes: Any = Array,
    gives: Any = Array,
    axes: Axes | None = None,
    last: bool = False,
    **hyperparameters: Any,
) -> GradientTransformation:
    """Mathematics of ONE array, lifted to trees: `update(u, s, p, **hyperparameters) -> (u, s)`.

    The library does the rest once for all: trees and `None` leaves, float32 arithmetic, checks that name the path, a
    state that keeps its shape and dtype, one trace per distinct shape, and fusion with neighbouring leafwise stages.

    Args:
      update: a function of one array `u` (at least float32, any shape), what is kept for it `s`, its parameter `p`
        (None unless needed) and the hyperparameters by name (scalars of the arithmetic's dtype). Returns the new `u`
        of the same shape and the new `s`. Best defined at the top of a module: two transformations made alike share
        their compiled programs if they share this function.
      init: `init(p) -> s`, what is kept for one array at first, `p` given in at least float32. By default zeros of
        p's shape.
      keeps: what is kept: the name of one array, the names of several in a tuple, or a NamedTuple class of several;
        None for nothing. A field called `age` of the class is how many updates the stage has seen, counted for it.
      needs: what `update` is given in addition, by name: "params" (then `p` is given), "index" (as `index=`, the number
        of the array in its tree), "axes" (as `axes=`, None for an array that has none), "age" (as `age=`), or an extra
        argument of the transformation's `update`, a scalar.
      takes: the type that flows in: arrays, or a NamedTuple that another stage gives, such as `Moments`.
      gives: the type that flows out.
      axes: what the axes of arrays are, as `gradtx.Axes`. `update` and `init` then see one matrix [inputs, outputs] at
        a time, and an array without axes as it is; what is kept has the axes of the batch first. None sees every array
        as it is.
      last: whether it is to be the last stage, for the step that it gives must not be changed: `chain` then refuses one
        after it.
      **hyperparameters: numbers and schedules reach `update` as scalars, everything else (ints, strings, bools) as it
        is.

    Returns:
      A transformation.

    Raises:
      TypeError: if `update` cannot be called so, or if what is kept is not declared as above.

    Example:
      >>> import gradtx, jax.numpy as jnp
      >>> shrink = gradtx.leafwise(lambda u, s, p, factor: (factor * u, s), factor=0.5)
      >>> shrink.update(jnp.array([2.0, 4.0]), shrink.init(jnp.zeros(2)))[0]
      Array([1., 2.], dtype=float32)
    """
    given = update, init, keeps, needs, hyperparameters
    if axes is None and "axes" in needs:
        raise TypeError("update needs axes, but axes= is not given: give it the axes of arrays.")
    seen = None if axes is None else axes_of(axes, "array")
    return stage_of(Leafwise, ("u", "s", "p"), *given, takes=takes, gives=gives, last=last, axes=seen)


def stage_of(
    record: type[Leafwise],
    positional: tuple[str, ...],
    update: Callable[..., Any],
    init: Any,
    keeps: Any,
    needs: tuple[str, ...],
    hyperparameters: Mapping[str, Any],
    **more: Any,
) -> Any:
    """The record of a stage, if its function can be called as it will be, and it says well what it keeps.

    Raises:
      TypeError: if not; the message says what to do.
    """
    check_function("update", update, positional, needs, hyperparameters)
    if keeps is None and init is not None:
        raise TypeError(
            "init makes something to keep, but keeps= does not say what: give it the name of one field, a tuple of "
            "names, or the NamedTuple class that init returns."
        )
    if not (keeps is None or isinstance(keeps, str | tuple) or hasattr(keeps, "_fields")):
        raise TypeError(
            f"keeps = {keeps!r} does not say what is kept; expected the name of one field, a tuple of names, or a "
            "NamedTuple class."
        )
    numbers = with_schedules(hyperparameters)
    stage = record(update, init, Keeps(keeps), needs, numbers, **more)
    both = [name for name in stage.keeps.fields if is_numeric(numbers.get(name))]
    if both:
        raise TypeError(
            f"{both[0]!r} is the name both of what is kept and of a hyperparameter, which may keep a state of its own "
            "there: rename one of them."
        )
    if stage.has_age and AGE not in getattr(keeps, "_fields", (AGE,)):
        raise TypeError(
            f"{keeps.__name__} has no field for the age of the stage, which its update or a hyperparameter asks for: "
            "add one, `age: jax.Array`."
        )
    return stage
