"""Yuan et al. (2024), "MARS: Unleashing the Power of Variance Reduction for Training Large Models", algorithm 2.

    c = g + gamma b1 / (1 - b1) (g - g_before)
    c = c / max(|c|, 1)
    m = b1 m + (1 - b1) c
    v = b2 v + (1 - b2) c^2
    u = m / (1 - b1^t) / (sqrt(v / (1 - b2^t)) + eps)
    p = p - rate (u + weight_decay p)

This is the approximate version of MARS-AdamW, where `g_before` is the gradient of the previous step on its own data. In
the first step, `g_before` is `g`, because the paper sets the previous parameters equal to the first; with `zero_before`
it is 0, as in the authors' code.
"""

import numpy as np

from papers.runner import Average, norm, run, zeros


def path(
    p, gradients, rate=3e-3, b1=0.95, b2=0.99, gamma=0.025, eps=1e-8, *, zero_before=False, weight_decay=0.0, steps=None
):
    m, v, before = Average(b1), Average(b2), zeros(p) if zero_before else None

    def rule(g, p, t):
        nonlocal before
        last, before = g if before is None else before, g
        c = g + gamma * b1 / (1 - b1) * (g - last)
        c = c / max(norm(c), 1.0)
        m(c)
        v(c**2)
        return p - rate * (m.debiased / (np.sqrt(v.debiased) + eps) + weight_decay * p)

    return run(p, gradients, rule, steps)
