"""Functions of a program, compiled once per program, and only for as long as what the program calls is alive."""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterable
from typing import Any

import jax


def per_program(function: Callable[..., Any] | None = None, *, inline: bool = False) -> Any:
    """`function(program, *arguments)`, compiled for each program; `inline` is that of `jax.jit`.

    The caches of `jax.jit` keep what they have compiled for good, which is right for the mathematics of a module. A
    closure may be made anew at every step, and so may a loss that is an extra argument: what is compiled for such a
    function is kept by the function itself, and goes with it.
    """
    if function is None:
        return functools.partial(per_program, inline=inline)
    of_modules = jax.jit(function, static_argnums=0, inline=inline)

    @functools.wraps(function)
    def call(program: Any, *arguments: Any) -> Any:
        owner = program.closure if hasattr(program, "closure") else closure_of([program])
        if owner is None or not hasattr(owner, "__dict__"):
            return of_modules(program, *arguments)
        known = owner.__dict__.setdefault("_gradtx_programs", {})
        key = function.__name__, program
        if key not in known:
            known[key] = jax.jit(functools.partial(function, program), inline=inline)
        return known[key](*arguments)

    return call


def closure_of(parts: Iterable[Any]) -> Any:
    """The first function among `parts` that was made inside another; None if there is none."""
    return next(filter(_is_closure, parts), None)


def _is_closure(x: Any) -> bool:
    return "<locals>" in getattr(x, "__qualname__", "") and hasattr(x, "__dict__")
