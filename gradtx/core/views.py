"""Arrays as the matrices that are computed: by their axes, with at most as many inputs as outputs, in blocks."""

from __future__ import annotations

from dataclasses import dataclass

import jax
import jax.numpy as jnp

from gradtx.core.axes import AxesOfArray
from gradtx.core.numerics import widen

Array = jax.Array


@dataclass(frozen=True)
class View:
    """How a stage sees matrices: whether it turns those with more inputs than outputs, and the largest block."""

    wide: bool
    block: int | None

    def is_turned(self, axes: AxesOfArray, shape: tuple[int, ...]) -> bool:
        """Whether the matrices of an array of `shape` are turned."""
        m, n = axes.seen(shape)[-2:]
        return self.wide and m > n

    def _seen(self, axes: AxesOfArray, shape: tuple[int, ...]) -> tuple[tuple[int, ...], int, int]:
        """The axes of the batch, and the sides of the whole matrices, turned."""
        *batch, m, n = axes.seen(shape)
        return (tuple(batch), n, m) if self.is_turned(axes, shape) else (tuple(batch), m, n)

    def sides(self, axes: AxesOfArray, shape: tuple[int, ...]) -> tuple[int, int]:
        """The sides of the matrices as they are computed."""
        _, m, n = self._seen(axes, shape)
        return (m, n) if self.block is None else (_side(m, self.block), _side(n, self.block))

    def batch(self, axes: AxesOfArray, shape: tuple[int, ...]) -> tuple[int, ...]:
        """The axes that matrices have, blocks included."""
        batch, m, n = self._seen(axes, shape)
        return batch if self.block is None else (*batch, -(-m // self.block), -(-n // self.block))

    def matrices(self, axes: AxesOfArray, x: Array) -> Array:
        """An array as [*batch, inputs, outputs], turned and in blocks if so declared."""
        turned, x = self.is_turned(axes, x.shape), axes.matrices(x)
        x = x.swapaxes(-1, -2) if turned else x
        return x if self.block is None else _in_blocks(x, self.block)

    def rows(self, axes: AxesOfArray, x: Array) -> Array:
        """The same as [matrices, inputs, outputs], in the dtype in which it is computed."""
        x = self.matrices(axes, widen(x))
        return x.reshape(-1, *x.shape[-2:])

    def array(self, axes: AxesOfArray, x: Array, shape: tuple[int, ...]) -> Array:
        """The inverse of `rows`: an array of `shape`."""
        x = x.reshape(*self.batch(axes, shape), *x.shape[1:])
        if self.block is not None:
            x = _out_of_blocks(x, self._seen(axes, shape)[1:])
        return axes.array(x.swapaxes(-1, -2) if self.is_turned(axes, shape) else x, shape)


def _side(size: int, block: int) -> int:
    """The side of the blocks that a side is cut into, all of one size."""
    return -(-size // -(-size // block)) if size else 0


def _in_blocks(x: Array, block: int) -> Array:
    """Matrices [..., m, n] as [..., p, q, m/p, n/q], none larger than a block; filled up with zeros."""
    *batch, m, n = x.shape
    a, b = _side(m, block), _side(n, block)
    p, q = -(-m // block), -(-n // block)
    x = jnp.pad(x, [(0, 0)] * len(batch) + [(0, p * a - m), (0, q * b - n)])
    return x.reshape(*batch, p, a, q, b).swapaxes(-3, -2)


def _out_of_blocks(x: Array, shape: tuple[int, int]) -> Array:
    *batch, p, q, a, b = x.shape
    return x.swapaxes(-3, -2).reshape(*batch, p * a, q * b)[..., : shape[0], : shape[1]]
