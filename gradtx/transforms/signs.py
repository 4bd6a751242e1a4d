"""Stages that go by the sign of what they are given."""

import jax
import jax.numpy as jnp

from gradtx.core import GradientTransformation, ScalarOrSchedule, beside, leafwise, transformation
from gradtx.core.checks import in_range
from gradtx.core.numerics import average
from gradtx.core.primitives import Pair
from gradtx.transforms.averages import complement

Array = jax.Array


@transformation
def scale_by_sign() -> GradientTransformation:
    """Keep the sign alone.

    u / |u|, and 0 where u is 0; of a complex number its direction.

    Returns:
      A transformation without state.

    References:
      Bernstein, Wang, Azizzadenesheli and Anandkumar, 2018, signSGD: Compressed Optimisation for Non-Convex Problems.

    Example:
      >>> import gradtx, jax.numpy as jnp
      >>> tx = gradtx.scale_by_sign()
      >>> tx.update(jnp.array([-3.0, 0.0, 0.5]), tx.init(jnp.zeros(3)))[0]
      Array([-1.,  0.,  1.], dtype=float32)
    """
    return leafwise(_sign)


def _sign(u: Array, s: None, p: None) -> tuple[Array, None]:
    return jnp.sign(u), s


@transformation
def scale_by_lion(b1: ScalarOrSchedule = 0.9, b2: ScalarOrSchedule = 0.99) -> GradientTransformation:
    """The sign of a mean that weighs the present gradient more than the kept average does.

    sign(b1 m + (1 - b1) g), then m = b2 m + (1 - b2) g, zero at first.

    Args:
      b1: weight of the kept average in the step, in [0, 1); a number or a schedule. The paper's default, as is b2.
      b2: decay of the kept average, in [0, 1); a number or a schedule.

    Returns:
      A transformation that keeps one average per array, float32 or wider.

    Raises:
      ValueError: if a decay is out of range.

    References:
      Chen et al., 2023, Symbolic Discovery of Optimization Algorithms.
    """
    in_range("b1", b1, 0.0, 1.0)
    in_range("b2", b2, 0.0, 1.0)
    return leafwise(_lion, keeps="average", rate1=complement(b1), rate2=complement(b2))


def _lion(g: Array, m: Array, p: None, rate1: Array, rate2: Array) -> tuple[Array, Array]:
    return jnp.sign(average(m, g, rate1)), average(m, g, rate2)


@transformation
def with_gradient_sign(inner: GradientTransformation) -> GradientTransformation:
    """Keep the size of each number's update, and take the direction from the present gradient.

    |u| sign(g)

    Args:
      inner: stages that scale gradients, before a learning rate: the result points as the gradient does.

    Returns:
      A transformation that keeps what `inner` keeps, under the same names.

    Raises:
      TypeError: if `inner` is no transformation.

    References:
      Cao, Li and Song, 2024, Grams: Gradient Descent with Adaptive Momentum Scaling.
    """
    return beside(inner, leafwise(_with_sign, takes=Pair))


def _with_sign(pair: Pair, s: None, p: None) -> tuple[Array, None]:
    return jnp.abs(pair.update) * jnp.sign(pair.given), s
