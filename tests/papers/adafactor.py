"""Shazeer & Stern (2018), "Adafactor: Adaptive Learning Rates with Sublinear Memory Cost", algorithms 4 and 5.

    b = 1 - t^-decay
    R = b R + (1 - b) rowmean(g^2 + eps1), and C likewise for the columns
    V = R C / mean(R) for a matrix, else V = b V + (1 - b) (g^2 + eps1)
    u = g / sqrt(V)
    u = u / max(1, RMS(u) / clip)
    p = p - rate max(eps2, RMS(p)) u - rate weight_decay p

`b` is 0 in the first step. `relative_step` multiplies `u` by `min(rate, 1 / sqrt(t))` instead of the rate, and
`parameter_scale=False` replaces the maximum with 1. The paper has no weight decay; here it is multiplied by the rate
alone, as in PyTorch.
"""

import numpy as np

from papers.runner import rms, run


def path(
    p,
    gradients,
    rate=0.01,
    decay=0.8,
    clip=1.0,
    eps1=1e-30,
    eps2=1e-3,
    *,
    factored=True,
    parameter_scale=True,
    relative_step=False,
    weight_decay=0.0,
    steps=None,
):
    rows = columns = whole = 0.0

    def rule(g, p, t):
        nonlocal rows, columns, whole
        b, square = 1 - float(t) ** -decay, g**2 + eps1
        if factored and g.ndim == 2:
            rows = b * rows + (1 - b) * square.mean(1, keepdims=True)
            columns = b * columns + (1 - b) * square.mean(0, keepdims=True)
            v = rows * columns / rows.mean()
        else:
            v = whole = b * whole + (1 - b) * square
        u = g / np.sqrt(v)
        u = u / max(1.0, rms(u) / clip)
        size = min(rate, 1 / np.sqrt(t)) if relative_step else rate
        return p - size * (max(eps2, rms(p)) if parameter_scale else 1.0) * u - rate * weight_decay * p

    return run(p, gradients, rule, steps)
