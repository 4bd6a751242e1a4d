"""Zhuang et al. (2020), "AdaBelief Optimizer: Adapting Stepsizes by the Belief in Observed Gradients".

    m = b1 m + (1 - b1) g
    s = b2 s + (1 - b2) (g - m)^2 + eps
    u = m / (1 - b1^t) / (sqrt(s / (1 - b2^t)) + eps)
    p = p - rate (u + weight_decay p)

The squared distance uses the average `m` of this step. `eps` is added to `s` in each step, and to the root.
"""

import numpy as np

from papers.runner import Average, run, zeros


def path(p, gradients, rate, b1=0.9, b2=0.999, eps=1e-16, *, l2=0.0, weight_decay=0.0, steps=None):
    m, s = Average(b1), zeros(p)

    def rule(g, p, t):
        nonlocal s
        g = g + l2 * p
        m(g)
        s = b2 * s + (1 - b2) * (g - m.now) ** 2 + eps
        u = m.debiased / (np.sqrt(s / (1 - b2**t)) + eps)
        return p - rate * (u + weight_decay * p)

    return run(p, gradients, rule, steps)
