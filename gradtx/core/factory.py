"""Factories: functions that make transformations, which remember the call."""

from __future__ import annotations

import functools
import inspect
import typing
from collections.abc import Callable, Iterable, Mapping
from typing import Any, Literal, ParamSpec, TypeVar

import numpy as np

from gradtx.core.mathematics import Mathematics, Stepwise, Varied, is_schedule
from gradtx.core.ranges import OneOf, ScalarOrSchedule
from gradtx.core.source import call_source, source
from gradtx.core.transformation import (
    GradientTransformation,
    Schedule,
    as_mapping,
    from_parts,
    shown_arguments,
    split_numbers,
)

P = ParamSpec("P")
T = TypeVar("T", bound=GradientTransformation)
Check = Callable[[str, Any], Any]


def transformation(factory: Callable[P, T]) -> Callable[P, T]:
    """Make a factory of gradient transformations from a function that says what one does.

    The function returns what `leafwise`, `treewise`, `wrapping`, `stepwise`, `chain` or another factory made. Numbers
    among its arguments (floats and arrays) become leaves of the transformation; ints, strings, bools and functions
    become its structure. What an argument may be is read from its annotation, and checked: a parameter annotated
    `ScalarOrSchedule` takes an int for the float that it means, and a function of the step for the schedule that it is;
    `Fraction`, `NonNegative`, `Positive` and `Finite` are such numbers in a range; `Count` is a whole number, and
    `Literal` a choice of words.

    Args:
      factory: a function of named arguments only; options that are not numbers must be hashable.

    Returns:
      The factory, with the same signature.

    Raises:
      TypeError: if it takes `*args` or positional-only arguments, which a name could not stand for.

    Example:
      >>> import gradtx, jax.numpy as jnp
      >>> @gradtx.transformation
      ... def scale_by_sign_momentum(b: gradtx.Fraction = 0.9):
      ...     def update(g, m, p, b):
      ...         m = b * m + (1 - b) * g
      ...         return jnp.sign(m), m
      ...     return gradtx.leafwise(update, keeps="momentum", b=b)
      >>> scale_by_sign_momentum()
      scale_by_sign_momentum(b=0.9)
    """
    signature = inspect.signature(factory)
    for p in signature.parameters.values():
        if p.kind in (p.VAR_POSITIONAL, p.POSITIONAL_ONLY):
            raise TypeError(
                f"{factory.__name__} takes {p} by position only; a transformation knows its arguments by name: "
                "give it named parameters."
            )
    rest = next((name for name, p in signature.parameters.items() if p.kind is p.VAR_KEYWORD), None)
    checks = functools.cache(lambda: _checks(factory))
    makes_schedules = str(signature.return_annotation).endswith(Schedule.__name__)

    @functools.wraps(factory)
    def call(*args: P.args, **kwargs: P.kwargs) -> T:
        try:
            bound = signature.bind(*args, **kwargs)
        except TypeError as error:
            raise TypeError(f"{call.__name__}: {error}. It takes {', '.join(signature.parameters)}.") from None
        bound.apply_defaults()
        arguments = dict(bound.arguments)
        arguments.update(arguments.pop(rest, {}) if rest else {})
        try:
            for name, check in checks().items():
                arguments[name] = check(name, arguments[name])
            if rest is None and not makes_schedules:
                arguments = {name: introduced(x, f"{call.__name__}/{name}") for name, x in arguments.items()}
            body: Any = factory(**arguments)  # type: ignore[call-arg]
            if not isinstance(body, GradientTransformation | Mathematics):
                raise TypeError(
                    f"{call.__name__} returned {type(body).__name__}, not a transformation: return what leafwise, "
                    "treewise, wrapping, stepwise, chain or another factory made."
                )
            mathematics = body.mathematics if isinstance(body, GradientTransformation) else body
            cls = Schedule if is_schedule(mathematics) else GradientTransformation
            tx: Any = from_parts(cls, *split_numbers(call, arguments))
        except (TypeError, ValueError) as error:
            error.add_note(f"while making {call_source(call.__name__, shown_arguments(factory, arguments))}")
            raise
        tx.__dict__.update(_body=body, arguments=as_mapping(arguments))
        return tx

    call.__name__ = factory.__name__.strip("_")
    return call


def introduced(x: Any, name: str) -> Any:
    """A schedule, and those that it is made of, that is told which argument it is, if it has a `name` that is None.

    Told the same twice it is the same object.
    """
    if not isinstance(x, Schedule):
        return x
    known = x.__dict__.setdefault("_introduced", {})
    if name not in known:
        if x.arguments.get("name", name) is None:
            known[name] = x.replace(name=name)
        else:
            parts = {key: introduced(part, name) for key, part in x.arguments.items() if isinstance(part, Schedule)}
            changed = {key: part for key, part in parts.items() if part is not x.arguments[key]}
            known[name] = x.replace(**changed) if changed else x
    return known[name]


def _checks(factory: Callable[..., Any]) -> Mapping[str, Check]:
    """What each parameter is checked by, from its annotation."""
    try:
        signature = inspect.signature(factory, eval_str=True)
    except NameError:  # an annotation that names what is not there yet
        signature = inspect.signature(factory)
    found = {name: _check(p.annotation) for name, p in signature.parameters.items()}
    return {name: check for name, check in found.items() if check is not None}


def _check(annotation: Any) -> Check | None:
    members = typing.get_args(annotation)
    optional = annotation == ScalarOrSchedule | None or (len(members) == 2 and type(None) in members)
    if optional:
        annotation = ScalarOrSchedule if len(members) > 2 else members[members[0] is type(None)]
        members = typing.get_args(annotation)
    numeric = annotation == ScalarOrSchedule or members[:1] in ((ScalarOrSchedule,), (float,))
    limits = [OneOf(members)] if typing.get_origin(annotation) is Literal else list(members)
    limits = [limit for limit in limits if hasattr(limit, "check")]
    follows = any(getattr(limit, "may_follow", False) for limit in limits)
    if not numeric and not limits:
        return None

    def check(name: str, x: Any) -> Any:
        if x is None and optional:
            return x
        x = as_numeric(x) if numeric or (follows and callable(x)) else x
        for limit in limits:
            x = limit.check(name, x)
        return x

    return check


def as_numeric(x: Any) -> Any:
    """An int as the float that it means, a function of the step as the schedule that it is; all else as it is."""
    if isinstance(x, int | float | np.integer) and not isinstance(x, bool):
        return float(x)
    if callable(x) and not isinstance(x, GradientTransformation):
        return stepwise(x)
    return x


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
        `init` it is also given what is kept, and returns it anew:
        `function(step, s, **hyperparameters) -> (scalar, s)`.
      init: `init() -> s`, what is kept at first: a dict or NamedTuple of Python numbers. None keeps nothing.
      needs: names of extra arguments of the transformation's `update` that `function` is given, scalars; or "age", how
        many updates the stage has seen that the schedule is a hyperparameter of.
      **hyperparameters: as for `leafwise`.

    Returns:
      A schedule.

    Raises:
      TypeError: if `function` cannot be called so, or if `needs` is not a tuple.

    Example:
      >>> import gradtx
      >>> halving = gradtx.stepwise(lambda step, first: first * 0.5**step, first=8.0)
      >>> float(halving(2))
      2.0
    """
    check_function("function", function, ("step", *(["s"] if init else [])), needs, hyperparameters)
    record: Any = Stepwise(function, init, needs, with_schedules(hyperparameters))
    return record


def check_function(
    name: str, function: Any, positional: Iterable[str], needs: Any, hyperparameters: Mapping[str, Any]
) -> None:
    """Check that a function can be called as the engine will call it.

    Raises:
      TypeError: if it cannot; the message says how it is called.
    """
    if isinstance(needs, str) or not isinstance(needs, tuple):
        raise TypeError(f"needs = {needs!r} is not a tuple of names; expected needs=({needs!r},).")
    names = dict.fromkeys([*hyperparameters, *(need for need in needs if need != "params")])
    try:
        inspect.signature(function).bind(*positional, **names)
    except ValueError:  # a function that has no signature
        return
    except TypeError as error:
        arguments = ", ".join([*positional, *(f"{name}=..." for name in names)])
        raise TypeError(
            f"{name} will be called as {name}({arguments}), but {source(function)} does not take that: {error}. Every "
            "keyword argument that is not an option is a hyperparameter, and is passed on to it."
        ) from None


def with_schedules(hyperparameters: Mapping[str, Any]) -> dict[str, Any]:
    """Hyperparameters with the mathematics of schedules in the place of schedules."""

    def mathematics(x: Any) -> Any:
        if isinstance(x, Varied):
            return Varied({label: mathematics(y) for label, y in x.values.items()}, x.labels)
        return x.mathematics if isinstance(x, Schedule) else x

    return {name: mathematics(x) for name, x in hyperparameters.items()}
