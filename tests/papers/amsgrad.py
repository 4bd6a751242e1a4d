"""Reddi, Kale & Kumar (2018), "On the Convergence of Adam and Beyond", algorithm 2.

    m = b1 m + (1 - b1) g
    v = b2 v + (1 - b2) g^2
    w = max(w, v)
    u = m / (sqrt(w) + eps)
    p = p - rate (u + weight_decay p)

The paper debiases nothing and has no `eps`. The variant "pytorch" debiases after the maximum, `m / (1 - b1^t)` and
`w / (1 - b2^t)`, so the divisor can decrease. The variant "optax" debiases before it, `w = max(w, v / (1 - b2^t))`, and
debiases `m` as well.
"""

import numpy as np

from papers.runner import Average, run, zeros


def path(p, gradients, rate, b1=0.9, b2=0.999, eps=1e-8, *, variant="paper", l2=0.0, weight_decay=0.0, steps=None):
    m, v, w = Average(b1), Average(b2), zeros(p)

    def rule(g, p, t):
        nonlocal w
        g = g + l2 * p
        m(g)
        v(g**2)
        w = np.maximum(w, v.debiased if variant == "optax" else v.now)
        first = m.now if variant == "paper" else m.debiased
        second = w / (1 - b2**t) if variant == "pytorch" else w
        return p - rate * (first / (np.sqrt(second) + eps) + weight_decay * p)

    return run(p, gradients, rule, steps)
