"""Pagliardini, Ablin & Grangier (2024), "The AdEMAMix Optimizer: Better, Faster, Older", algorithm 1.

    m = b1 m + (1 - b1) g
    v = b2 v + (1 - b2) g^2
    s = b3 s + (1 - b3) g
    u = (m / (1 - b1^t) + alpha s) / (sqrt(v / (1 - b2^t)) + eps)
    p = p - rate (u + weight_decay p)

The slow average `s` is not debiased. `alpha_warmup` and `b3_warmup` are the numbers of steps over which `alpha` and
`b3` rise. The paper has `alpha=5`; the authors' code has 2.
"""

import numpy as np

from papers.runner import Average, run, zeros


def path(
    p,
    gradients,
    rate=1e-3,
    b1=0.9,
    b2=0.999,
    b3=0.9999,
    alpha=5.0,
    eps=1e-8,
    *,
    alpha_warmup=None,
    b3_warmup=None,
    weight_decay=0.0,
    steps=None,
):
    m, v, s = Average(b1), Average(b2), zeros(p)

    def rule(g, p, t):
        nonlocal s
        a = alpha if alpha_warmup is None else alpha_at(t, alpha, alpha_warmup)
        b = b3 if b3_warmup is None else b3_at(t, b3, b3_warmup, b1)
        m(g)
        v(g**2)
        s = b * s + (1 - b) * g
        u = (m.debiased + a * s) / (np.sqrt(v.debiased) + eps)
        return p - rate * (u + weight_decay * p)

    return run(p, gradients, rule, steps)


def alpha_at(t, alpha, warmup):
    """The `alpha` of step `t`: `min(t alpha / warmup, alpha)`."""
    return min(t * alpha / warmup, alpha)


def b3_at(t, b3, warmup, start=0.9):
    """The `b3` of step `t`. Its half-life grows linearly from that of `start`, which is `b1` in the paper:
    `min(exp(ln start ln b3 / ((1 - t / warmup) ln b3 + t / warmup ln start)), b3)`.
    """
    low, high, part = np.log(start), np.log(b3), t / warmup
    return b3 if t >= warmup else min(float(np.exp(low * high / ((1 - part) * high + part * low))), b3)
