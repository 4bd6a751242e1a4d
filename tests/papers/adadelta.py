"""Zeiler (2012), "ADADELTA: An Adaptive Learning Rate Method", algorithm 1.

    E = rho E + (1 - rho) g^2
    u = sqrt(D + eps) / sqrt(E + eps) g
    D = rho D + (1 - rho) u^2
    p = p - rate (u + weight_decay p)

The paper has no rate; here it is 1 by default. `D` averages `u` before the rate multiplies it. `eps` is inside both
roots, and no average is debiased.
"""

import numpy as np

from papers.runner import Average, run


def path(p, gradients, rate=1.0, rho=0.95, eps=1e-6, *, l2=0.0, weight_decay=0.0, steps=None):
    squares, moves = Average(rho), Average(rho)

    def rule(g, p, t):
        g = g + l2 * p
        u = np.sqrt(moves.now + eps) / np.sqrt(squares(g**2) + eps) * g
        moves(u**2)
        return p - rate * (u + weight_decay * p)

    return run(p, gradients, rule, steps)
