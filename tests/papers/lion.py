"""Chen et al. (2023), "Symbolic Discovery of Optimization Algorithms", algorithm 2.

    u = sign(b1 m + (1 - b1) g)
    m = b2 m + (1 - b2) g
    p = p - rate (u + weight_decay p)

`u` uses the `m` from before the step.
"""

import numpy as np

from papers.runner import Average, run


def path(p, gradients, rate, b1=0.9, b2=0.99, *, weight_decay=0.0, steps=None):
    m = Average(b2)

    def rule(g, p, t):
        u = np.sign(b1 * m.now + (1 - b1) * g)
        m(g)
        return p - rate * (u + weight_decay * p)

    return run(p, gradients, rule, steps)
