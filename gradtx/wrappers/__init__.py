"""Wrappers: transformations of transformations."""

from gradtx.wrappers.cautious import cautious
from gradtx.wrappers.freeze import freeze
from gradtx.wrappers.masked import masked
from gradtx.wrappers.mechanize import MechanizeState, mechanize
from gradtx.wrappers.partition import partition
from gradtx.wrappers.split_real_and_imaginary import Parts, split_real_and_imaginary
from gradtx.wrappers.with_gradient_sign import with_gradient_sign

__all__ = ["MechanizeState", "Parts", "cautious", "freeze", "masked", "mechanize", "partition"]
__all__ += ["split_real_and_imaginary", "with_gradient_sign"]
