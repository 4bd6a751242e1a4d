"""Pethick et al. (2025), "Training Deep Learning Models with Norm-Constrained LMOs", Scion with the spectral norm.

    m = (1 - alpha) m + alpha g
    u = radius sqrt(outputs / inputs) newton_schulz(m)
    p = p - rate (u + weight_decay p)

`constrained` keeps `p` within the radius by `p = (1 - rate) p - rate u`, which is a weight decay of 1, and comes on top
of `weight_decay`, which the paper does not have. `newton_schulz` is Muon's, with the coefficients of `JORDAN` in the
authors' code. That code calls `alpha` the momentum, with 1 as its default and 0.1 in its examples, where the radius of
the hidden layers is 50, and is constrained by default.
"""

import numpy as np

from papers.muon import YOU, newton_schulz, side
from papers.runner import Average, run


def path(
    p,
    gradients,
    rate=2**-12,
    radius=50.0,
    alpha=0.1,
    coefficients=YOU,
    *,
    constrained=False,
    weight_decay=0.0,
    steps=None,
):
    m, factor = Average(1 - alpha), radius * side("unit", *np.shape(p))

    def rule(g, p, t):
        u = factor * newton_schulz(m(g), coefficients)
        return p - rate * (u + (weight_decay + constrained) * p)

    return run(p, gradients, rule, steps)
