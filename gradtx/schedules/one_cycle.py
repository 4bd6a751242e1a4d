"""The one-cycle policy."""

from __future__ import annotations

import math
from typing import Any, Literal

import jax.numpy as jnp
from jax import Array

from gradtx.core import Finite, Fraction, Positive, PositiveCount, Range, Schedule, stepwise, transformation
from gradtx.core.numerics import scalar_dtype
from gradtx.schedules.curves import SHAPES, through
from gradtx.schedules.numbers import is_static
from gradtx.schedules.progress import as_step


@transformation
def one_cycle(
    peak_value: Finite,
    transition_steps: PositiveCount,
    pct_start: Fraction = 0.3,
    pct_final: Fraction | None = None,
    div_factor: Positive = 25.0,
    final_div_factor: Positive = 1e4,
    *,
    shape: Literal["linear", "cosine", "1-sqrt"] = "cosine",
    at_last_step: bool = False,
) -> Schedule:
    """Follow the one-cycle policy: rise to a peak, then fall far below the first value.

    The value goes from peak_value / div_factor at step 0 to peak_value at floor(pct_start * transition_steps); with
    `pct_final`, back to peak_value / div_factor at floor(pct_final * transition_steps); and then to
    peak_value / div_factor / final_div_factor at transition_steps.

    Args:
      peak_value: the value at the peak.
      transition_steps: the total number of steps.
      pct_start: the fraction of the steps that the rise takes; at 0 the peak is at step 0.
      pct_final: the fraction of the steps after which the value is back at its first value, at least pct_start; with
        None the value falls straight from the peak to the last value.
      div_factor: the peak divided by the first value.
      final_div_factor: the first value divided by the last.
      shape: the curve of the rise and of each fall: "linear", "cosine", or "1-sqrt", as for `warmup_stable_decay`.
      at_last_step: whether the last value is reached at the last of the steps, transition_steps - 1, as in PyTorch. The
        peak is then at pct_start * transition_steps - 1, which may lie between two steps, and the value is back at its
        first value at pct_final * transition_steps - 2. Otherwise the last value is reached one step later, as in
        Optax.

    Returns:
      A schedule. Optax's are `one_cycle(peak, n)` and `one_cycle(peak, n, pct_final=0.85, shape="linear")`. PyTorch's
      `OneCycleLR(max_lr, total_steps)` is `one_cycle(max_lr, total_steps, at_last_step=True)`, where three_phase=True
      is pct_final = 2 * pct_start. The defaults are those of both.

    Raises:
      ValueError: if `pct_final` is less than `pct_start`.

    References:
      Smith and Topin, 2019, Super-Convergence: Very Fast Training of Neural Networks Using Large Learning Rates.

    Example:
      >>> import gradtx
      >>> rate = gradtx.one_cycle(1.0, transition_steps=10, div_factor=4.0, final_div_factor=4.0, shape="linear")
      >>> [round(float(rate(step)), 4) for step in (0, 3, 10, 100)]
      [0.25, 1.0, 0.0625, 0.0625]
    """
    fractions: dict[str, Any] = {"pct_start": pct_start}
    if pct_final is not None:
        fractions["pct_final"] = pct_final
    known = all(map(is_static, fractions.values()))
    if known and pct_final is not None:
        Range(float(fractions["pct_start"]), 1.0).check("pct_final", pct_final)
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
    """The steps at which one phase ends and the next begins: exact from Python numbers, traced from traced ones."""
    if at_last_step:
        inner = [x * float(transition_steps) - (i + 1.0) for i, x in enumerate(fractions)]
        return (*inner, transition_steps - 1)
    known = all(map(is_static, fractions))
    down = math.floor if known else jnp.floor
    steps = transition_steps * (1 + 2 * float(jnp.finfo(float if known else scalar_dtype()).eps))  # 0.29 * 100 is 29
    return (*(down(x * steps) for x in fractions), transition_steps)


def _one_cycle(
    step: Array,
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
