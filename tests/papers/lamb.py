"""You et al. (2020), "Large Batch Optimization for Deep Learning: Training BERT in 76 minutes", algorithm 2.

    m = b1 m + (1 - b1) g
    v = b2 v + (1 - b2) g^2
    u = m / (1 - b1^t) / (sqrt(v / (1 - b2^t)) + eps) + weight_decay p
    p = p - rate |p| / |u| u

The paper's `phi` is the identity. The ratio of the norms is 1 where either norm is 0.
"""

import numpy as np

from papers.runner import Average, norm, run


def path(p, gradients, rate, b1=0.9, b2=0.999, eps=1e-6, *, weight_decay=0.0, steps=None):
    m, v = Average(b1), Average(b2)

    def rule(g, p, t):
        m(g)
        v(g**2)
        u = m.debiased / (np.sqrt(v.debiased) + eps) + weight_decay * p
        return p - rate * (norm(p) / norm(u) if norm(p) and norm(u) else 1.0) * u

    return run(p, gradients, rule, steps)
