"""Optimizers: named chains."""

from gradtx.optimizers.adam import adabelief, adam, adam_l2, adamw, amsgrad, nadam
from gradtx.optimizers.descent import adagrad, rmsprop, sgd

__all__ = ["adabelief", "adagrad", "adam", "adam_l2", "adamw", "amsgrad", "nadam", "rmsprop", "sgd"]
