"""Duchi, Hazan & Singer (2011), "Adaptive Subgradient Methods for Online Learning and Stochastic Optimization".

    s = s + g^2
    p = p - rate g / (sqrt(s) + eps)

This is the diagonal form of the paper. The sum `s` starts from 0.
"""

import numpy as np

from papers.runner import run, zeros


def path(p, gradients, rate, eps=1e-8, *, steps=None):
    s = zeros(p)

    def rule(g, p, t):
        nonlocal s
        s = s + g**2
        return p - rate * g / (np.sqrt(s) + eps)

    return run(p, gradients, rule, steps)
