"""Wrappers: transformations of transformations."""

from gradtx.wrappers.caution import cautious
from gradtx.wrappers.complex_numbers import split_real_and_imaginary
from gradtx.wrappers.groups import freeze, masked, partition
from gradtx.wrappers.mechanic import mechanize

__all__ = [
    "cautious",
    "freeze",
    "masked",
    "mechanize",
    "partition",
    "split_real_and_imaginary",
]
