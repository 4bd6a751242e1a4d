"""More update rules of the papers in NumPy and float64, written from the papers without the library: recent years.

The conventions are those of `papers`: steps are counted from 1, averages start from zero, `weight_decay` is decoupled,
`p - rate (u + weight_decay p)`, and off by default.
"""

from collections.abc import Callable
from typing import Any

import numpy as np

from papers import Average, norm, run, zeros


def ademamix(
    p: Any,
    gradients: Any,
    rate: float = 1e-3,
    b1: float = 0.9,
    b2: float = 0.999,
    b3: float = 0.9999,
    alpha: float = 5.0,
    eps: float = 1e-8,
    *,
    alpha_warmup: int | None = None,
    b3_warmup: int | None = None,
    weight_decay: float = 0.0,
    steps: int | None = None,
) -> np.ndarray:
    """Pagliardini, Ablin & Grangier (2024), The AdEMAMix Optimizer: Better, Faster, Older, algorithm 1. With Adam's
    debiased `m` (`b1`) and `v` (`b2`) and a slow `s = b s + (1 - b) g` that is not debiased:
    `u = (m + a s) / (sqrt(v) + eps)`. `a = ademamix_alpha(t)` and `b = ademamix_b3(t)` with the warm-up given, else
    `alpha` and `b3`; `t` starts from 1. `alpha=5` is the paper's; the authors' code has 2.
    """
    m, v, s = Average(b1), Average(b2), zeros(p)

    def rule(g, p, t):
        nonlocal s
        a = alpha if alpha_warmup is None else ademamix_alpha(t, alpha, alpha_warmup)
        b = b3 if b3_warmup is None else ademamix_b3(t, b3, b3_warmup, b1)
        m(g), v(g**2)
        s = b * s + (1 - b) * g
        u = (m.debiased + a * s) / (np.sqrt(v.debiased) + eps)
        return p - rate * (u + weight_decay * p)

    return run(p, gradients, rule, steps)


def ademamix_alpha(t: float, alpha: float, warmup: int) -> float:
    """The `alpha` of AdEMAMix in step `t`: `min(t alpha / warmup, alpha)`."""
    return min(t * alpha / warmup, alpha)


def ademamix_b3(t: float, b3: float, warmup: int, start: float = 0.9) -> float:
    """The `b3` of AdEMAMix in step `t`, whose half-life grows evenly from that of `start` (the paper's is `b1`):
    `min(exp(ln start ln b3 / ((1 - t / warmup) ln b3 + t / warmup ln start)), b3)`.
    """
    low, high, part = np.log(start), np.log(b3), t / warmup
    return b3 if t >= warmup else min(float(np.exp(low * high / ((1 - part) * high + part * low))), b3)


def simplified_ademamix(
    p: Any,
    gradients: Any,
    rate: float = 1e-3,
    b1: float = 0.99,
    b2: float = 0.95,
    alpha: float = 0.0,
    eps: float = 1e-8,
    *,
    b1_warmup: int | None = None,
    b1_start: float = 0.9,
    weight_decay: float = 0.0,
    steps: int | None = None,
) -> np.ndarray:
    """Morwani et al. (2025), Connections between Schedule-Free Optimizers, AdEMAMix, and Accelerated SGD Variants.
    `m = b1 m + g` without a `1 - b1`, `v = b2 v + (1 - b2) g^2`, `u = (alpha g + m) / (sqrt(v / (1 - b2^t)) + eps)`;
    `m` is not debiased, by the default of the authors' code. With `b1_warmup` the `b1` of step `t` is
    `ademamix_b3(t, b1, b1_warmup, b1_start)`.
    """
    m, v = zeros(p), Average(b2)

    def rule(g, p, t):
        nonlocal m
        m = (b1 if b1_warmup is None else ademamix_b3(t, b1, b1_warmup, b1_start)) * m + g
        v(g**2)
        return p - rate * ((alpha * g + m) / (np.sqrt(v.debiased) + eps) + weight_decay * p)

    return run(p, gradients, rule, steps)


def adopt(
    p: Any,
    gradients: Any,
    rate: float = 1e-3,
    b1: float = 0.9,
    b2: float = 0.9999,
    eps: float = 1e-6,
    *,
    clip: Callable[[int], float] | None = lambda t: t**0.25,
    weight_decay: float = 0.0,
    steps: int | None = None,
) -> np.ndarray:
    """Taniguchi et al. (2024), ADOPT: Modified Adam Can Converge with Any beta2 with the Optimal Rate, algorithm 2.
    The first gradient is only looked at: `v_0 = g^2`, and the parameters (and their decay) wait. Then, with `t` counted
    from 1 at the second gradient, `n = g / max(sqrt(v), eps)` with the `v` before, kept in `[-clip(t), clip(t)]`,
    `m = b1 m + (1 - b1) n`, `p - rate (m + weight_decay p)`, `v = b2 v + (1 - b2) g^2`. Nothing is debiased.
    `clip=None` leaves the clipping out.
    """
    m, v = Average(b1), None

    def rule(g, p, t):
        nonlocal v
        if v is None:
            v = g**2
            return p
        n = g / np.maximum(np.sqrt(v), eps)
        if clip is not None:
            n = np.clip(n, -clip(t - 1), clip(t - 1))
        v = b2 * v + (1 - b2) * g**2
        return p - rate * (m(n) + weight_decay * p)

    return run(p, gradients, rule, steps)


def mars_adamw(
    p: Any,
    gradients: Any,
    rate: float = 3e-3,
    b1: float = 0.95,
    b2: float = 0.99,
    gamma: float = 0.025,
    eps: float = 1e-8,
    *,
    zero_before: bool = False,
    weight_decay: float = 0.0,
    steps: int | None = None,
) -> np.ndarray:
    """Yuan et al. (2024), MARS: Unleashing the Power of Variance Reduction for Training Large Models, algorithm 2 in
    its approximate version, where the gradient before is that of the step before on its own data.
    `c = g + gamma b1 / (1 - b1) (g - g_before)`, `c / |c|` if `|c| > 1`, then Adam of `c` with both averages debiased.
    The first step has `g_before = g`, as the paper has the same parameters before it; `zero_before` has 0 there, as
    the authors' code does.
    """
    m, v, before = Average(b1), Average(b2), zeros(p) if zero_before else None

    def rule(g, p, t):
        nonlocal before
        last, before = g if before is None else before, g
        c = g + gamma * b1 / (1 - b1) * (g - last)
        c = c / max(norm(c), 1.0)
        m(c), v(c**2)
        return p - rate * (m.debiased / (np.sqrt(v.debiased) + eps) + weight_decay * p)

    return run(p, gradients, rule, steps)


def adam_mini(
    p: Any,
    gradients: Any,
    rate: float = 1e-3,
    b1: float = 0.9,
    b2: float = 0.999,
    eps: float = 1e-8,
    *,
    weight_decay: float = 0.0,
    steps: int | None = None,
) -> np.ndarray:
    """Zhang et al. (2024), Adam-mini: Use Fewer Learning Rates To Gain More, with the array as one block. AdamW with
    `v = b2 v + (1 - b2) mean(g^2)`, one number: `u = m / (1 - b1^t) / (sqrt(v / (1 - b2^t)) + eps)`. The authors' code
    has more blocks in the arrays of attention and of embeddings, which it knows by name.
    """
    m, v = Average(b1), Average(b2)

    def rule(g, p, t):
        m(g), v(np.mean(g**2))
        return p - rate * (m.debiased / (np.sqrt(v.debiased) + eps) + weight_decay * p)

    return run(p, gradients, rule, steps)


def stable_adamw(
    p: Any,
    gradients: Any,
    rate: float = 2e-3,
    b1: float = 0.9,
    b2: float = 0.99,
    eps: float = 1e-8,
    *,
    clip: float = 1.0,
    decay_clipped: bool = True,
    weight_decay: float = 0.0,
    steps: int | None = None,
) -> np.ndarray:
    """Wortsman et al. (2023), Stable and low-precision training for large-scale vision-language models, algorithm 2.
    Averages with betas `b (1 - b^(t-1)) / (1 - b^t)`, which are the debiased averages `m`, `v`;
    `RMS = sqrt(mean(g^2 / max(v, eps^2)))`, `size = rate / max(1, RMS / clip)`,
    `p - size m / (sqrt(v) + eps) - size weight_decay p`. Not `decay_clipped` decays by `rate weight_decay p`, as the
    authors' code does. The paper has `clip=1`.
    """
    m, v = Average(b1), Average(b2)

    def rule(g, p, t):
        m(g), v(g**2)
        size = rate / max(1.0, float(np.sqrt(np.mean(g**2 / np.maximum(v.debiased, eps**2)))) / clip)
        u = m.debiased / (np.sqrt(v.debiased) + eps)
        return p - size * u - (size if decay_clipped else rate) * weight_decay * p

    return run(p, gradients, rule, steps)


def cautious_adamw(
    p: Any,
    gradients: Any,
    rate: float = 1e-3,
    b1: float = 0.9,
    b2: float = 0.999,
    eps: float = 1e-8,
    *,
    scale: str = "paper",
    raw_eps: bool = False,
    weight_decay: float = 0.0,
    steps: int | None = None,
) -> np.ndarray:
    """Liang et al. (2024), Cautious Optimizers: Improving Training with One Line of Code, algorithm 2. Adam's debiased
    update `u = m / (sqrt(v) + eps)` is multiplied by the mask `u g > 0` and by a scale: "paper" is `size / (count + 1)`
    with `count` the number of entries that the mask keeps, "mean" is `1 / max(mean(mask), 1e-3)` of the authors' code
    now. The mask and the scale are of the one array. The decay is neither masked nor scaled. `raw_eps` puts `eps`
    beside the raw root, `(sqrt(v') + eps) / sqrt(1 - b2^t)`, as the authors' code does, with 1e-6.
    """
    m, v = Average(b1), Average(b2)

    def rule(g, p, t):
        m(g), v(g**2)
        root = (np.sqrt(v.now) + eps) / np.sqrt(1 - b2**t) if raw_eps else np.sqrt(v.debiased) + eps
        u = m.debiased / root
        mask = (u * g > 0).astype(np.float64)
        factor = mask.size / (mask.sum() + 1) if scale == "paper" else 1 / max(mask.mean(), 1e-3)
        return p - rate * (u * mask * factor + weight_decay * p)

    return run(p, gradients, rule, steps)


def grams(
    p: Any,
    gradients: Any,
    rate: float = 1e-3,
    b1: float = 0.9,
    b2: float = 0.999,
    eps: float = 1e-6,
    *,
    weight_decay: float = 0.0,
    steps: int | None = None,
) -> np.ndarray:
    """Cao, Li & Song (2024), Grams: Gradient Descent with Adaptive Momentum Scaling, algorithm 1. With Adam's debiased
    `m` and `v`: `u = sign(g) |m / (sqrt(v) + eps)|`, `p - rate (u + weight_decay p)`. sign(0) is 0.
    """
    m, v = Average(b1), Average(b2)

    def rule(g, p, t):
        m(g), v(g**2)
        u = np.sign(g) * np.abs(m.debiased / (np.sqrt(v.debiased) + eps))
        return p - rate * (u + weight_decay * p)

    return run(p, gradients, rule, steps)


def laprop(
    p: Any,
    gradients: Any,
    rate: float = 4e-4,
    b1: float = 0.9,
    b2: float = 0.999,
    eps: float = 1e-15,
    *,
    weight_decay: float = 0.0,
    steps: int | None = None,
) -> np.ndarray:
    """Ziyin, Wang & Ueda (2020), LaProp: Separating Momentum and Adaptivity in Adam, algorithm 1.
    `v = b2 v + (1 - b2) g^2`, `m = b1 m + (1 - b1) g / (sqrt(v / (1 - b2^t)) + eps)`, `u = m / (1 - b1^t)`. The
    authors' code has the rate inside `m`, the same for a constant rate, and a weight decay that the rate does not
    multiply.
    """
    m, v = Average(b1), Average(b2)

    def rule(g, p, t):
        v(g**2)
        m(g / (np.sqrt(v.debiased) + eps))
        return p - rate * (m.debiased + weight_decay * p)

    return run(p, gradients, rule, steps)


def madgrad(
    p: Any,
    gradients: Any,
    rate: float = 1e-2,
    momentum: float = 0.9,
    eps: float = 1e-6,
    *,
    weight_decay: float = 0.0,
    steps: int | None = None,
) -> np.ndarray:
    """Defazio & Jelassi (2021), Adaptivity without Compromise: A Momentumized, Adaptive, Dual Averaged Gradient Method
    for Stochastic Optimization, algorithm 1. `w = rate sqrt(t)`, `s = s + w g`, `v = v + w g^2`,
    `z = p_0 - s / (cbrt(v) + eps)`, `momentum p + (1 - momentum) z`. The authors' code takes `rate + eps` for the rate.
    """
    start, s, v = np.array(p, np.float64), zeros(p), zeros(p)

    def rule(g, p, t):
        nonlocal s, v
        w = rate * np.sqrt(t)
        s, v = s + w * g, v + w * g**2
        z = start - s / (np.cbrt(v) + eps)
        return momentum * p + (1 - momentum) * z - rate * weight_decay * p

    return run(p, gradients, rule, steps)


def sophia(
    p: Any,
    gradients: Any,
    hessian: Callable[[np.ndarray], Any],
    rate: float,
    b1: float = 0.965,
    b2: float = 0.99,
    eps: float = 1e-12,
    gamma: float = 0.01,
    clip: float = 1.0,
    interval: int = 10,
    *,
    debias: bool = False,
    late: bool = False,
    weight_decay: float = 0.0,
    steps: int | None = None,
) -> np.ndarray:
    """Liu et al. (2023), Sophia: A Scalable Stochastic Second-order Optimizer for Language Model Pre-training,
    algorithm 3; `hessian` takes the parameters to (an estimate of) the diagonal of the Hessian.
    `m = b1 m + (1 - b1) g`; in steps 1, 1 + interval, ... `h = b2 h + (1 - b2) hessian(p)`, before it is used;
    `u = m / max(gamma h, eps)` kept in `[-clip, clip]`. The decay comes first, `p (1 - rate weight_decay) - rate u`,
    the same number. Nothing is debiased in the paper; `debias` divides `m` by `1 - b1^t`, as the authors' Sophia-H and
    Optax do, and `late` renews `h` after it is used, as Optax does (so the first step has `h = 0`: a step of signs).
    """
    m, h = Average(b1), Average(b2)
    h.now = zeros(p)

    def rule(g, p, t):
        m(g)
        renew = (t - 1) % interval == 0
        if renew and not late:
            h(np.asarray(hessian(p)))
        u = np.clip((m.debiased if debias else m.now) / np.maximum(gamma * h.now, eps), -clip, clip)
        if renew and late:
            h(np.asarray(hessian(p)))
        return p - rate * (u + weight_decay * p)

    return run(p, gradients, rule, steps)


def acprop(
    p: Any,
    gradients: Any,
    rate: float = 1e-3,
    b1: float = 0.9,
    b2: float = 0.999,
    eps: float = 1e-16,
    *,
    stale_mean: bool = False,
    weight_decay: float = 0.0,
    steps: int | None = None,
) -> np.ndarray:
    """Zhuang et al. (2021), Momentum Centering and Asynchronous Update for Adaptive Gradient Methods, with the details
    of the authors' code. `m = b1 m + (1 - b1) g`, `u = g / (sqrt(s / (1 - b2^(t-1))) + eps)` with the `s` before, and
    `u = g` in the first step; then `s = b2 s + (1 - b2) (g - m)^2 + eps`, with the `m` of this step. Only the paper's
    numerator `g` has no average. `stale_mean` has the `m` of the step before in `s`, as Optax does.
    """
    m, s = Average(b1), zeros(p)

    def rule(g, p, t):
        nonlocal s
        old = m.now
        m(g)
        u = g if t == 1 else g / (np.sqrt(s / (1 - b2 ** (t - 1))) + eps)
        s = b2 * s + (1 - b2) * (g - (old if stale_mean else m.now)) ** 2 + eps
        return p - rate * (u + weight_decay * p)

    return run(p, gradients, rule, steps)
