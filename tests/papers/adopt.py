"""Taniguchi et al. (2024), "ADOPT: Modified Adam Can Converge with Any beta2 with the Optimal Rate", algorithm 2.

    n = g / max(sqrt(v), eps), clipped to [-clip(t), clip(t)]
    m = b1 m + (1 - b1) n
    p = p - rate (m + weight_decay p)
    v = b2 v + (1 - b2) g^2

The first gradient only sets `v = g^2`; the parameters neither move nor decay. `clip` counts its steps from 1 at the
second gradient, and `clip=None` disables it. No average is debiased.
"""

import numpy as np

from papers.runner import Average, run


def path(p, gradients, rate=1e-3, b1=0.9, b2=0.9999, eps=1e-6, *, clip=lambda t: t**0.25, weight_decay=0.0, steps=None):
    m, v = Average(b1), None

    def rule(g, p, t):
        nonlocal v
        if v is None:
            v = g**2
            return p
        n = g / np.maximum(np.sqrt(v), eps)
        if clip is not None:
            n = np.clip(n, -clip(t - 1), clip(t - 1))
        v = b2 * v + (1 - b2) * g**2
        return p - rate * (m(n) + weight_decay * p)

    return run(p, gradients, rule, steps)
