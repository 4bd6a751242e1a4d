"""Polyak (1987), "Introduction to Optimization", and Loizou et al. (2021), "Stochastic Polyak Step-size for SGD".

    size = min((value - lowest) / (c |g|^2 + eps), largest)
    p = p - rate size (g + weight_decay p)

The bound `largest` comes from Loizou et al. (`SPS_max`); `largest=inf` is Polyak's own step. `rate` multiplies the size
and is in neither source. The difference can be negative, and then the size is negative too. Nothing moves if `g` is 0.
"""

import numpy as np

from papers.runner import at, run


def path(p, gradients, value, rate=1.0, lowest=0.0, *, largest=1.0, c=1.0, eps=0.0, weight_decay=0.0, steps=None):
    def rule(g, p, t):
        square = c * np.sum(g**2) + eps
        size = min((at(value, p, t) - lowest) / square, largest) if square else 0.0
        return p - rate * size * (g + weight_decay * p)

    return run(p, gradients, rule, steps)
