"""What is kept for matrices in the stacks in which they are computed, and what part of it belongs to which array."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from functools import partial
from typing import Any, NamedTuple

import jax

from gradtx.core.meshes import gathered

Array = jax.Array


class Member(NamedTuple):
    """An array in a stack: its path, the number of its leaf, its first row, and the axes that its rows have."""

    path: str
    leaf: int
    start: int
    batch: tuple[int, ...]

    @property
    def rows(self) -> slice:
        """Its rows in the stack."""
        return slice(self.start, self.start + math.prod(self.batch))


@jax.tree_util.register_pytree_with_keys_class
@dataclass(frozen=True)
class StackedField:
    """A field of what is kept, in stacks by name, whose rows are whose, and how many axes a row has.

    Before the axis of the rows a stack may have others, of a population.
    """

    stacks: dict[str, Array]
    members: tuple[tuple[str, tuple[Member, ...]], ...]
    ndim: int

    def tree_flatten_with_keys(self) -> tuple[Any, Any]:
        """The stacks with their names."""
        static = tuple(self.stacks), self.members, self.ndim
        return [(jax.tree_util.DictKey(name), x) for name, x in self.stacks.items()], static

    @classmethod
    def tree_unflatten(cls, static: Any, stacks: Any) -> StackedField:
        """The field again."""
        return cls(dict(zip(static[0], stacks, strict=True)), *static[1:])

    @property
    def paths(self) -> list[str]:
        """The paths of the arrays for which something is kept."""
        return [member.path for _, members in self.members for member in members]

    def by_path(self) -> dict[str, Any]:
        """What is kept for each array, by its path: [..., *batch, *field]."""
        found = {}
        for name, members in self.members:
            stack = self.stacks[name]
            for member in members:
                part = partial(self._part, member)
                abstract = isinstance(stack, jax.ShapeDtypeStruct)
                found[member.path] = jax.eval_shape(part, stack) if abstract else part(stack)
        return found

    def replaced(self, new: dict[str, Any]) -> StackedField:
        """The field with what is kept for some arrays, by path, in the place of what was."""
        stacks = dict(self.stacks)
        for name, members in self.members:
            for member in members:
                if member.path in new:
                    x = gathered(stacks[name])
                    rows = new[member.path].reshape(*x.shape[: self._lead(x)], -1, *self._row(x))
                    stacks[name] = x.at[self._index(member, x)].set(rows)
        return replace(self, stacks=stacks)

    def _part(self, member: Member, stack: Array) -> Array:
        x = gathered(stack)
        return x[self._index(member, x)].reshape(*x.shape[: self._lead(x)], *member.batch, *self._row(x))

    def _lead(self, stack: Array) -> int:
        return stack.ndim - self.ndim - 1

    def _row(self, stack: Array) -> tuple[int, ...]:
        return stack.shape[stack.ndim - self.ndim :]

    def _index(self, member: Member, stack: Array) -> tuple[slice, ...]:
        return (*[slice(None)] * self._lead(stack), member.rows)
