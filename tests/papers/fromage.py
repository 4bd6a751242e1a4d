"""Bernstein et al. (2020), "On the distance between two neural networks and the stability of learning", algorithm 1.

    p = (p - rate |p| / |g| g) / sqrt(1 + rate^2)

The ratio of the norms is 1 where either norm is 0, as in the authors' code.
"""

import numpy as np

from papers.runner import norm, run


def path(p, gradients, rate=0.01, *, steps=None):
    def rule(g, p, t):
        ratio = norm(p) / norm(g) if norm(p) and norm(g) else 1.0
        return (p - rate * ratio * g) / np.sqrt(1 + rate**2)

    return run(p, gradients, rule, steps)
