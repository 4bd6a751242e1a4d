"""Wrappers: transformations of transformations."""

from gradtx.wrappers.groups import freeze, masked, partition

__all__ = ["freeze", "masked", "partition"]
