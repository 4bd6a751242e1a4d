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
from gradtx.describe import describe
from gradtx.eval_params import eval_params
from gradtx.explain import explain
from gradtx.hyperparams import hyperparams
from gradtx.interop import *
from gradtx.metrics import metrics
from gradtx.microbatch_value_and_grad import microbatch_value_and_grad
from gradtx.minimize import MinimizeResult, minimize
from gradtx.optimizers import *
from gradtx.parse import parse
from gradtx.plot import plot
from gradtx.schedules import *
from gradtx.set_hyperparams import set_hyperparams
from gradtx.to_config import to_config
from gradtx.transforms import *
from gradtx.value_and_grad import value_and_grad
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
    + ["describe", "eval_params", "explain", "hyperparams", "metrics"]
    + ["MinimizeResult", "microbatch_value_and_grad", "minimize", "parse", "plot", "set_hyperparams", "to_config"]
    + ["value_and_grad"]
)
