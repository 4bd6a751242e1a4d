"""Values as the Python source that makes them, and values compared by what they are."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from gradtx.core.numerics import is_key


class Verbatim(str):
    """Source already, which is its own repr."""

    __slots__ = ()

    def __repr__(self) -> str:
        return str(self)


def source(x: Any) -> str:  # noqa: PLR0911
    """The Python expression that makes a value again, with `jax`, `jnp` and `np` at hand; a function by its name."""
    if isinstance(x, jax.core.Tracer):
        return f"<{x.dtype.name}{list(x.shape)} being traced>"
    if is_key(x):
        words = jax.random.key_data(x).tolist()
        return f"jax.random.wrap_key_data(jnp.array({words}, dtype='uint32'), impl={str(jax.random.key_impl(x))!r})"
    if isinstance(x, jax.Array | np.ndarray):
        module = "jnp" if isinstance(x, jax.Array) else "np"
        entries = np.asarray(x).tolist()
        if x.shape == () and module == "jnp" and hasattr(jnp, x.dtype.name):
            return f"jnp.{x.dtype.name}({entries!r})"
        return f"{module}.array({entries!r}, dtype={x.dtype.name!r})"
    if isinstance(x, tuple) and not hasattr(x, "_fields"):
        return f"({', '.join(map(source, x))}{',' if len(x) == 1 else ''})"
    if isinstance(x, list):
        return f"[{', '.join(map(source, x))}]"
    if isinstance(x, Mapping):
        return "{" + ", ".join(f"{source(key)}: {source(value)}" for key, value in x.items()) + "}"
    if isinstance(x, re.Pattern):  # whose own repr cuts long ones
        flags = x.flags & ~re.UNICODE if isinstance(x.pattern, str) else x.flags
        return f"re.compile({x.pattern!r}{f', {flags}' if flags else ''})"
    if isinstance(x, type) and issubclass(x, np.generic):
        return f"{'np' if hasattr(np, x.__name__) else 'jnp'}.{x.__name__}"
    if hasattr(x, "__name__"):
        return x.__name__ if x.__module__ != "jax.numpy" else f"jnp.{x.__name__}"
    return repr(x)


def call_source(name: str, arguments: Mapping[str, Any]) -> str:
    """`name(argument=value, ...)`."""
    return f"{name}({', '.join(f'{key}={source(value)}' for key, value in arguments.items())})"


def number_key(x: Any) -> Any:
    """A hashable stand-in for a number: equal for equal numbers of one kind, for a tracer only with itself."""
    if isinstance(x, jax.core.Tracer):
        return id(x)
    if is_key(x):
        return x.dtype, x.shape, np.asarray(jax.random.key_data(x)).tobytes()
    if isinstance(x, jax.Array | np.ndarray | np.generic):
        return type(x) is np.ndarray, x.dtype, x.shape, np.asarray(x).tobytes()
    return repr(x) if isinstance(x, float) else id(x)
