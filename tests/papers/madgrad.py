"""Defazio & Jelassi (2021), "Adaptivity without Compromise: A Momentumized, Adaptive, Dual Averaged Gradient Method for
Stochastic Optimization", algorithm 1.

    w = rate sqrt(t)
    s = s + w g
    v = v + w g^2
    z = p_0 - s / (cbrt(v) + eps)
    p = momentum p + (1 - momentum) z - rate weight_decay p

The authors' code uses `rate + eps` as the rate. The paper has no decoupled decay.
"""

import numpy as np

from papers.runner import run, zeros


def path(p, gradients, rate=1e-2, momentum=0.9, eps=1e-6, *, weight_decay=0.0, steps=None):
    start, s, v = np.array(p, np.float64), zeros(p), zeros(p)

    def rule(g, p, t):
        nonlocal s, v
        w = rate * np.sqrt(t)
        s, v = s + w * g, v + w * g**2
        z = start - s / (np.cbrt(v) + eps)
        return momentum * p + (1 - momentum) * z - rate * weight_decay * p

    return run(p, gradients, rule, steps)
