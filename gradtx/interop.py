"""Convert gradtx transformations to Optax's types, for code that requires those types."""

from typing import Any

from gradtx.core import GradientTransformation, Schedule
from gradtx.core.mathematics import keeps_state

__all__ = ["to_optax"]


def to_optax(tx: GradientTransformation) -> Any:
    """Convert a transformation to an Optax transformation, or a stateless schedule to a plain function of the step.

    Most code accepts a gradtx transformation without conversion. These cases need it: NumPyro's SVI checks
    `isinstance(tx, optax.GradientTransformation)`. `optax.chain`, `optax.partition` and `optax.inject_hyperparams` pass
    extra arguments, such as the loss for `gradtx.plateau`, only to Optax's own classes. `flax.nnx.Optimizer` refuses a
    pytree with array leaves, such as a transformation with an array as its learning rate. `optax.inject_hyperparams`
    mistakes a gradtx schedule for a stateful Optax schedule.

    Args:
      tx: a transformation or a schedule.

    Returns:
      An `optax.GradientTransformationExtraArgs` with the same `init` and `update`, or the `__call__` of a schedule that
      keeps no state.

    Raises:
      ImportError: if Optax is not installed.

    Example:
      >>> import gradtx
      >>> float(gradtx.to_optax(gradtx.warmup(1.0, warmup_steps=4))(2))
      0.5
    """
    if isinstance(tx, Schedule) and not keeps_state(tx.mathematics):
        return tx.__call__

    import optax

    return optax.GradientTransformationExtraArgs(init=tx.init, update=tx.update)
