"""Optimizers: named chains, one file per method with its state and its stages."""

from gradtx.optimizers.acprop import acprop, scale_by_acprop
from gradtx.optimizers.adabelief import adabelief, scale_by_belief, track_belief
from gradtx.optimizers.adadelta import AdadeltaState, adadelta, scale_by_adadelta
from gradtx.optimizers.adafactor import AdafactorState, adafactor, scale_by_factored_rms
from gradtx.optimizers.adagrad import adagrad, scale_by_rss
from gradtx.optimizers.adam import adam, adam_l2, adamw, scale_by_adam
from gradtx.optimizers.adam_mini import adam_mini, track_mini_moments
from gradtx.optimizers.adamax import adamax, adamaxw, scale_by_adamax
from gradtx.optimizers.adamuon import adamuon, normalize_matrices
from gradtx.optimizers.adan import AdanState, adan, scale_by_adan
from gradtx.optimizers.ademamix import AdemamixState, ademamix, scale_by_ademamix
from gradtx.optimizers.adopt import adopt, scale_by_adopt
from gradtx.optimizers.amsgrad import amsgrad, scale_by_amsgrad, track_maximum
from gradtx.optimizers.apollo import ApolloState, apollo, apollo_mini, scale_by_apollo
from gradtx.optimizers.asgd import asgd
from gradtx.optimizers.cocob import CocobState, cocob, scale_by_cocob
from gradtx.optimizers.conjugate_gradient import (
    ConjugateGradientState,
    conjugate_gradient,
    scale_by_conjugate_gradient,
)
from gradtx.optimizers.dadapt_adamw import dadapt_adamw, scale_by_dadapt
from gradtx.optimizers.dion import DionState, dion, scale_by_dion
from gradtx.optimizers.dog import DogState, dog, scale_by_dog
from gradtx.optimizers.dowg import dowg, scale_by_dowg
from gradtx.optimizers.dpsgd import dpsgd
from gradtx.optimizers.fromage import fromage
from gradtx.optimizers.galore import GaloreState, galore, scale_by_galore
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
from gradtx.optimizers.muon import muon
from gradtx.optimizers.nadam import nadam, nadamw
from gradtx.optimizers.noisy_sgd import noisy_sgd
from gradtx.optimizers.normuon import normalize_neurons, normuon
from gradtx.optimizers.novograd import novograd, scale_by_novograd
from gradtx.optimizers.optimistic_gradient_descent import optimistic_gradient_descent, scale_by_optimistic_gradient
from gradtx.optimizers.polyak_sgd import polyak_sgd, scale_by_polyak
from gradtx.optimizers.prodigy import ProdigyState, prodigy, scale_by_prodigy
from gradtx.optimizers.psgd_kron import KronState, kron_interval, psgd_kron, scale_by_kron
from gradtx.optimizers.radam import radam, scale_by_radam, scale_by_rectified_moments
from gradtx.optimizers.rmsprop import rmsprop
from gradtx.optimizers.rprop import RpropState, rprop, scale_by_rprop
from gradtx.optimizers.schedule_free_adamw import schedule_free_adamw
from gradtx.optimizers.schedule_free_sgd import schedule_free_sgd
from gradtx.optimizers.scion import scion
from gradtx.optimizers.sgd import sgd
from gradtx.optimizers.shampoo import ShampooState, scale_by_shampoo, shampoo
from gradtx.optimizers.sign_sgd import sign_sgd
from gradtx.optimizers.signum import signum
from gradtx.optimizers.simplified_ademamix import scale_by_simplified_ademamix, simplified_ademamix
from gradtx.optimizers.sm3 import Sm3State, scale_by_sm3, sm3
from gradtx.optimizers.soap import SoapState, scale_by_soap, soap
from gradtx.optimizers.sophia import SophiaState, scale_by_sophia, sophia
from gradtx.optimizers.stable_adamw import stable_adamw, track_stable_moments
from gradtx.optimizers.yogi import scale_by_yogi, track_yogi, yogi

__all__ = ["AdadeltaState", "AdafactorState", "AdanState", "AdemamixState", "ApolloState", "CocobState"]
__all__ += ["ConjugateGradientState", "DionState", "DogState", "GaloreState", "KronState", "LbfgsState"]
__all__ += ["LevenbergMarquardtState", "MadgradState", "MomoAdamState", "MomoState", "ProdigyState"]
__all__ += ["RpropState", "ShampooState", "Sm3State", "SoapState", "SophiaState", "acprop", "adabelief"]
__all__ += ["adadelta", "adafactor", "adagrad", "adam", "adam_l2", "adam_mini", "adamax", "adamaxw"]
__all__ += ["adamuon", "adamw", "adan", "ademamix", "adopt", "amsgrad", "apollo", "apollo_mini", "asgd"]
__all__ += ["cocob", "conjugate_gradient", "dadapt_adamw", "dion", "dog", "dowg", "dpsgd", "fromage"]
__all__ += ["galore", "grams", "kron_interval", "lamb", "laprop", "lars", "lbfgs", "levenberg_marquardt"]
__all__ += ["lion", "madgrad", "mars", "momo", "momo_adam", "muon", "nadam", "nadamw", "noisy_sgd"]
__all__ += ["normalize_matrices", "normalize_neurons", "normuon", "novograd", "optimistic_gradient_descent"]
__all__ += ["polyak_sgd", "prodigy", "psgd_kron", "radam", "reduce_variance", "rmsprop", "rprop"]
__all__ += ["scale_by_acprop", "scale_by_adadelta", "scale_by_adam", "scale_by_adamax", "scale_by_adan"]
__all__ += ["scale_by_ademamix", "scale_by_adopt", "scale_by_amsgrad", "scale_by_apollo", "scale_by_belief"]
__all__ += ["scale_by_cocob", "scale_by_conjugate_gradient", "scale_by_dadapt", "scale_by_dion"]
__all__ += ["scale_by_dog", "scale_by_dowg", "scale_by_factored_rms", "scale_by_galore", "scale_by_kron"]
__all__ += ["scale_by_lbfgs", "scale_by_lion", "scale_by_madgrad", "scale_by_momo", "scale_by_momo_adam"]
__all__ += ["scale_by_novograd", "scale_by_optimistic_gradient", "scale_by_polyak", "scale_by_prodigy"]
__all__ += ["scale_by_radam", "scale_by_rectified_moments", "scale_by_rprop", "scale_by_rss"]
__all__ += ["scale_by_shampoo", "scale_by_simplified_ademamix", "scale_by_sm3", "scale_by_soap"]
__all__ += ["scale_by_sophia", "scale_by_yogi", "schedule_free_adamw", "schedule_free_sgd", "scion", "sgd"]
__all__ += ["shampoo", "sign_sgd", "signum", "simplified_ademamix", "sm3", "soap", "sophia", "stable_adamw"]
__all__ += ["track_belief", "track_maximum", "track_mini_moments", "track_stable_moments", "track_yogi"]
__all__ += ["yogi"]
