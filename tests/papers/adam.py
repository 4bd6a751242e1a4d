"""Kingma & Ba (2015), "Adam: A Method for Stochastic Optimization", algorithm 1.

    m = b1 m + (1 - b1) g
    v = b2 v + (1 - b2) g^2
    u = m / (1 - b1^t) / (sqrt(v / (1 - b2^t)) + eps)
    p = p - rate (u + weight_decay p)

The paper has no decay. With `weight_decay` the rule is AdamW of Loshchilov & Hutter (2019), "Decoupled Weight Decay
Regularization", algorithm 2; with `l2` it is the Adam with an L2 penalty that they compare it with.
"""

import numpy as np

from papers.runner import Average, run


def path(p, gradients, rate, b1=0.9, b2=0.999, eps=1e-8, *, l2=0.0, weight_decay=0.0, steps=None):
    m, v = Average(b1), Average(b2)

    def rule(g, p, t):
        g = g + l2 * p
        m(g)
        v(g**2)
        return p - rate * (m.debiased / (np.sqrt(v.debiased) + eps) + weight_decay * p)

    return run(p, gradients, rule, steps)
