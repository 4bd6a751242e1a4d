"""More update rules of the papers in NumPy and float64, written from the papers without the library: those that take
norms, means or largest entries of the whole array, and those of signs.

The conventions are those of `papers`: steps are counted from 1, averages start from zero, `weight_decay` is decoupled,
`p - rate (u + weight_decay p)`, and off by default. Each takes one array, a layer of the papers.
"""

from typing import Any

import numpy as np

from papers import Average, at, norm, quotient, rms, run, zeros


def adafactor(
    p: Any,
    gradients: Any,
    rate: float = 0.01,
    decay: float = 0.8,
    clip: float = 1.0,
    eps1: float = 1e-30,
    eps2: float = 1e-3,
    *,
    factored: bool = True,
    parameter_scale: bool = True,
    relative_step: bool = False,
    weight_decay: float = 0.0,
    steps: int | None = None,
) -> np.ndarray:
    """Shazeer & Stern (2018), Adafactor: Adaptive Learning Rates with Sublinear Memory Cost, algorithms 4 and 5.
    `b = 1 - t^-decay` (0 in the first step). For a matrix, `R = b R + (1 - b) rowmean(g^2 + eps1)`, `C` so for the
    columns, `V = R C / mean(R)`; for other arrays `V = b V + (1 - b) (g^2 + eps1)`. `u = g / sqrt(V)`,
    `u / max(1, RMS(u) / clip)`, `p - rate max(eps2, RMS(p)) u`, with `RMS(p)` before the step. `relative_step` takes
    `min(rate, 1 / sqrt(t))` for the rate there; without `parameter_scale` the `max` is 1. The paper has no weight
    decay; here it is `p - rate weight_decay p` beside the step, of the rate alone, as in PyTorch.
    """
    rows = columns = whole = 0.0

    def rule(g, p, t):
        nonlocal rows, columns, whole
        b, square = 1 - float(t) ** -decay, g**2 + eps1
        if factored and g.ndim == 2:
            rows = b * rows + (1 - b) * square.mean(1, keepdims=True)
            columns = b * columns + (1 - b) * square.mean(0, keepdims=True)
            v = rows * columns / rows.mean()
        else:
            v = whole = b * whole + (1 - b) * square
        u = g / np.sqrt(v)
        u = u / max(1.0, rms(u) / clip)
        size = min(rate, 1 / np.sqrt(t)) if relative_step else rate
        return p - size * (max(eps2, rms(p)) if parameter_scale else 1.0) * u - rate * weight_decay * p

    return run(p, gradients, rule, steps)


def lamb(
    p: Any,
    gradients: Any,
    rate: float,
    b1: float = 0.9,
    b2: float = 0.999,
    eps: float = 1e-6,
    *,
    weight_decay: float = 0.0,
    steps: int | None = None,
) -> np.ndarray:
    """You et al. (2020), Large Batch Optimization for Deep Learning: Training BERT in 76 minutes, algorithm 2. With
    Adam's debiased `m` and `v`: `u = m / (sqrt(v) + eps) + weight_decay p`, `p - rate |p| / |u| u`. The paper's `phi`
    is the identity, and the ratio is 1 where either norm is 0.
    """
    m, v = Average(b1), Average(b2)

    def rule(g, p, t):
        m(g), v(g**2)
        u = m.debiased / (np.sqrt(v.debiased) + eps) + weight_decay * p
        return p - rate * (norm(p) / norm(u) if norm(p) and norm(u) else 1.0) * u

    return run(p, gradients, rule, steps)


def lars(
    p: Any,
    gradients: Any,
    rate: float,
    momentum: float = 0.9,
    trust: float = 0.001,
    eps: float = 0.0,
    *,
    weight_decay: float = 0.0,
    joint_norm: bool = False,
    steps: int | None = None,
) -> np.ndarray:
    """You, Gitman & Ginsburg (2017), Large Batch Training of Convolutional Networks, algorithm 1. `h = g + weight_decay
    p`, `ratio = trust |p| / (|g| + weight_decay |p| + eps)`, `v = momentum v + rate ratio h`, `p - v`: the rate stands
    inside the momentum. `joint_norm` has `|h|` for the sum of the two norms, as Optax does. The ratio is 1 where either
    norm is 0; the paper has no `eps`.
    """
    v = zeros(p)

    def rule(g, p, t):
        nonlocal v
        h = g + weight_decay * p
        below = norm(h) if joint_norm else norm(g) + weight_decay * norm(p)
        ratio = trust * norm(p) / (below + eps) if norm(p) and below else 1.0
        v = momentum * v + rate * ratio * h
        return p - v

    return run(p, gradients, rule, steps)


def lion(
    p: Any,
    gradients: Any,
    rate: float,
    b1: float = 0.9,
    b2: float = 0.99,
    *,
    weight_decay: float = 0.0,
    steps: int | None = None,
) -> np.ndarray:
    """Chen et al. (2023), Symbolic Discovery of Optimization Algorithms, algorithm 2. `u = sign(b1 m + (1 - b1) g)`
    with the `m` before the step, `p - rate (u + weight_decay p)`, then `m = b2 m + (1 - b2) g`. sign(0) is 0.
    """
    m = Average(b2)

    def rule(g, p, t):
        u = np.sign(b1 * m.now + (1 - b1) * g)
        m(g)
        return p - rate * (u + weight_decay * p)

    return run(p, gradients, rule, steps)


def signum(
    p: Any, gradients: Any, rate: float, beta: float = 0.9, *, weight_decay: float = 0.0, steps: int | None = None
) -> np.ndarray:
    """Bernstein et al. (2018), signSGD: Compressed Optimisation for Non-Convex Problems, algorithm 2.
    `m = beta m + (1 - beta) g`, `p - rate (sign(m) + weight_decay p)`. sign(0) is 0.
    """
    m = Average(beta)
    return run(p, gradients, lambda g, p, t: p - rate * (np.sign(m(g)) + weight_decay * p), steps)


def novograd(
    p: Any,
    gradients: Any,
    rate: float,
    b1: float = 0.95,
    b2: float = 0.98,
    eps: float = 1e-8,
    *,
    weight_decay: float = 0.0,
    steps: int | None = None,
) -> np.ndarray:
    """Ginsburg et al. (2019), Stochastic Gradient Methods with Layer-wise Adaptive Moments for Training of Deep
    Networks, algorithm 1. `v = b2 v + (1 - b2) |g|^2`, one number for the array, `m = b1 m + (g / (sqrt(v) + eps)
    + weight_decay p)`, `p - rate m`. `v = |g|^2` in the first step, and `m` is the bracket; `m` gets no `1 - b1` and
    nothing is debiased. The first version of the paper had `b1=0.9, b2=0.25`.
    """
    m, v = zeros(p), None

    def rule(g, p, t):
        nonlocal m, v
        square = norm(g) ** 2
        v = square if v is None else b2 * v + (1 - b2) * square
        m = b1 * m + quotient(g, np.sqrt(v) + eps) + weight_decay * p
        return p - rate * m

    return run(p, gradients, rule, steps)


def fromage(p: Any, gradients: Any, rate: float = 0.01, *, steps: int | None = None) -> np.ndarray:
    """Bernstein et al. (2020), On the distance between two neural networks and the stability of learning, algorithm 1.
    `(p - rate |p| / |g| g) / sqrt(1 + rate^2)`; the quotient is 1 where either norm is 0, as in the authors' code.
    """

    def rule(g, p, t):
        ratio = norm(p) / norm(g) if norm(p) and norm(g) else 1.0
        return (p - rate * ratio * g) / np.sqrt(1 + rate**2)

    return run(p, gradients, rule, steps)


def sm3(
    p: Any, gradients: Any, rate: float, momentum: float = 0.9, eps: float = 0.0, *, steps: int | None = None
) -> np.ndarray:
    """Anil et al. (2019), Memory-Efficient Adaptive Optimization, SM3-II, with the cover of an array by its slices
    along each axis (the rows and columns of a matrix; the entries of a vector, which is then Adagrad). `v` is the
    smallest of the numbers kept for the slices that hold the entry, plus `g^2`; each slice then keeps the largest `v`
    in it. `u = g / sqrt(v + eps)` with 0 / 0 = 0, `m = momentum m + (1 - momentum) u`, `p - rate m`: an average from 0
    that is not debiased, as in the authors' code. The paper has no `eps`.
    """
    m, kept = Average(momentum), None

    def rule(g, p, t):
        nonlocal kept
        least = 0.0 if kept is None else np.minimum.reduce(np.broadcast_arrays(*kept))
        v = least + g**2
        axes = range(g.ndim)
        kept = [v.max(axis=tuple(a for a in axes if a != axis), keepdims=True) for axis in axes] or [v]
        return p - rate * m(np.where(v > 0, quotient(g, np.sqrt(v + eps)), 0.0))

    return run(p, gradients, rule, steps)


def optimistic_gradient_descent(
    p: Any, gradients: Any, rate: float, alpha: float = 1.0, beta: float = 1.0, *, steps: int | None = None
) -> np.ndarray:
    """Daskalakis et al. (2018), Training GANs with Optimism, and Mokhtari et al. (2020), A Unified Analysis of
    Extra-gradient and Optimistic Gradient Methods for Saddle Point Problems, whose two numbers these are.
    `p - rate ((alpha + beta) g - beta g_before)`; the first step has `g_before = g`, so it is `p - rate alpha g`.
    """
    before = None

    def rule(g, p, t):
        nonlocal before
        last, before = g if before is None else before, g
        return p - rate * ((alpha + beta) * g - beta * last)

    return run(p, gradients, rule, steps)


def polyak(
    p: Any,
    gradients: Any,
    value: Any,
    rate: float = 1.0,
    lowest: float = 0.0,
    *,
    largest: float = 1.0,
    c: float = 1.0,
    eps: float = 0.0,
    weight_decay: float = 0.0,
    steps: int | None = None,
) -> np.ndarray:
    """Polyak (1987), Introduction to Optimization, and with the bound Loizou et al. (2021), Stochastic Polyak Step-size
    for SGD (`SPS_max`). `size = min((value - lowest) / (c |g|^2 + eps), largest)`, `p - rate size g`; nothing moves
    where `g` is 0. `largest=inf` is Polyak's own step. The gap may be negative, and then so is the step. `rate`
    multiplies the size and is in neither source.
    """

    def rule(g, p, t):
        square = c * np.sum(g**2) + eps
        size = min((at(value, p, t) - lowest) / square, largest) if square else 0.0
        return p - rate * size * (g + weight_decay * p)

    return run(p, gradients, rule, steps)
