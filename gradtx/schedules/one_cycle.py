"""The one-cycle policy: one rise, one fall, and the end far below the beginning."""

import math
from typing import Any

import jax
import jax.numpy as jnp

from gradtx.core import ScalarOrSchedule, Schedule, stepwise, transformation
from gradtx.core.checks import at_least, finite, in_range
from gradtx.core.numerics import scalar_dtype
from gradtx.core.progress import as_step
from gradtx.schedules.curves import SHAPES, through
from gradtx.schedules.numbers import is_static, one_of

Array = jax.Array


@transformation
def one_cycle(
    peak_value: ScalarOrSchedule,
    transition_steps: int,
    pct_start: ScalarOrSchedule = 0.3,
    pct_final: ScalarOrSchedule | None = None,
    div_factor: ScalarOrSchedule = 25.0,
    final_div_factor: ScalarOrSchedule = 1e4,
    *,
    shape: str = "cosine",
    at_last_step: bool = False,
) -> Schedule:
    """Rise to a peak, and fall to far below where it began: the one-cycle policy.

    From peak_value / div_factor at step 0 to peak_value at pct_start * transition_steps, where that is not whole the
    step before; with `pct_final`, back to peak_value / div_factor by pct_final * transition_steps; then to
    peak_value / div_factor / final_div_factor at transition_steps.

    Args:
      peak_value: the value at the peak; any finite number.
      transition_steps: the number of steps in all, at least 1.
      pct_start: the part of them that the rise takes, in [0, 1); at 0 the peak is there at step 0.
      pct_final: the part of them after which the value is back where it began, from pct_start to below 1; None falls
        from the peak to the end at one go.
      div_factor: how many times less than the peak the value at step 0 is, above 0.
      final_div_factor: how many times less than at step 0 the value in the end is, above 0.
      shape: how it goes: "cosine", along half a cosine; "linear", in a line.
      at_last_step: whether the end is reached at the last of so many steps, transition_steps - 1, as in PyTorch. The
        peak is at pct_start * transition_steps - 1 then, between two steps if need be, and the second mark at
        pct_final * transition_steps - 2. Otherwise, as in Optax, the end is that of the step after the last.

    Returns:
      A schedule. Optax's are `one_cycle(peak, n)` and `one_cycle(peak, n, pct_final=0.85, shape="linear")`; PyTorch's
      `OneCycleLR(max_lr, total_steps)` is `one_cycle(max_lr, total_steps, at_last_step=True)`, with three_phase
      pct_final = 2 * pct_start.

    Raises:
      ValueError: if an argument is out of range.

    References:
      Smith and Topin, 2019, Super-Convergence: Very Fast Training of Neural Networks Using Large Learning Rates.

    Example:
      >>> import gradtx
      >>> rate = gradtx.one_cycle(1.0, transition_steps=10, div_factor=4.0, final_div_factor=4.0, shape="linear")
      >>> [round(float(rate(step)), 4) for step in (0, 3, 10, 100)]
      [0.25, 1.0, 0.0625, 0.0625]
    """
    finite(peak_value=peak_value)
    at_least("transition_steps", transition_steps, 1)
    in_range("pct_start", pct_start, 0.0, 1.0)
    in_range("div_factor", div_factor, open_low=True)
    in_range("final_div_factor", final_div_factor, open_low=True)
    one_of("shape", shape, SHAPES)
    fractions: dict[str, Any] = {"pct_start": pct_start}
    if pct_final is not None:
        fractions["pct_final"] = pct_final
    known = all(map(is_static, fractions.values()))
    if pct_final is not None:
        in_range("pct_final", pct_final, float(fractions["pct_start"]) if known else 0.0, 1.0)
    marks = _marks(transition_steps, [float(x) for x in fractions.values()], at_last_step) if known else None
    return stepwise(
        _one_cycle,
        peak_value=peak_value,
        transition_steps=transition_steps,
        div_factor=div_factor,
        final_div_factor=final_div_factor,
        shape=shape,
        at_last_step=at_last_step,
        marks=marks,
        **({} if known else fractions),
    )


def _marks(transition_steps: int, fractions: list[Any], at_last_step: bool) -> tuple[Any, ...]:
    """The steps at which one phase ends and the next begins: of Python numbers exact, of traced ones traced."""
    if at_last_step:
        inner = [x * float(transition_steps) - (i + 1.0) for i, x in enumerate(fractions)]
        return (*inner, transition_steps - 1)
    down = math.floor if all(map(is_static, fractions)) else jnp.floor
    return (*(down(x * float(transition_steps)) for x in fractions), transition_steps)


def _one_cycle(
    step: Any,
    peak_value: Array,
    transition_steps: int,
    div_factor: Array,
    final_div_factor: Array,
    shape: str,
    at_last_step: bool,
    marks: tuple[Any, ...] | None,
    **fractions: Array,
) -> Array:
    if marks is None:
        marks = _marks(transition_steps, [jnp.asarray(x, scalar_dtype()) for x in fractions.values()], at_last_step)
    first = peak_value / div_factor
    values = [first, peak_value, *[first] * (len(marks) - 2), first / final_div_factor]
    return through(as_step(step), marks, values, SHAPES[shape])
