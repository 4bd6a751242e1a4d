"""Bernstein et al. (2018), "signSGD: Compressed Optimisation for Non-Convex Problems", algorithm 2.

m = beta m + (1 - beta) g
p = p - rate (sign(m) + weight_decay p)
"""

import numpy as np

from papers.runner import Average, run


def path(p, gradients, rate, beta=0.9, *, weight_decay=0.0, steps=None):
    m = Average(beta)

    def rule(g, p, t):
        return p - rate * (np.sign(m(g)) + weight_decay * p)

    return run(p, gradients, rule, steps)
