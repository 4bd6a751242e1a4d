"""A gradtx transformation as an Optax one, for code that asks for that very class."""

from typing import Any

from gradtx.core import GradientTransformation


def to_optax(tx: GradientTransformation) -> Any:
    """The same pair as an `optax.GradientTransformationExtraArgs`.

    Most code takes a gradtx transformation as it is. Some asks `isinstance(tx, optax.GradientTransformation)` (NumPyro's
    SVI), and `optax.chain` passes extra arguments, such as a loss for `gradtx.plateau`, to classes of its own only.

    Args:
      tx: a transformation.

    Returns:
      A named tuple of the same `init` and `update`.

    Raises:
      ImportError: if Optax is not installed.
    """
    import optax

    return optax.GradientTransformationExtraArgs(init=tx.init, update=tx.update)
