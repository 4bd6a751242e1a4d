"""Cao, Li & Song (2024), "Grams: Gradient Descent with Adaptive Momentum Scaling", algorithm 1.

m = b1 m + (1 - b1) g
v = b2 v + (1 - b2) g^2
u = sign(g) |m / (1 - b1^t) / (sqrt(v / (1 - b2^t)) + eps)|
p = p - rate (u + weight_decay p)
"""

import numpy as np

from papers.runner import Average, run


def path(p, gradients, rate=1e-3, b1=0.9, b2=0.999, eps=1e-6, *, weight_decay=0.0, steps=None):
    m, v = Average(b1), Average(b2)

    def rule(g, p, t):
        m(g)
        v(g**2)
        u = np.sign(g) * np.abs(m.debiased / (np.sqrt(v.debiased) + eps))
        return p - rate * (u + weight_decay * p)

    return run(p, gradients, rule, steps)
