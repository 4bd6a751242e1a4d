"""Xie et al. (2022), "Adan: Adaptive Nesterov Momentum Algorithm for Faster Optimizing Deep Models", algorithm 1.

    d = g - g_before, and 0 in the first step
    m = b1 m + (1 - b1) g
    v = b2 v + (1 - b2) d
    n = b3 n + (1 - b3) (g + b2 d)^2
    u = (m + b2 v) / (sqrt(n) + eps), with all three debiased
    p = (p - rate u) / (1 + rate weight_decay)

The decays are the weights of the past, as in the authors' code. The paper's decays are the weights of the new value
(0.02, 0.08, 0.01), so its `1 - beta_2` is `b2`. `proximal=False` decays like the other methods,
`p - rate (u + weight_decay p)`.
"""

import numpy as np

from papers.runner import Average, run, zeros


def path(p, gradients, rate=1e-3, b1=0.98, b2=0.92, b3=0.99, eps=1e-8, *, weight_decay=0.0, proximal=True, steps=None):
    m, v, n, before = Average(b1), Average(b2), Average(b3), None

    def rule(g, p, t):
        nonlocal before
        d = zeros(p) if before is None else g - before
        before = g
        m(g)
        v(d)
        n((g + b2 * d) ** 2)
        u = (m.debiased + b2 * v.debiased) / (np.sqrt(n.debiased) + eps)
        if proximal:
            return (p - rate * u) / (1 + rate * weight_decay)
        return p - rate * (u + weight_decay * p)

    return run(p, gradients, rule, steps)
