"""gradtx: composable gradient transformations for JAX.

Every optimizer, clipping rule and schedule is a pure `(init, update)` pair; `chain` puts them in a row.

>>> import gradtx, jax, jax.numpy as jnp
>>> loss = lambda p: jnp.sum((p - 3.0) ** 2)
>>> tx = gradtx.chain(gradtx.clip_by_global_norm(1.0), gradtx.adam(learning_rate=0.1))
>>> params = jnp.zeros(2)
>>> state = tx.init(params)
>>> @jax.jit
... def step(params, state):
...     updates, state = tx.update(jax.grad(loss)(params), state, params)
...     return gradtx.apply_updates(params, updates), state
>>> for _ in range(200):
...     params, state = step(params, state)
>>> print(params.round(2))
[3. 3.]
"""

# States by name
from gradtx.checkpoint import Restored, flat_state, restore_state

# What a transformation is, and how one is made
from gradtx.core import (
    GradientTransformation,
    ScalarOrSchedule,
    Schedule,
    apply_updates,
    chain,
    leafwise,
    stepwise,
    transformation,
    treewise,
)

# Beside other libraries
from gradtx.interop import to_optax

# Optimizers
from gradtx.optimizers import adabelief, adagrad, adam, adam_l2, adamw, amsgrad, nadam, rmsprop, sgd

# Schedules
from gradtx.schedules import Plateau, constant, cosine, piecewise_constant, plateau, step_decay, warmup, warmup_cosine

# Stages
from gradtx.transforms import (
    Moments,
    add_decayed_weights,
    bias_correction,
    clip,
    clip_by_global_norm,
    global_norm,
    identity,
    scale,
    scale_by_learning_rate,
    scale_by_moments,
    scale_by_rms,
    scale_by_rss,
    set_to_zero,
    trace,
    track_belief,
    track_maximum,
    track_moments,
    track_nesterov_moments,
)

# Transformations of transformations
from gradtx.wrappers import freeze, masked, partition

__version__ = "0.1.0"

__all__ = [
    "GradientTransformation",
    "Moments",
    "Plateau",
    "Restored",
    "ScalarOrSchedule",
    "Schedule",
    "adabelief",
    "adagrad",
    "adam",
    "adam_l2",
    "adamw",
    "add_decayed_weights",
    "amsgrad",
    "apply_updates",
    "bias_correction",
    "chain",
    "clip",
    "clip_by_global_norm",
    "constant",
    "cosine",
    "flat_state",
    "freeze",
    "global_norm",
    "identity",
    "leafwise",
    "masked",
    "nadam",
    "partition",
    "piecewise_constant",
    "plateau",
    "restore_state",
    "rmsprop",
    "scale",
    "scale_by_learning_rate",
    "scale_by_moments",
    "scale_by_rms",
    "scale_by_rss",
    "set_to_zero",
    "sgd",
    "step_decay",
    "stepwise",
    "to_optax",
    "trace",
    "track_belief",
    "track_maximum",
    "track_moments",
    "track_nesterov_moments",
    "transformation",
    "treewise",
    "warmup",
    "warmup_cosine",
]
