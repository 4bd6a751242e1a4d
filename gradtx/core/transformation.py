"""A gradient transformation: a pure (init, update) pair that knows the call that made it."""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from types import MappingProxyType
from typing import Any, NamedTuple, TypeVar

import jax
import jax.numpy as jnp
import numpy as np

from gradtx.core import scalars
from gradtx.core.mathematics import AGE, Chain, Mathematics, Treewise, is_number, keeps_state, needs
from gradtx.core.plan import Plan, make_plan
from gradtx.core.source import Verbatim, call_source, number_key
from gradtx.core.state import init_state
from gradtx.core.update import update_state

PyTree = Any
U = TypeVar("U")
H = TypeVar("H", "Init", "Update")

# What schedules can do that is defined in rooms above, by name: their operators, and their picture in a notebook.
OPERATORS: dict[str, Callable[..., Any]] = {}


class GradientTransformation:
    """A pure pair: `init(params) -> state` and `update(updates, state, params=None, **extra) -> (updates, state)`.

    It is a value, made by a factory such as `gradtx.adam`, and remembers that call:

    - it unpacks as the pair, `init, update = tx`;
    - `repr(tx)` is the call, and evaluating it gives an equal transformation;
    - equal arguments make equal transformations with equal hashes; it can be pickled and copied;
    - it is a pytree whose leaves are its numeric hyperparameters (floats, arrays, and those of its schedules), so it
      can be passed to a jitted function, batched with `jax.vmap`, differentiated with `jax.grad`.

    Attributes:
      factory: the function that made it.
      name: the name of that function.
      arguments: what the factory was called with, defaults included.
      stages: the stages by name if it is a chain, else empty.
      needs: the extra arguments that `update` asks for by name, such as `value`, the loss.
      mathematics: what it is made of, for authors of wrappers: a record of `gradtx.core.mathematics`.
      plan: the same, made ready to run: a record of `gradtx.core.plan`.

    Example:
      >>> import gradtx, jax, jax.numpy as jnp
      >>> tx = gradtx.sgd(learning_rate=0.5)
      >>> tx
      sgd(learning_rate=0.5)
      >>> params = jnp.array([1.0, -2.0])
      >>> state = tx.init(params)
      >>> updates, state = tx.update(2 * params, state, params)
      >>> gradtx.apply_updates(params, updates)
      Array([0., 0.], dtype=float32)
      >>> tx.replace(learning_rate=0.1)
      sgd(learning_rate=0.1)
      >>> jax.tree.leaves(tx)
      [0.5]
    """

    _structure: _Structure
    _numbers: tuple[Any, ...]

    def __new__(cls, *args: Any, **kwargs: Any) -> GradientTransformation:
        raise TypeError(
            "a GradientTransformation is made by a factory: call one (gradtx.adam), or write one with "
            "@gradtx.transformation. A pair from elsewhere becomes a stage in gradtx.chain(pair)."
        )

    @cached_property
    def init(self) -> Init:
        """`init(params) -> state`: the first state, for a pytree of floating arrays of any shapes."""
        return _named(Init(self), "init")

    @cached_property
    def update(self) -> Update:
        """`update(updates, state, params=None, **extra) -> (updates, state)`: one step."""
        return _named(Update(self), "update")

    @property
    def factory(self) -> Callable[..., Any]:
        return self._structure.factory

    @property
    def name(self) -> str:
        return self.factory.__name__

    @cached_property
    def arguments(self) -> Mapping[str, Any]:
        return as_mapping(self._structure.fill(self._numbers))

    @property
    def needs(self) -> tuple[str, ...]:
        return tuple(dict.fromkeys(name for name in needs(self.mathematics) if name != "params"))

    @property
    def stages(self) -> Mapping[str, GradientTransformation]:
        body = self._body
        if isinstance(body, GradientTransformation):
            return body.stages
        in_a_row = isinstance(body, Chain) and all(
            isinstance(x, GradientTransformation) for x in self.arguments.values()
        )
        return self.arguments if in_a_row else MappingProxyType({})

    def replace(self, **changes: Any) -> GradientTransformation:
        """The transformation that the same factory makes of these arguments, and of the present ones for the rest.

        Args:
          **changes: arguments of the factory; for a chain, its stages by name.

        Returns:
          A new transformation.

        Raises:
          TypeError: if the factory has no such argument; the message lists those it has.
        """
        unknown = [name for name in changes if name not in self.arguments]
        if unknown:
            known = ", ".join(self.arguments)
            raise TypeError(f"{self.name} has no argument {unknown[0]!r} to replace; it has: {known}.")
        return self._structure.factory(**{**self.arguments, **changes})

    def __iter__(self) -> Iterator[Any]:
        return iter((self.init, self.update))

    def __repr__(self) -> str:
        # From the inside out and without recursion, for chains may be nested deeper than Python lets calls be.
        calls = [(self, self._shown())]
        for _, arguments in calls:
            calls.extend((x, x._shown()) for x in arguments.values() if isinstance(x, GradientTransformation))
        sources: dict[int, Verbatim] = {}
        for tx, arguments in reversed(calls):
            known = {name: sources.get(id(x), x) for name, x in arguments.items()}
            sources[id(tx)] = Verbatim(call_source(tx.name, known))
        return str(sources[id(self)])

    def _shown(self) -> Mapping[str, Any]:
        return shown_arguments(self._structure.factory, self.arguments)

    @cached_property
    def _key(self) -> tuple[Any, ...]:
        return type(self), self._structure, tuple(map(number_key, self._numbers))

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, GradientTransformation):
            return NotImplemented
        return self._key == other._key

    def __hash__(self) -> int:
        return hash(self._key)

    def __reduce__(self) -> tuple[Any, ...]:
        return _rebuild, (self._structure.factory, dict(self.arguments))

    def __deepcopy__(self, memo: dict[int, Any]) -> GradientTransformation:
        return self  # a value that nothing changes is its own copy

    @cached_property
    def _body(self) -> GradientTransformation | Mathematics:
        return self._structure.factory.__wrapped__(**self.arguments)  # type: ignore[attr-defined]

    @cached_property
    def mathematics(self) -> Mathematics:
        body = self._body
        if not isinstance(body, GradientTransformation):
            return body
        found = body.mathematics
        if isinstance(found, Treewise) and found.inner is not None and not found.inner.wrapper:
            # A wrapper goes by the name of the first factory that returns it.
            return replace(found, inner=found.inner._replace(wrapper=self.name))
        return found

    @cached_property
    def plan(self) -> Plan:
        return make_plan(self.mathematics, self.name)


class Schedule(GradientTransformation):
    """A scalar that follows the step: as a transformation it multiplies updates by its value.

    It can stand wherever a numeric hyperparameter can, be a stage of a chain (schedules in a row multiply), and be
    called as a plain function of the step, counted from 0.

    Example:
      >>> import gradtx
      >>> rate = gradtx.warmup_cosine(peak_value=1.0, warmup_steps=10, decay_steps=100)
      >>> float(rate(5))
      0.5
      >>> gradtx.adam(learning_rate=rate).arguments["learning_rate"] == rate
      True
      >>> float((0.5 * rate).then(0.1, at=20)(5)), float((0.5 * rate).then(0.1, at=20)(30))
      (0.25, 0.10000000149011612)
    """

    # A NumPy number on the left of an operator hands over to the schedule on its right.
    __array_ufunc__ = None

    def __mul__(self, other: Any) -> Schedule:
        return _combine("product", self, other)

    def __rmul__(self, other: Any) -> Schedule:
        return _combine("product", other, self)

    def __add__(self, other: Any) -> Schedule:
        return _combine("total", self, other)

    def __radd__(self, other: Any) -> Schedule:
        return _combine("total", other, self)

    def then(self, other: Any, at: int) -> Schedule:
        """This schedule up to the step `at`, and from there on another one, which counts its own steps from 0."""
        return OPERATORS["join"]([self, other], [at])

    def _repr_html_(self) -> str | None:
        return OPERATORS["_repr_html_"](self) if "_repr_html_" in OPERATORS else None

    def __call__(self, step: Any) -> jax.Array:
        """The value at `step`: an int, or an integer array for the values at many steps; before step 0 the first one.

        Raises:
          TypeError: if the schedule keeps a state, so that its value is no function of the step alone; if it is
            given something else than a step.
        """
        if isinstance(step, Mapping):
            raise TypeError(
                f"{self.name} is called with a step, not with a state. Where optax.inject_hyperparams calls it, "
                "pass gradtx.to_optax(schedule), a plain function of the step."
            )
        if keeps_state(self.mathematics):
            raise TypeError(
                f"{self.name} is not a function of the step alone, for it keeps a state. Use its init and update, "
                "or pass it as a hyperparameter."
            )
        if isinstance(step, int):  # beyond the largest step a schedule holds its value, as the counter does
            step = min(max(step, 0), jnp.iinfo(jnp.result_type(int)).max)
        step = jnp.maximum(jnp.asarray(step), 0)
        value, _ = scalars.evaluate(self.mathematics, step, None, {AGE: step})
        return jnp.broadcast_to(value, jnp.shape(step))


def _combine(name: str, a: Any, b: Any) -> Any:
    if not all(isinstance(x, int | float | np.number | jax.Array) or callable(x) for x in (a, b)):
        return NotImplemented
    return OPERATORS[name](a, b)


@dataclass(frozen=True)
class Init:
    """Make the first state: `init(params) -> state`.

    Args:
      params: pytree of floating arrays of any shapes and dtypes; what is not floating is left alone. Abstract arrays,
        such as `jax.ShapeDtypeStruct`, serve under `jax.eval_shape`. A schedule needs none.

    Returns:
      Nested dicts of arrays, float32 or wider, by the names of stages, with a counter of steps at the top.

    Raises:
      TypeError: if no array in params is floating.
    """

    tx: GradientTransformation

    def __call__(self, params: PyTree = None) -> dict[str, Any]:
        return init_state(self.tx.plan, params)

    def __repr__(self) -> str:
        return f"{self.tx!r}.init"


@dataclass(frozen=True)
class Update:
    """Take one step: `update(updates, state, params=None, **extra) -> (updates, state)`.

    Args:
      updates: pytree of gradients, of the structure and shapes of params; None for an array that is to stay as it is.
      state: what `init` or the last `update` returned.
      params: the parameters before the step, where the transformation needs them.
      **extra: extra arguments that stages ask for by name, such as `value`, the loss. Those that no stage asks for are
        ignored.

    Returns:
      The updates, to be added to params with `gradtx.apply_updates`, in float32 or wider; and the next state.

    Raises:
      TypeError: if params or an extra argument is missing, or if what is given as state is not one.
      ValueError: if structures or shapes differ, or if the state belongs to another transformation.
    """

    tx: GradientTransformation

    def __call__(self, updates: U, state: PyTree, params: PyTree = None, **extra: Any) -> tuple[U, dict[str, Any]]:
        return update_state(self.tx.plan, updates, state, params, extra)

    def __repr__(self) -> str:
        return f"{self.tx!r}.update"


def _named(half: H, name: str) -> H:
    """Half of a pair with the names that a method has, which training loops and profilers ask a function for."""
    half.__dict__.update(__name__=name, __qualname__=f"{half.tx.name}.{name}")
    return half


def as_mapping(arguments: Mapping[str, Any]) -> Mapping[str, Any]:
    """Arguments that nobody can change; the transformations among them are the ones that were given."""
    copy = jax.tree.map(lambda x: x, dict(arguments), is_leaf=lambda x: isinstance(x, GradientTransformation))
    return MappingProxyType({name: copy[name] for name in arguments})


def shown_arguments(factory: Callable[..., Any], arguments: Mapping[str, Any]) -> dict[str, Any]:
    """The arguments of a call that its repr shows: all numbers, and the options that are not at their defaults."""
    parameters = inspect.signature(factory).parameters.values()
    hidden = {p.name: p.default for p in parameters if p.default is not p.empty and not is_number(p.default)}
    return {name: x for name, x in arguments.items() if name not in hidden or is_number(x) or x != hidden[name]}


class _Structure(NamedTuple):
    """A call without its numbers: hashable, and equal for calls that differ in numbers only."""

    factory: Callable[..., GradientTransformation]
    names: tuple[str, ...]
    treedef: Any
    options: tuple[tuple[type, Any] | None, ...]  # per leaf of the arguments: None for a number

    def fill(self, numbers: tuple[Any, ...]) -> dict[str, Any]:
        rest = iter(numbers)
        leaves = [next(rest) if option is None else option[1] for option in self.options]
        return dict(zip(self.names, self.treedef.unflatten(leaves), strict=True))


def split_numbers(factory: Callable[..., Any], arguments: Mapping[str, Any]) -> tuple[_Structure, tuple[Any, ...]]:
    """Split a call into its structure and its numbers.

    Raises:
      TypeError: if part of the structure has no hash, by which it could be compared.
    """
    leaves, treedef = jax.tree.flatten(tuple(arguments.values()))
    options = tuple(None if is_number(x) else (type(x), x) for x in leaves)
    structure = _Structure(factory, tuple(arguments), treedef, options)
    try:
        hash(structure)
    except TypeError as error:
        raise TypeError(
            f"an argument that is not a number must be hashable, so that transformations can be compared: {error}. "
            "Give a tuple, a string or a function instead."
        ) from error
    return structure, tuple(x for x in leaves if is_number(x))


def from_parts(
    cls: type[GradientTransformation], structure: _Structure, numbers: tuple[Any, ...]
) -> GradientTransformation:
    """A transformation from the two parts of its call; its mathematics is made when it is asked for."""
    tx = object.__new__(cls)
    tx._structure, tx._numbers = structure, numbers
    return tx


def _rebuild(factory: Callable[..., GradientTransformation], arguments: dict[str, Any]) -> GradientTransformation:
    return factory(**arguments)


def _keyed(tx: GradientTransformation) -> tuple[list[tuple[Any, Any]], _Structure]:
    filled = tx._structure.fill(tuple(range(len(tx._numbers))))
    with_paths = jax.tree_util.tree_leaves_with_path(tuple(filled.values()))
    numbered = (path for (path, _), option in zip(with_paths, tx._structure.options, strict=True) if option is None)
    names = tuple(filled)
    keys = [jax.tree_util.GetAttrKey(names[path[0].idx] + jax.tree_util.keystr(path[1:])) for path in numbered]
    return list(zip(keys, tx._numbers, strict=True)), tx._structure


for _cls in (GradientTransformation, Schedule):
    jax.tree_util.register_pytree_with_keys(
        _cls,
        _keyed,
        functools.partial(from_parts, _cls),
        lambda tx: (tx._numbers, tx._structure),
    )
