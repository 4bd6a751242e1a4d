"""Kingma & Ba (2015), "Adam: A Method for Stochastic Optimization", algorithm 2.

    m = b1 m + (1 - b1) g
    n = max(b2 n, |g| + eps)
    u = m / ((1 - b1^t) n)
    p = p - rate (u + weight_decay p)

The paper has no `eps`; it is added to `|g|` as in PyTorch and Optax. With `eps=0`, a parameter that never has a
gradient does not move, because 0 / 0 is 0. `n` is not debiased. With `weight_decay`, which Loshchilov & Hutter (2019)
decouple, the rule is AdaMaxW; Optax decays by 1e-4.
"""

import numpy as np

from papers.runner import Average, quotient, run, zeros


def path(p, gradients, rate=0.002, b1=0.9, b2=0.999, eps=1e-8, *, l2=0.0, weight_decay=0.0, steps=None):
    m, n = Average(b1), zeros(p)

    def rule(g, p, t):
        nonlocal n
        g = g + l2 * p
        m(g)
        n = np.maximum(b2 * n, np.abs(g) + eps)
        return p - rate * (quotient(m.debiased, n) + weight_decay * p)

    return run(p, gradients, rule, steps)
