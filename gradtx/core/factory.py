"""Factories: how a transformation is defined, and the three mathematics that one can be made of."""

import functools
import inspect
from collections.abc import Callable
from typing import Any, ParamSpec, TypeVar, cast

import jax

from gradtx.core.primitives import Leafwise, Stepwise, Treewise, is_schedule
from gradtx.core.spelling import spell_call
from gradtx.core.transformation import GradientTransformation, Schedule, dissect, make, telling

Array = jax.Array
PyTree = Any
P = ParamSpec("P")
T = TypeVar("T", bound=GradientTransformation)

# A number, or a schedule of numbers. A factory's parameter annotated with it also takes an int, for the float, and a
# plain function of the step, for the schedule.
ScalarOrSchedule = float | jax.Array | Schedule | Callable[[Any], Any]


def transformation(factory: Callable[P, T]) -> Callable[P, T]:
    """Make a factory of gradient transformations out of a function that says what one does.

    The function returns what `leafwise`, `treewise`, `stepwise`, `chain` or another factory made. Numbers among its
    arguments (floats and arrays) become leaves of the transformation, ints, strings, bools, functions its structure.
    A parameter annotated `ScalarOrSchedule` takes an int for the float it means, and a function of the step for a
    schedule.

    Args:
      factory: a function of named arguments only; options that are not numbers must be hashable.

    Returns:
      The factory, with the same signature.

    Raises:
      TypeError: if it takes `*args` or positional-only arguments, which a name could not stand for.

    Example:
      >>> import gradtx, jax.numpy as jnp
      >>> @gradtx.transformation
      ... def scale_by_sign_momentum(b: gradtx.ScalarOrSchedule = 0.9):
      ...     def update(g, m, p, b):
      ...         m = b * m + (1 - b) * g
      ...         return jnp.sign(m), m
      ...     return gradtx.leafwise(update, keeps="momentum", b=b)
      >>> scale_by_sign_momentum()
      scale_by_sign_momentum(b=0.9)
    """
    signature = _signature(factory)
    known = (ScalarOrSchedule, ScalarOrSchedule | None)
    numeric = {name for name, p in signature.parameters.items() if p.annotation in known}
    rest = next((name for name, p in signature.parameters.items() if p.kind is p.VAR_KEYWORD), None)

    @functools.wraps(factory)
    def call(*args: P.args, **kwargs: P.kwargs) -> T:
        try:
            bound = signature.bind(*args, **kwargs)
        except TypeError as error:
            raise TypeError(f"{call.__name__}: {error}. It takes {', '.join(signature.parameters)}.") from None
        bound.apply_defaults()
        arguments = dict(bound.arguments)
        arguments.update(arguments.pop(rest, {}) if rest else {})
        for name in numeric:
            arguments[name] = as_numeric(arguments[name])
        try:
            body = factory(**arguments)  # type: ignore[call-arg]
            primitive = body._primitive if isinstance(body, GradientTransformation) else body
            cls = Schedule if is_schedule(primitive) else GradientTransformation
            tx = make(cls, *dissect(call, arguments))
        except (TypeError, ValueError) as error:
            error.add_note(f"while making {spell_call(call.__name__, telling(factory, arguments))}")
            raise
        tx.__dict__["_body"] = body
        return tx  # type: ignore[return-value]

    call.__name__ = factory.__name__.strip("_")
    return call


def _signature(factory: Callable[..., Any]) -> inspect.Signature:
    try:
        signature = inspect.signature(factory, eval_str=True)
    except NameError:  # an annotation that names what is not there yet
        signature = inspect.signature(factory)
    for p in signature.parameters.values():
        if p.kind in (p.VAR_POSITIONAL, p.POSITIONAL_ONLY):
            raise TypeError(
                f"{factory.__name__} takes {p} by position only; a transformation knows its arguments by name: "
                "give it named parameters."
            )
    return signature


def as_numeric(x: Any) -> Any:
    """An int as the float it means, a function of the step as the schedule it is; all else as it is."""
    if isinstance(x, int) and not isinstance(x, bool):
        return float(x)
    if callable(x) and not isinstance(x, GradientTransformation):
        return stepwise(x)
    return x


@transformation
def leafwise(
    update: Callable[..., tuple[Any, Any]],
    init: Callable[[Array], Any] | None = None,
    *,
    keeps: type | str | None = None,
    needs: tuple[str, ...] = (),
    takes: Any = Array,
    gives: Any = Array,
    **hyperparameters: Any,
) -> GradientTransformation:
    """Mathematics of ONE array, lifted to trees: `update(u, s, p, **hyperparameters) -> (u, s)`.

    The library does the rest once for all: trees and `None` leaves, float32 arithmetic, checks that name the path, a
    state that keeps its shape and dtype, one trace per distinct shape, fusion with the leafwise stages beside it.

    Args:
      update: a function of one array `u` (at least float32, any shape), what is kept for it `s`, its parameter `p`
        (None unless needed) and the hyperparameters by name (scalars of the arithmetic's dtype). Returns the new `u`
        of the same shape and the new `s`. Best defined at the top of a module: two transformations made alike share
        their compiled programs if they share this function.
      init: `init(p) -> s`, the first of what is kept for one array, `p` given in at least float32. Zeros of p's shape
        if not said.
      keeps: what is kept: the name of one array, or a NamedTuple class of several; None for nothing.
      needs: what `update` wants beside, by name: "params" (then `p` is given), "index" (as `index=`, the number of
        the array in its tree), or an extra argument of the transformation's `update`, a scalar.
      takes: the type that flows in: arrays, or a NamedTuple that another stage gives, such as `Moments`.
      gives: the type that flows out.
      **hyperparameters: numbers and schedules reach `update` as scalars, all else (ints, strings, bools) as it is.

    Returns:
      A transformation.

    Example:
      >>> import gradtx, jax.numpy as jnp
      >>> shrink = gradtx.leafwise(lambda u, s, p, factor: (factor * u, s), factor=0.5)
      >>> shrink.update(jnp.array([2.0, 4.0]), shrink.init(jnp.zeros(2)))[0]
      Array([1., 2.], dtype=float32)
    """
    return cast(Any, Leafwise(update, init, keeps, needs, _primitives(hyperparameters), takes, gives))


@transformation
def treewise(
    update: Callable[..., tuple[PyTree, Any]],
    init: Callable[[PyTree], Any] | None = None,
    *,
    needs: tuple[str, ...] = (),
    takes: Any = Array,
    **hyperparameters: Any,
) -> GradientTransformation:
    """Mathematics that needs all arrays at once: `update(updates, s, params, **hyperparameters) -> (updates, s)`.

    Args:
      update: a function of the tree of updates (arrays of at least float32; None where a leaf is left alone), what is
        kept `s`, the tree of parameters (None if the caller gave none) and the hyperparameters by name (scalars).
        Returns a tree of the same structure and the new `s`.
      init: `init(params) -> s`, the first of what is kept: a tree of arrays. None keeps nothing.
      needs: "params", or the names of extra arguments of the transformation's `update`, passed on as they are.
      takes: the type that flows in, as for `leafwise`.
      **hyperparameters: as for `leafwise`.

    Returns:
      A transformation.

    Example:
      >>> import gradtx, jax, jax.numpy as jnp
      >>> def by_largest(updates, s, params):
      ...     largest = jnp.max(jnp.stack([jnp.max(jnp.abs(u)) for u in jax.tree.leaves(updates)]))
      ...     return jax.tree.map(lambda u: u / largest, updates), s
      >>> tx = gradtx.treewise(by_largest)
      >>> tx.update({"a": jnp.array([1.0, 4.0]), "b": jnp.array(-2.0)}, tx.init({}))[0]
      {'a': Array([0.25, 1.  ], dtype=float32), 'b': Array(-0.5, dtype=float32)}
    """
    return cast(Any, Treewise(update, init, needs, _primitives(hyperparameters), takes))


@transformation
def stepwise(
    function: Callable[..., Any],
    init: Callable[[], Any] | None = None,
    *,
    needs: tuple[str, ...] = (),
    **hyperparameters: Any,
) -> Schedule:
    """A scalar that follows the step, which is a schedule: `function(step, **hyperparameters) -> scalar`.

    Args:
      function: a function of the step (an integer scalar, 0 at first) and the hyperparameters by name (scalars). With
        `init` it is given what is kept and returns it anew: `function(step, s, **hyperparameters) -> (scalar, s)`.
      init: `init() -> s`, the first of what is kept: a dict or NamedTuple of Python numbers. None keeps nothing.
      needs: names of extra arguments of the transformation's `update` that `function` wants, scalars.
      **hyperparameters: as for `leafwise`.

    Returns:
      A schedule.

    Example:
      >>> import gradtx
      >>> halving = gradtx.stepwise(lambda step, first: first * 0.5**step, first=8.0)
      >>> float(halving(2))
      2.0
    """
    return cast(Any, Stepwise(function, init, needs, _primitives(hyperparameters)))


def _primitives(hyperparameters: dict[str, Any]) -> dict[str, Any]:
    return {name: x._primitive if isinstance(x, Schedule) else x for name, x in hyperparameters.items()}
