"""Zhang et al. (2024), "Adam-mini: Use Fewer Learning Rates To Gain More".

    m = b1 m + (1 - b1) g
    v = b2 v + (1 - b2) mean(g^2)
    u = m / (1 - b1^t) / (sqrt(v / (1 - b2^t)) + eps)
    p = p - rate (u + weight_decay p)

The array is one block, so `v` is one number. The authors' code splits attention and embedding arrays, which it
recognises by name, into more blocks.
"""

import numpy as np

from papers.runner import Average, run


def path(p, gradients, rate=1e-3, b1=0.9, b2=0.999, eps=1e-8, *, weight_decay=0.0, steps=None):
    m, v = Average(b1), Average(b2)

    def rule(g, p, t):
        m(g)
        v(np.mean(g**2))
        return p - rate * (m.debiased / (np.sqrt(v.debiased) + eps) + weight_decay * p)

    return run(p, gradients, rule, steps)
