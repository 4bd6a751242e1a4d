"""A gradtx transformation in Optax's own types, for code that asks for those very types."""

from typing import Any

from gradtx.core import GradientTransformation, Schedule
from gradtx.core.primitives import keeps_state


def to_optax(tx: GradientTransformation) -> Any:
    """The same pair as an `optax.GradientTransformationExtraArgs`; a schedule as a plain function of the step.

    Most code takes a gradtx transformation as it is. Of what does not: NumPyro's SVI asks
    `isinstance(tx, optax.GradientTransformation)`; `optax.chain`, `optax.partition` and `optax.inject_hyperparams` pass
    extra arguments, such as the loss for `gradtx.plateau`, to classes of their own only; `flax.nnx.Optimizer` refuses a
    pytree with array leaves, which a transformation with an array for a learning rate is; and
    `optax.inject_hyperparams` takes a gradtx schedule for one of its own stateful ones.

    Args:
      tx: a transformation, or a schedule.

    Returns:
      A named tuple of the same `init` and `update`; for a schedule that keeps no state, its `__call__`.

    Raises:
      ImportError: if Optax is not installed.

    Example:
      >>> import gradtx
      >>> float(gradtx.to_optax(gradtx.warmup(1.0, warmup_steps=4))(2))
      0.5
    """
    if isinstance(tx, Schedule) and not keeps_state(tx._primitive):
        return tx.__call__

    import optax

    return optax.GradientTransformationExtraArgs(init=tx.init, update=tx.update)
