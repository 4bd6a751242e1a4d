"""Zaheer et al. (2018), "Adaptive Methods for Nonconvex Optimization", algorithm 2.

    m = b1 m + (1 - b1) g
    v = v - (1 - b2) sign(v - g^2) g^2
    u = m / (sqrt(v) + eps)
    p = p - rate (u + weight_decay p)

`v` starts from `initial`. The algorithm debiases nothing; `debias` divides `m` by `1 - b1^t` and `v` by `1 - b2^t`.
Optax and others do so, and also start `m` from `m_initial = 1e-6`, so a parameter that never has a gradient moves.
"""

import numpy as np

from papers.runner import Average, run, zeros


def path(
    p,
    gradients,
    rate=0.01,
    b1=0.9,
    b2=0.999,
    eps=1e-3,
    initial=1e-6,
    *,
    m_initial=0.0,
    debias=False,
    weight_decay=0.0,
    steps=None,
):
    m, v = Average(b1), zeros(p) + initial
    m.now = zeros(p) + m_initial

    def rule(g, p, t):
        nonlocal v
        m(g)
        v = v - (1 - b2) * np.sign(v - g**2) * g**2
        first, second = (m.debiased, v / (1 - b2**t)) if debias else (m.now, v)
        return p - rate * (first / (np.sqrt(second) + eps) + weight_decay * p)

    return run(p, gradients, rule, steps)
