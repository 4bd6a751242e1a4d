"""Optimizers: named chains."""

from gradtx.optimizers.adam import adabelief, adam, adam_l2, adamw, amsgrad, nadam, nadamw
from gradtx.optimizers.adam_relatives import acprop, adan, ademamix, adopt, laprop, mars, simplified_ademamix
from gradtx.optimizers.adam_variants import adam_mini, adamax, adamaxw, radam, stable_adamw, yogi
from gradtx.optimizers.descent import adadelta, adagrad, asgd, noisy_sgd, optimistic_gradient_descent, rmsprop, sgd
from gradtx.optimizers.directions import grams, sophia
from gradtx.optimizers.estimating import dadapt_adamw, momo, momo_adam, prodigy
from gradtx.optimizers.layerwise import adafactor, fromage, lamb, lars, madgrad, novograd, sm3
from gradtx.optimizers.parameter_free import cocob, dog, dowg, polyak_sgd
from gradtx.optimizers.private import dpsgd
from gradtx.optimizers.signs import lion, rprop, sign_sgd, signum

__all__ = [
    "acprop",
    "adabelief",
    "adadelta",
    "adafactor",
    "adagrad",
    "adam",
    "adam_l2",
    "adam_mini",
    "adamax",
    "adamaxw",
    "adamw",
    "adan",
    "ademamix",
    "adopt",
    "amsgrad",
    "asgd",
    "cocob",
    "dadapt_adamw",
    "dog",
    "dowg",
    "dpsgd",
    "fromage",
    "grams",
    "lamb",
    "laprop",
    "lars",
    "lion",
    "madgrad",
    "mars",
    "momo",
    "momo_adam",
    "nadam",
    "nadamw",
    "noisy_sgd",
    "novograd",
    "optimistic_gradient_descent",
    "polyak_sgd",
    "prodigy",
    "radam",
    "rmsprop",
    "rprop",
    "sgd",
    "sign_sgd",
    "signum",
    "simplified_ademamix",
    "sm3",
    "sophia",
    "stable_adamw",
    "yogi",
]
