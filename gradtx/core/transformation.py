"""A gradient transformation: a pure (init, update) pair that knows the call that made it."""

import functools
import inspect
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from types import MappingProxyType
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np

from gradtx.core import scalars
from gradtx.core.plan import Plan, make_plan
from gradtx.core.primitives import Chain, Primitive, is_number, keeps_state
from gradtx.core.spelling import spell_call, token
from gradtx.core.state import init_state
from gradtx.core.update import update_state

PyTree = Any


class GradientTransformation:
    """A pure pair: `init(params) -> state` and `update(updates, state, params=None, **extra) -> (updates, state)`.

    It is a value, made by a factory such as `gradtx.adam`, and remembers that call:

    - it unpacks as the pair, `init, update = tx`;
    - `repr(tx)` is the call, and evaluating it gives an equal transformation;
    - equal arguments make equal transformations with equal hashes; it can be pickled and copied;
    - it is a pytree whose leaves are its numeric hyperparameters (floats, arrays, and those of its schedules), so it
      can be passed to a jitted function, batched with `jax.vmap`, differentiated with `jax.grad`.

    Attributes:
      name: the name of the factory.
      arguments: what the factory was called with, defaults included.
      stages: the stages by name if it is a chain, else empty.

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

    _factory: "Callable[..., GradientTransformation]"
    _structure: "_Structure"
    _numbers: tuple[Any, ...]

    def __new__(cls, *args: Any, **kwargs: Any) -> "GradientTransformation":
        raise TypeError(
            "a GradientTransformation is made by a factory: call one (gradtx.adam), or write one with "
            "@gradtx.transformation. A pair from elsewhere becomes a stage in gradtx.chain(pair)."
        )

    @cached_property
    def init(self) -> "Init":
        """`init(params) -> state`: the first state, for a pytree of floating arrays of any shapes."""
        return Init(self)

    @cached_property
    def update(self) -> "Update":
        """`update(updates, state, params=None, **extra) -> (updates, state)`: one step."""
        return Update(self)

    @property
    def name(self) -> str:
        return self._structure.factory.__name__

    @property
    def arguments(self) -> Mapping[str, Any]:
        return MappingProxyType(self._structure.fill(self._numbers))

    @property
    def stages(self) -> Mapping[str, "GradientTransformation"]:
        body = self._body
        if isinstance(body, GradientTransformation):
            return body.stages
        return self.arguments if isinstance(body, Chain) else MappingProxyType({})

    def replace(self, **changes: Any) -> "GradientTransformation":
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
        return spell_call(self.name, telling(self._structure.factory, self.arguments))

    @cached_property
    def _key(self) -> tuple[Any, ...]:
        return type(self), self._structure, tuple(map(token, self._numbers))

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, GradientTransformation):
            return NotImplemented
        return self._key == other._key

    def __hash__(self) -> int:
        return hash(self._key)

    def __reduce__(self) -> tuple[Any, ...]:
        return _rebuild, (self._structure.factory, dict(self.arguments))

    @cached_property
    def _body(self) -> "GradientTransformation | Primitive":
        return self._structure.factory.__wrapped__(**self.arguments)  # type: ignore[attr-defined]

    @property
    def _primitive(self) -> Primitive:
        body = self._body
        return body._primitive if isinstance(body, GradientTransformation) else body

    @cached_property
    def _plan(self) -> Plan:
        return make_plan(self._primitive, self.name)


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

    def __mul__(self, other: Any) -> "Schedule":
        return _combine("product", self, other)

    def __rmul__(self, other: Any) -> "Schedule":
        return _combine("product", other, self)

    def __add__(self, other: Any) -> "Schedule":
        return _combine("total", self, other)

    def __radd__(self, other: Any) -> "Schedule":
        return _combine("total", other, self)

    def then(self, other: Any, at: int) -> "Schedule":
        """This schedule up to the step `at`, and from there on another one, which counts its own steps from 0."""
        from gradtx.core.algebra import join

        return join([self, other], [at])

    def __call__(self, step: Any) -> jax.Array:
        """The value at `step`: an int, or an integer array for the values at many steps.

        Raises:
          TypeError: if the schedule keeps a state, so that its value is no function of the step alone; if it is
            given something else than a step.
        """
        if isinstance(step, Mapping):
            raise TypeError(
                f"{self.name} is called with a step, not with a state. Where optax.inject_hyperparams calls it, "
                "pass gradtx.to_optax(schedule), a plain function of the step."
            )
        if keeps_state(self._primitive):
            raise TypeError(
                f"{self.name} is not a function of the step alone, for it keeps a state. Use its init and update, "
                "or pass it as a hyperparameter."
            )
        value, _ = scalars.evaluate(self._primitive, jnp.asarray(step), None, {})
        return jnp.broadcast_to(value, jnp.shape(step))


def _combine(name: str, a: Any, b: Any) -> Any:
    if not all(isinstance(x, int | float | np.number | jax.Array) or callable(x) for x in (a, b)):
        return NotImplemented
    from gradtx.core import algebra  # which is made of schedules: imported when an operator is used

    return getattr(algebra, name)(a, b)


@dataclass(frozen=True)
class Init:
    """The first half of a transformation, equal for equal ones, so that it may be a static argument of `jax.jit`."""

    tx: GradientTransformation

    def __call__(self, params: PyTree = None) -> dict[str, Any]:
        return init_state(self.tx._plan, params)

    def __repr__(self) -> str:
        return f"{self.tx!r}.init"


@dataclass(frozen=True)
class Update:
    """The second half of a transformation, equal for equal ones, so that it may be a static argument of `jax.jit`."""

    tx: GradientTransformation

    def __call__(
        self, updates: PyTree, state: PyTree, params: PyTree = None, **extra: Any
    ) -> tuple[PyTree, dict[str, Any]]:
        return update_state(self.tx._plan, updates, state, params, extra)

    def __repr__(self) -> str:
        return f"{self.tx!r}.update"


def telling(factory: Callable[..., Any], arguments: Mapping[str, Any]) -> dict[str, Any]:
    """The arguments of a call that are worth showing: all numbers, and options that are not at their defaults."""
    parameters = inspect.signature(factory).parameters.values()
    hidden = {p.name: p.default for p in parameters if p.default is not p.empty and not is_number(p.default)}
    return {name: x for name, x in arguments.items() if name not in hidden or is_number(x) or x != hidden[name]}


class _Structure(NamedTuple):
    """All of a call but its numbers: hashable, and equal for calls that differ in numbers only."""

    factory: Callable[..., GradientTransformation]
    names: tuple[str, ...]
    treedef: Any
    options: tuple[tuple[type, Any] | None, ...]  # per leaf of the arguments: None for a number

    def fill(self, numbers: tuple[Any, ...]) -> dict[str, Any]:
        rest = iter(numbers)
        leaves = [next(rest) if option is None else option[1] for option in self.options]
        return dict(zip(self.names, self.treedef.unflatten(leaves), strict=True))


def dissect(factory: Callable[..., Any], arguments: Mapping[str, Any]) -> tuple[_Structure, tuple[Any, ...]]:
    """Take a call apart: its numbers, and all the rest.

    Raises:
      TypeError: if part of the rest has no hash, by which it could be compared.
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


def make(cls: type[GradientTransformation], structure: _Structure, numbers: tuple[Any, ...]) -> GradientTransformation:
    """A transformation out of the two parts of its call; what it does is found out when it is asked for."""
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
        functools.partial(make, _cls),
        lambda tx: (tx._numbers, tx._structure),
    )
