"""Optimizers: named chains, one file per method with its state and its stages."""

from gradtx.optimizers.acprop import acprop, scale_by_acprop
from gradtx.optimizers.adabelief import adabelief, scale_by_belief, track_belief
from gradtx.optimizers.adadelta import AdadeltaState, adadelta, scale_by_adadelta
from gradtx.optimizers.adafactor import AdafactorState, adafactor, scale_by_factored_rms
from gradtx.optimizers.adagrad import adagrad, scale_by_rss
from gradtx.optimizers.adam import adam, adam_l2, adamw, scale_by_adam
from gradtx.optimizers.adam_mini import adam_mini, track_mini_moments
from gradtx.optimizers.adamax import adamax, adamaxw, scale_by_adamax
from gradtx.optimizers.adan import AdanState, adan, scale_by_adan
from gradtx.optimizers.ademamix import AdemamixState, ademamix, scale_by_ademamix
from gradtx.optimizers.adopt import adopt, scale_by_adopt
from gradtx.optimizers.amsgrad import amsgrad, scale_by_amsgrad, track_maximum
from gradtx.optimizers.asgd import asgd
from gradtx.optimizers.cocob import CocobState, cocob, scale_by_cocob
from gradtx.optimizers.conjugate_gradient import (
    ConjugateGradientState,
    conjugate_gradient,
    scale_by_conjugate_gradient,
)
from gradtx.optimizers.dadapt_adamw import dadapt_adamw, scale_by_dadapt
from gradtx.optimizers.dog import DogState, dog, scale_by_dog
from gradtx.optimizers.dowg import dowg, scale_by_dowg
from gradtx.optimizers.dpsgd import dpsgd
from gradtx.optimizers.fromage import fromage
from gradtx.optimizers.grams import grams
from gradtx.optimizers.lamb import lamb
from gradtx.optimizers.laprop import laprop
from gradtx.optimizers.lars import lars
from gradtx.optimizers.lbfgs import LbfgsState, lbfgs, scale_by_lbfgs
from gradtx.optimizers.levenberg_marquardt import LevenbergMarquardtState, levenberg_marquardt
from gradtx.optimizers.lion import lion, scale_by_lion
from gradtx.optimizers.madgrad import MadgradState, madgrad, scale_by_madgrad
from gradtx.optimizers.mars import mars, reduce_variance
from gradtx.optimizers.momo import MomoState, momo, scale_by_momo
from gradtx.optimizers.momo_adam import MomoAdamState, momo_adam, scale_by_momo_adam
from gradtx.optimizers.nadam import nadam, nadamw
from gradtx.optimizers.noisy_sgd import noisy_sgd
from gradtx.optimizers.novograd import novograd, scale_by_novograd
from gradtx.optimizers.optimistic_gradient_descent import optimistic_gradient_descent, scale_by_optimistic_gradient
from gradtx.optimizers.polyak_sgd import polyak_sgd, scale_by_polyak
from gradtx.optimizers.prodigy import ProdigyState, prodigy, scale_by_prodigy
from gradtx.optimizers.radam import radam, scale_by_radam, scale_by_rectified_moments
from gradtx.optimizers.rmsprop import rmsprop
from gradtx.optimizers.rprop import RpropState, rprop, scale_by_rprop
from gradtx.optimizers.schedule_free_adamw import schedule_free_adamw
from gradtx.optimizers.schedule_free_sgd import schedule_free_sgd
from gradtx.optimizers.sgd import sgd
from gradtx.optimizers.sign_sgd import sign_sgd
from gradtx.optimizers.signum import signum
from gradtx.optimizers.simplified_ademamix import scale_by_simplified_ademamix, simplified_ademamix
from gradtx.optimizers.sm3 import Sm3State, scale_by_sm3, sm3
from gradtx.optimizers.sophia import SophiaState, scale_by_sophia, sophia
from gradtx.optimizers.stable_adamw import stable_adamw, track_stable_moments
from gradtx.optimizers.yogi import scale_by_yogi, track_yogi, yogi

__all__ = ["AdadeltaState", "AdafactorState", "AdanState", "AdemamixState", "CocobState", "DogState", "MadgradState"]
__all__ += ["MomoAdamState", "MomoState", "ProdigyState", "RpropState", "Sm3State", "SophiaState", "acprop"]
__all__ += ["adabelief", "adadelta", "adafactor", "adagrad", "adam", "adam_l2", "adam_mini", "adamax", "adamaxw"]
__all__ += ["adamw", "adan", "ademamix", "adopt", "amsgrad", "asgd", "cocob", "dadapt_adamw", "dog", "dowg", "dpsgd"]
__all__ += ["fromage", "grams", "lamb", "laprop", "lars", "lion", "madgrad", "mars", "momo", "momo_adam", "nadam"]
__all__ += ["nadamw", "noisy_sgd", "novograd", "optimistic_gradient_descent", "polyak_sgd", "prodigy", "radam"]
__all__ += ["reduce_variance", "rmsprop", "rprop", "scale_by_acprop", "scale_by_adadelta", "scale_by_adam"]
__all__ += ["scale_by_adamax", "scale_by_adan", "scale_by_ademamix", "scale_by_adopt", "scale_by_amsgrad"]
__all__ += ["scale_by_belief", "scale_by_cocob", "scale_by_dadapt", "scale_by_dog", "scale_by_dowg"]
__all__ += ["scale_by_factored_rms", "scale_by_lion", "scale_by_madgrad", "scale_by_momo", "scale_by_momo_adam"]
__all__ += ["scale_by_novograd", "scale_by_optimistic_gradient", "scale_by_polyak", "scale_by_prodigy"]
__all__ += ["scale_by_radam", "scale_by_rectified_moments", "scale_by_rprop", "scale_by_rss"]
__all__ += [
    "scale_by_simplified_ademamix",
    "scale_by_sm3",
    "scale_by_sophia",
    "scale_by_yogi",
    "schedule_free_adamw",
    "schedule_free_sgd",
]
__all__ += [
    "sgd",
    "sign_sgd",
    "signum",
    "simplified_ademamix",
    "sm3",
    "sophia",
    "stable_adamw",
    "track_belief",
    "track_maximum",
]
__all__ += ["ConjugateGradientState", "LbfgsState", "LevenbergMarquardtState", "conjugate_gradient", "lbfgs"]
__all__ += ["levenberg_marquardt", "scale_by_conjugate_gradient", "scale_by_lbfgs"]
__all__ += ["track_mini_moments", "track_stable_moments", "track_yogi", "yogi"]
