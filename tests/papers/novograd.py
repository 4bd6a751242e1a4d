"""Ginsburg et al. (2019), "Stochastic Gradient Methods with Layer-wise Adaptive Moments for Training of Deep Networks",
algorithm 1.

    v = b2 v + (1 - b2) |g|^2, and |g|^2 in the first step
    m = b1 m + g / (sqrt(v) + eps) + weight_decay p
    p = p - rate m

`v` is one number for the array. `m` has no factor `1 - b1`, and nothing is debiased. The first version of the paper had
`b1=0.9` and `b2=0.25`.
"""

import numpy as np

from papers.runner import norm, quotient, run, zeros


def path(p, gradients, rate, b1=0.95, b2=0.98, eps=1e-8, *, weight_decay=0.0, steps=None):
    m, v = zeros(p), None

    def rule(g, p, t):
        nonlocal m, v
        square = norm(g) ** 2
        v = square if v is None else b2 * v + (1 - b2) * square
        m = b1 * m + quotient(g, np.sqrt(v) + eps) + weight_decay * p
        return p - rate * m

    return run(p, gradients, rule, steps)
