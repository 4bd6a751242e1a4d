"""Run the papers' rules, and provide the arithmetic that they share, in NumPy and float64.

Every other module of this package implements one method from its paper, without gradtx or JAX. Its function `path`
takes the initial parameters (one array), the gradients (a function of the parameters, or an array whose first axis is
the step) and the hyperparameters. It returns the parameters of all steps, including the initial ones. The modules share
these conventions:

- `t` counts the steps from 1, `g` is the gradient at the parameters `p` before the step, and `rate` is the learning
  rate.
- An average starts from 0. It is debiased when it is divided by `1 - b^t`, where `b` is its decay.
- `weight_decay` is decoupled, `p = p - rate (u + weight_decay p)`, unless a module says otherwise, and 0 by default.
- `l2` is the factor of an L2 penalty, whose gradient is added first: `g = g + l2 p`.
- `|x|` is the Euclidean norm of an array and the absolute value of a number. A paper may take the norm of a layer or
  of the whole model; here it is the norm of the one array.
- `value` is the loss: a function of the parameters, or an array of one number per step.
- The sign of 0 is 0.
"""

from collections.abc import Callable
from typing import Any

import numpy as np

Rule = Callable[[np.ndarray, np.ndarray, int], np.ndarray]


def run(p: Any, gradients: Any, rule: Rule, steps: int | None = None) -> np.ndarray:
    """The path of `rule`, which maps the gradient, the parameters and the step to the next parameters."""
    path = [np.array(p, np.float64)]
    for t in range(1, (len(gradients) if steps is None else steps) + 1):
        g = gradients(path[-1]) if callable(gradients) else gradients[t - 1]
        path.append(rule(np.array(g, np.float64), path[-1], t))
    return np.stack(path)


def at(value: Any, p: np.ndarray, t: int) -> float:
    """The loss in step `t`."""
    return float(value(p) if callable(value) else value[t - 1])


def zeros(p: Any) -> np.ndarray:
    return np.zeros(np.shape(p))


def norm(x: Any) -> float:
    return float(np.sqrt(np.sum(np.square(x))))


def rms(x: Any) -> float:
    return float(np.sqrt(np.mean(np.square(x))))


def quotient(a: Any, b: Any) -> np.ndarray:
    """`a / b`, where 0 / 0 is 0."""
    a, b = np.broadcast_arrays(np.asarray(a, np.float64), np.asarray(b, np.float64))
    return np.divide(a, b, out=np.zeros(a.shape), where=(a != 0) | (b != 0))


class Average:
    """An exponential moving average from 0: a call with `new` sets `now = beta now + (1 - beta) new` and returns it."""

    def __init__(self, beta: float):
        self.beta, self.t, self.now = beta, 0, 0.0

    def __call__(self, new: Any) -> Any:
        self.t += 1
        self.now = self.beta * self.now + (1 - self.beta) * new
        return self.now

    @property
    def debiased(self) -> Any:
        return self.now / (1 - self.beta**self.t)
