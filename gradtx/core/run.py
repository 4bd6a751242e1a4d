"""What a wrapper is handed: a way to take one step with the transformation that it wraps."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import jax
import jax.numpy as jnp

from gradtx.core.each import each
from gradtx.core.mathematics import Inner
from gradtx.core.numerics import cast, is_floating
from gradtx.core.trees import flatten

PyTree = Any
# One step inside: from updates, what is held, params and extra arguments to updates, what is held next, and whether
# the step was taken.
Step = Callable[[PyTree, Any, PyTree, Mapping[str, Any]], tuple[PyTree, Any, Any]]


class WrapperError(TypeError):
    """What is wrong in the update of a wrapper whatever it is given."""


class Run:
    """One step of the transformation that a wrapper wraps, for the wrapper to take: `run(updates) -> updates`.

    The state inside is not the wrapper's business.

    Attributes:
      extra: the extra arguments that `update` was given. Inside they are the same unless `run` is given others.
      taken: whether the step was taken: True, unless it was run under a condition, or what is wrapped was. A wrapper
        whose own step counts as taken whatever happened inside sets it to True.
    """

    def __init__(self, stage: str, inner: Inner, step: Step, held: Any, params: PyTree, extra: Mapping[str, Any]):
        self._stage, self._inner, self._step, self._params = stage, inner, step, params
        self.held, self.extra = held, extra
        self.taken: Any = True
        self.calls = 0

    def __call__(self, updates: PyTree, params: PyTree = None, **extra: Any) -> PyTree:
        """The updates that the inner transformation makes of these.

        Args:
          updates: pytree like the wrapper's own updates; the inner transformation is given its view of it.
          params: other parameters than the wrapper's own, of which the inner transformation is given its view.
          **extra: extra arguments in the place of those that the wrapper was given, as they are.

        Returns:
          The new updates, of the structure of what the inner transformation was given.
        """
        result, self.held, self.taken = self._step(*self._seen(updates, params), extra)
        return result

    def when(
        self, condition: Any, updates: PyTree, params: PyTree = None, *, passing: bool = False, **extra: Any
    ) -> PyTree:
        """The same where `condition` is true. Otherwise nothing inside changes, and time stands still there.

        Args:
          condition: a bool, or a traced scalar, under which the step is computed at all.
          updates: as for a call.
          params: as for a call.
          passing: what the updates are where the condition is false: zeros; or, if True, what was given, which takes no
            memory besides.
          **extra: as for a call.

        Returns:
          The new updates.

        Raises:
          TypeError: if the wrapper has not declared that it skips steps.
        """
        if not self._inner.skips:
            raise WrapperError(
                f"{self._stage}: run.when may leave a step out; declare it, with wrapping(..., skips=True)."
            )
        updates, held, params = self._seen(updates, params)
        updates = _as_wide(updates, params)
        result, self.held, self.taken = self._maybe(condition, updates, held, params, extra)
        return result if passing or self.taken is True else each(only_if, result, taken=self.taken)

    def check(self) -> None:
        """Raise unless the step was run once."""
        if self.calls != 1:
            raise WrapperError(
                f"the update of the wrapper {self._stage!r} calls run {self.calls} times; expected once. To leave the "
                "step out, call run.when(condition, updates)."
            )

    def _seen(self, updates: PyTree, params: PyTree) -> tuple[PyTree, Any, PyTree]:
        self.calls += 1
        params, view = self._params if params is None else params, self._inner.view
        if view is None:
            return updates, self.held, params
        like = updates if params is None else params
        return view(updates, like), self.held, None if params is None else view(params, params)

    def _maybe(
        self, condition: Any, updates: PyTree, held: Any, params: PyTree, extra: Mapping[str, Any]
    ) -> tuple[PyTree, Any, Any]:
        if not isinstance(condition, jax.core.Tracer):
            return self._step(updates, held, params, extra) if condition else (updates, held, False)
        deeper: list[Any] = []

        def take(updates: PyTree, held: Any) -> tuple[PyTree, Any, Any]:
            result, held, taken = self._step(updates, held, params, extra)
            deeper.append(taken)
            return result, held, jnp.asarray(taken)

        def leave(updates: PyTree, held: Any) -> tuple[PyTree, Any, Any]:
            return updates, held, jnp.asarray(False)

        result, held, taken = jax.lax.cond(condition, take, leave, updates, held)
        # Where the step inside is always taken, the condition itself says so, and nothing is computed twice.
        return result, held, condition if deeper[0] is True else taken


def _as_wide(updates: PyTree, params: PyTree) -> PyTree:
    """Updates as wide as their parameters, as they will be after a step: both branches must give the same dtypes."""
    if params is None:
        return updates
    us, treedef = flatten(updates)
    pairs = zip(us, treedef.flatten_up_to(params), strict=True)
    return treedef.unflatten(
        [cast(u, jnp.result_type(u, p)) if is_floating(u) and is_floating(p) else u for u, p in pairs]
    )


def only_if(u: jax.Array, taken: Any) -> jax.Array:
    """An update, or zero where the step was not taken."""
    return jnp.where(taken, u, 0)
