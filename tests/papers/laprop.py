"""Ziyin, Wang & Ueda (2020), "LaProp: Separating Momentum and Adaptivity in Adam", algorithm 1.

    v = b2 v + (1 - b2) g^2
    m = b1 m + (1 - b1) g / (sqrt(v / (1 - b2^t)) + eps)
    u = m / (1 - b1^t)
    p = p - rate (u + weight_decay p)

The authors' code multiplies by the rate inside `m`, which is the same for a constant rate, and its weight decay is not
multiplied by the rate.
"""

import numpy as np

from papers.runner import Average, run


def path(p, gradients, rate=4e-4, b1=0.9, b2=0.999, eps=1e-15, *, weight_decay=0.0, steps=None):
    m, v = Average(b1), Average(b2)

    def rule(g, p, t):
        v(g**2)
        m(g / (np.sqrt(v.debiased) + eps))
        return p - rate * (m.debiased + weight_decay * p)

    return run(p, gradients, rule, steps)
