"""What there is to log about a transformation."""

from __future__ import annotations

from typing import Any

import numpy as np

from gradtx.checkpoint import flat_state
from gradtx.core import GradientTransformation
from gradtx.core.mathematics import AGE
from gradtx.core.state import open_state
from gradtx.hyperparams import hyperparams
from gradtx.transforms.measure import MeasureState

PyTree = Any


def metrics(tx: GradientTransformation, state: PyTree, **extra: Any) -> dict[str, Any]:
    """Every number of the state that belongs to no array, and every hyperparameter: a flat dict for a logger.

    Args:
      tx: the transformation.
      state: its state.
      **extra: as for `hyperparams`.

    Returns:
      A dict by name: counters of steps ("step"), what wrappers count ("skip_nonfinite/skipped"), what is measured
      ("measure/norm"), and the hyperparameters of the next update ("adamw/learning_rate").

    Raises:
      ValueError: if the state belongs to another transformation.

    Example:
      >>> import gradtx, jax.numpy as jnp
      >>> tx = gradtx.skip_nonfinite(gradtx.sgd(0.1))
      >>> updates, state = tx.update(jnp.array([jnp.inf]), tx.init(jnp.zeros(1)))
      >>> {name: round(float(x), 6) for name, x in gradtx.metrics(tx, state).items()}
      {'step': 0.0, 'skip_nonfinite/in_a_row': 1.0, 'skip_nonfinite/skipped': 1.0, 'sgd/learning_rate': 0.1}
    """
    plan = tx.plan
    held, found = open_state(plan, state), {}
    for path in plan.counters:
        if path[-1] != AGE:
            found["/".join(path)] = held[path]
    for stage in plan.all_stages:
        for name in stage.mathematics.own:
            # What is measured goes by its own name.
            measured = stage.mathematics.keeps.form is MeasureState
            place = stage.path if measured else (*stage.path, name)
            flat = flat_state(held[stage.kept[name]])
            found.update(("/".join([*place, *filter(None, [key])]), x) for key, x in flat.items())
    scalars = {name: x for name, x in found.items() if np.shape(x) == ()}
    return {**scalars, **hyperparams(tx, state, **extra)}
