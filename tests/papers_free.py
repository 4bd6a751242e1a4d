"""More update rules of the papers in NumPy and float64, written from the papers without the library: those that find
their own rate or scale.

The conventions are those of `papers`: steps are counted from 1, averages start from zero, a norm is that of the one
array. `rate` is 1 where the papers recommend so, and `value` is the loss: a function of the parameters or an array of
one number per step.
"""

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from papers import Average, at, norm, quotient, run, zeros


def dadapt_adam(
    p: Any,
    gradients: Any,
    rate: float = 1.0,
    b1: float = 0.9,
    b2: float = 0.999,
    eps: float = 1e-8,
    d0: float = 1e-6,
    *,
    debias: bool = False,
    old_denominator: bool = True,
    weight_decay: float = 0.0,
    steps: int | None = None,
) -> np.ndarray:
    """Defazio & Mishchenko (2023), Learning-Rate-Free Learning by D-Adaptation, D-Adapt Adam, with the details of the
    authors' code (dadaptation 3.1). With `c = sqrt(b2)` and `k = d rate`, which `debias` multiplies by
    `sqrt(1 - b2^t) / (1 - b1^t)`: `r = c r + (1 - c) k <g, s / (sqrt(v) + eps)>` with the `s` and the `v` before,
    `m = b1 m + (1 - b1) k g`, `v = b2 v + (1 - b2) g^2`, `s = c s + (1 - c) k g`,
    `d = max(d, r / ((1 - c) |s|_1))`; `p - m / (sqrt(v) + eps) - k weight_decay p` with the `d` before. Not
    `old_denominator` has the new `v` in `r` too. Where `s` is 0 nothing changes `d`.
    """
    m, v, s, r, d, c = zeros(p), Average(b2), zeros(p), 0.0, d0, float(np.sqrt(b2))

    def rule(g, p, t):
        nonlocal m, s, r, d
        k = d * rate * (np.sqrt(1 - b2**t) / (1 - b1**t) if debias else 1.0)
        old = v.now
        v(g**2)
        denominator = np.sqrt(old if old_denominator else v.now) + eps
        r = c * r + (1 - c) * k * np.sum(g * s / denominator)
        m = b1 * m + (1 - b1) * k * g
        s = c * s + (1 - c) * k * g
        size = np.sum(np.abs(s))
        d = max(d, r / ((1 - c) * size)) if size else d
        return p - m / (np.sqrt(v.now) + eps) - k * weight_decay * p

    return run(p, gradients, rule, steps)


def prodigy(
    p: Any,
    gradients: Any,
    rate: float = 1.0,
    b1: float = 0.9,
    b2: float = 0.999,
    b3: float | None = None,
    eps: float = 1e-8,
    d0: float = 1e-6,
    d_coef: float = 1.0,
    *,
    debias: bool = False,
    new_d_eps: bool = False,
    safeguard_warmup: bool = False,
    weight_decay: float = 0.0,
    steps: int | None = None,
) -> np.ndarray:
    """Mishchenko & Defazio (2023), Prodigy: An Expeditiously Adaptive Parameter-Free Learner, Prodigy for Adam. `b3` is
    `sqrt(b2)`, `k = d rate`, which `debias` multiplies by `sqrt(1 - b2^t) / (1 - b1^t)` (off in the authors' code).
    `m = b1 m + (1 - b1) d g`, `v = b2 v + (1 - b2) d^2 g^2`, `r = b3 r + d k <g, p_0 - p>`, `s = b3 s + d k g` (the
    paper has `1 - b3` before both second terms, which falls out), `next = max(d, d_coef r / |s|_1)`;
    `p - k m / (sqrt(v) + d eps) - k weight_decay p`, and then `d = next`. `new_d_eps` has `next eps` there, as the
    authors' code does. `safeguard_warmup` has `d d` for `d k` in `s`. Where `s` is 0 nothing changes `d`.
    """
    start, m, v = np.array(p, np.float64), Average(b1), Average(b2)
    r, s, d, c = 0.0, zeros(p), d0, float(np.sqrt(b2)) if b3 is None else b3

    def rule(g, p, t):
        nonlocal r, s, d
        k = d * rate * (np.sqrt(1 - b2**t) / (1 - b1**t) if debias else 1.0)
        m(d * g), v((d * g) ** 2)
        r = c * r + d * k * np.sum(g * (start - p))
        s = c * s + d * (d if safeguard_warmup else k) * g
        size = np.sum(np.abs(s))
        following = max(d, d_coef * r / size) if size else d
        u = quotient(m.now, np.sqrt(v.now) + (following if new_d_eps else d) * eps)
        d = following
        return p - k * (u + weight_decay * p)

    return run(p, gradients, rule, steps)


def dog(
    p: Any,
    gradients: Any,
    rate: float = 1.0,
    relative: float = 1e-6,
    eps: float = 1e-8,
    *,
    initial: float | None = None,
    weight_decay: float = 0.0,
    steps: int | None = None,
) -> np.ndarray:
    """Ivgi, Hinder & Carmon (2023), DoG is SGD's Best Friend: A Parameter-Free Dynamic Step Size Schedule.
    `r = max(r, |p - p_0|)`, `G = G + |g|^2`, `p - rate r / sqrt(G + eps) g`; `r` is `relative (1 + |p_0|)` at first, or
    `initial`. `eps` stands in the root once, not in each summand. The average of the parameters that the paper reports
    is left out.
    """
    start = np.array(p, np.float64)
    r, total = (relative * (1 + norm(start)) if initial is None else initial), 0.0

    def rule(g, p, t):
        nonlocal r, total
        r, total = max(r, norm(p - start)), total + norm(g) ** 2
        return p - rate * r / np.sqrt(total + eps) * (g + weight_decay * p)

    return run(p, gradients, rule, steps)


def dowg(
    p: Any,
    gradients: Any,
    rate: float = 1.0,
    eps: float = 1e-4,
    *,
    initial: float | None = None,
    weight_decay: float = 0.0,
    steps: int | None = None,
) -> np.ndarray:
    """Khaled, Mishchenko & Jin (2023), DoWG Unleashed: An Efficient Universal Parameter-Free Gradient Descent Method,
    algorithm 1. `q = max(q, |p - p_0|^2)`, `v = v + q |g|^2`, `p - rate q / (sqrt(v) + eps) g`. The squared distance
    `q` is `initial` at first, by default `eps`; that and the `eps` below are the authors' code, the paper has no `eps`.
    """
    start = np.array(p, np.float64)
    q, v = (eps if initial is None else initial), 0.0

    def rule(g, p, t):
        nonlocal q, v
        q = max(q, norm(p - start) ** 2)
        v = v + q * norm(g) ** 2
        return p - rate * q / (np.sqrt(v) + eps) * (g + weight_decay * p)

    return run(p, gradients, rule, steps)


def cocob(
    p: Any,
    gradients: Any,
    alpha: float = 100.0,
    eps: float = 1e-8,
    *,
    weight_decay: float = 0.0,
    steps: int | None = None,
) -> np.ndarray:
    """Orabona & Tommasi (2017), Training Deep Networks without Learning Rates Through Coin Betting, algorithm 2
    (COCOB-Backprop), entry by entry. `L = max(L, |g|)`, `G = G + |g|`, `R = max(R - g (p - p_0), 0)`, `S = S - g`, then
    `p = p_0 + S / (L max(G + L, alpha L)) (L + R)`. `L` is `eps` at first, as in the authors' code; 0 in the paper,
    where 0 / 0 = 0. No rate.
    """
    start = np.array(p, np.float64)
    largest, total, reward, theta = zeros(p) + eps, zeros(p), zeros(p), zeros(p)

    def rule(g, p, t):
        nonlocal largest, total, reward, theta
        largest, total, theta = np.maximum(largest, np.abs(g)), total + np.abs(g), theta - g
        reward = np.maximum(reward - g * (p - start), 0.0)
        below = largest * np.maximum(total + largest, alpha * largest)
        return start + quotient(theta, below) * (largest + reward) - weight_decay * p

    return run(p, gradients, rule, steps)


class _Lowest:
    """The lower bound of the loss in MoMo, which section 4 of the paper estimates if asked to."""

    def __init__(self, lowest: float, estimate: bool):
        self.now = self.least = lowest
        self.estimate = estimate

    def size(self, rate: float, decay: float, rho: float, f: float, gamma: float, dot: float, square: float) -> float:
        a = 1 + rate * decay
        cap = a * (f - gamma) + dot
        if self.estimate and cap < a * rho * self.now:
            self.now = max(cap / (2 * a * rho), self.least)
        tau = min(rate / rho, max(cap - a * rho * self.now, 0.0) / square) if square else 0.0
        if self.estimate:
            self.now = max((f + dot - gamma - tau * square / 2) / rho, self.least)
        return tau


def momo(
    p: Any,
    gradients: Any,
    value: Any,
    rate: float = 1.0,
    beta: float = 0.9,
    lowest: float = 0.0,
    *,
    debias: bool = False,
    estimate: bool = False,
    weight_decay: float = 0.0,
    steps: int | None = None,
) -> np.ndarray:
    """Schaipp et al. (2023), MoMo: Momentum Models for Adaptive Learning Rates, algorithm 1, and with `estimate` the
    lower bound of algorithm 3. Averages with `beta` of the gradient, `d`, of the loss, `f`, and of `<g, p>`, `gamma`,
    which start as the first values (`debias`: from 0, with `rho = 1 - beta^t`, else `rho = 1`).
    `a = 1 + rate weight_decay`, `tau = min(rate / rho, max(a (f - rho lowest - gamma) + <d, p>, 0) / |d|^2)`,
    `p = (p - tau d) / a`. With `estimate`, `lowest` is only the least the bound may be, and the bound's start: before
    the step, if `a (f - gamma) + <d, p> < a rho bound` the bound is half of where they are equal; after it,
    `bound = (f + <d, p> - gamma - tau |d|^2 / 2) / rho`. Where `d` is 0 the parameters stay but for the decay.
    """
    d = f = gamma = 0.0
    bound = _Lowest(lowest, estimate)

    def rule(g, p, t):
        nonlocal d, f, gamma
        b = 0.0 if t == 1 and not debias else beta
        d, f = b * d + (1 - b) * g, b * f + (1 - b) * at(value, p, t)
        gamma = b * gamma + (1 - b) * np.sum(g * p)
        rho = 1 - beta**t if debias else 1.0
        tau = bound.size(rate, weight_decay, rho, f, gamma, float(np.sum(d * p)), float(np.sum(d * d)))
        return (p - tau * d) / (1 + rate * weight_decay)

    return run(p, gradients, rule, steps)


def momo_adam(
    p: Any,
    gradients: Any,
    value: Any,
    rate: float = 0.01,
    b1: float = 0.9,
    b2: float = 0.999,
    eps: float = 1e-8,
    lowest: float = 0.0,
    *,
    estimate: bool = False,
    weight_decay: float = 0.0,
    steps: int | None = None,
) -> np.ndarray:
    """Schaipp et al. (2023), MoMo: Momentum Models for Adaptive Learning Rates, algorithm 2. As `momo` with averages
    from 0 (`b1`, `rho = 1 - b1^t`) and the norm of `D = sqrt(v / (1 - b2^t)) + eps`, with Adam's `v`:
    `tau = min(rate / rho, max(a (f - rho lowest - gamma) + <d, p>, 0) / <d, d / D>)`, `p = (p - tau d / D) / a`.
    """
    d, v, f, gamma = Average(b1), Average(b2), Average(b1), Average(b1)
    bound = _Lowest(lowest, estimate)

    def rule(g, p, t):
        d(g), v(g**2), f(at(value, p, t)), gamma(np.sum(g * p))
        scaled = d.now / (np.sqrt(v.debiased) + eps)
        dot, square = float(np.sum(d.now * p)), float(np.sum(d.now * scaled))
        tau = bound.size(rate, weight_decay, 1 - b1**t, f.now, gamma.now, dot, square)
        return (p - tau * scaled) / (1 + rate * weight_decay)

    return run(p, gradients, rule, steps)


def mechanic(
    p: Any,
    gradients: Any,
    rate: float = 0.01,
    betas: Sequence[float] = (0.9, 0.99, 0.999, 0.9999, 0.99999, 0.999999),
    s_init: float = 1e-8,
    decay: float = 0.01,
    eps: float = 1e-8,
    *,
    base: Callable[[np.ndarray, np.ndarray, int], np.ndarray] | None = None,
    variant: str = "paper",
    steps: int | None = None,
) -> np.ndarray:
    """Cutkosky, Defazio & Mehta (2023), Mechanic: A Learning Rate Tuner, algorithm 1, around `base`, which takes the
    gradient, the parameters and the step to what is to be added to the parameters; by default `-rate g`. With the sums
    `D` of the base's updates and `s` one number for each of the `n` `betas`, all from 0:
    `h = <D, g + decay sum(s) |g| p / |p|>` with the `D` before, `m = max(betas m, |h|)`, `v = betas^2 v + h^2`,
    `r = max(betas r - s h, 0)`, `s = (s_init m / n + r) / (sqrt(v) + eps)`, `D = D + base(g)`, `p = p_0 + sum(s) D`. 0
    is taken for `p / |p|` where `|p|` is 0. The authors' code starts `m` at 1e-6 and has in `h` the `p` that the base
    alone would step to. The variant "optax" is Optax's: it starts from `s = s_init` for each beta, takes `D` as
    `(p - p_0) / (sum(s) + eps)`, has `|p| + eps` in the quotient and `|h| + eps` in `m`, keeps `h` within `[-m, m]` of
    the `m` before in `r`, and takes the `max(r, 0)` for `s` only, keeping `r` itself negative.
    """
    start, b, n = np.array(p, np.float64), np.array(betas), len(betas)
    total, m, v, r = zeros(p), np.zeros(n), np.zeros(n), np.zeros(n)
    other = variant == "optax"
    s = np.full(n, s_init if other else 0.0)

    def rule(g, p, t):
        nonlocal total, m, v, r, s
        if other:
            total = (p - start) / (s.sum() + eps)
        direction = p / (norm(p) + eps) if other else quotient(p, norm(p))
        h = float(np.sum(total * (g + decay * s.sum() * norm(g) * direction)))
        r = b * r - (np.clip(h, -m, m) if other else h) * s
        r = r if other else np.maximum(r, 0.0)
        m = np.maximum(b * m, abs(h) + (eps if other else 0.0))
        v = b**2 * v + h**2
        s = (s_init * m / n + np.maximum(r, 0.0)) / (np.sqrt(v) + eps)
        total = total + (-rate * g if base is None else base(g, p, t))
        return start + s.sum() * total

    return run(p, gradients, rule, steps)
