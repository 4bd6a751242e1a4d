"""Zhuang et al. (2021), "Momentum Centering and Asynchronous Update for Adaptive Gradient Methods".

    u = g / (sqrt(s / (1 - b2^(t-1))) + eps), and g in the first step
    m = b1 m + (1 - b1) g
    s = b2 s + (1 - b2) (g - m)^2 + eps
    p = p - rate (u + weight_decay p)

The details follow the authors' code. The numerator is the gradient itself, and the divisor uses the `s` from before the
step. `stale_mean` uses the `m` of the previous step in `s`, as Optax does.
"""

import numpy as np

from papers.runner import Average, run, zeros


def path(p, gradients, rate=1e-3, b1=0.9, b2=0.999, eps=1e-16, *, stale_mean=False, weight_decay=0.0, steps=None):
    m, s = Average(b1), zeros(p)

    def rule(g, p, t):
        nonlocal s
        old = m.now
        m(g)
        u = g if t == 1 else g / (np.sqrt(s / (1 - b2 ** (t - 1))) + eps)
        s = b2 * s + (1 - b2) * (g - (old if stale_mean else m.now)) ** 2 + eps
        return p - rate * (u + weight_decay * p)

    return run(p, gradients, rule, steps)
