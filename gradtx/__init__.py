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

from gradtx import checkpoint, core, interop, optimizers, schedules, transforms, wrappers
from gradtx.checkpoint import *
from gradtx.core import *
from gradtx.eval_params import eval_params
from gradtx.interop import *
from gradtx.optimizers import *
from gradtx.schedules import *
from gradtx.transforms import *
from gradtx.wrappers import *

__version__ = "0.1.0"

__all__ = (
    core.__all__
    + schedules.__all__
    + transforms.__all__
    + wrappers.__all__
    + optimizers.__all__
    + checkpoint.__all__
    + interop.__all__
    + ["eval_params"]
)
