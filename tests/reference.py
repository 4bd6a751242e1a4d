"""The update rules of the papers in NumPy and float64, one parameter path each, written without the library.

Each takes the first parameters, the gradients of all steps (an array with the step first, or a function of the
parameters) and hyperparameters, and returns the parameters of all steps, the first included.
"""

from collections.abc import Callable
from typing import Any

import numpy as np


def _run(
    p: Any, gradients: Any, rule: Callable[[np.ndarray, np.ndarray, int], np.ndarray], steps: int | None
) -> np.ndarray:
    path = [np.asarray(p, np.float64)]
    for t in range(1, (steps or len(gradients)) + 1):
        g = gradients(path[-1]) if callable(gradients) else np.asarray(gradients[t - 1], np.float64)
        path.append(path[-1] - rule(g, path[-1], t))
    return np.stack(path)


def sgd(p: Any, gradients: Any, rate: float, momentum: float = 0.0, steps: int | None = None) -> np.ndarray:
    v = np.zeros_like(np.asarray(p, np.float64))

    def rule(g, p, t):
        nonlocal v
        v = momentum * v + g
        return rate * v

    return _run(p, gradients, rule, steps)


def rmsprop(
    p: Any, gradients: Any, rate: float, decay: float = 0.9, eps: float = 1e-8, steps: int | None = None
) -> np.ndarray:
    s = np.zeros_like(np.asarray(p, np.float64))

    def rule(g, p, t):
        nonlocal s
        s = decay * s + (1 - decay) * g**2
        return rate * g / (np.sqrt(s) + eps)

    return _run(p, gradients, rule, steps)


def adagrad(p: Any, gradients: Any, rate: float, eps: float = 1e-8, steps: int | None = None) -> np.ndarray:
    s = np.zeros_like(np.asarray(p, np.float64))

    def rule(g, p, t):
        nonlocal s
        s = s + g**2
        return rate * g / (np.sqrt(s) + eps)

    return _run(p, gradients, rule, steps)


def adam(
    p: Any,
    gradients: Any,
    rate: float,
    b1: float = 0.9,
    b2: float = 0.999,
    eps: float = 1e-8,
    *,
    weight_decay: float = 0.0,
    l2: float = 0.0,
    variant: str = "",
    steps: int | None = None,
) -> np.ndarray:
    """Adam; `variant` names one of "amsgrad", "nadam" and "adabelief"."""
    m = v = largest = np.zeros_like(np.asarray(p, np.float64))

    def rule(g, p, t):
        nonlocal m, v, largest
        g = g + l2 * p
        m = b1 * m + (1 - b1) * g
        v = b2 * v + ((1 - b2) * (g - m) ** 2 + eps if variant == "adabelief" else (1 - b2) * g**2)
        largest = np.maximum(largest, v)
        second = (largest if variant == "amsgrad" else v) / (1 - b2**t)
        first = m / (1 - b1**t)
        if variant == "nadam":
            first = b1 * m / (1 - b1 ** (t + 1)) + (1 - b1) * g / (1 - b1**t)
        return rate * (first / (np.sqrt(second) + eps) + weight_decay * p)

    return _run(p, gradients, rule, steps)
