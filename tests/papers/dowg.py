"""Khaled, Mishchenko & Jin (2023), "DoWG Unleashed: An Efficient Universal Parameter-Free Gradient Descent Method",
algorithm 1.

    q = max(q, |p - p_0|^2)
    v = v + q |g|^2
    p = p - rate q / (sqrt(v) + eps) (g + weight_decay p)

The squared distance `q` starts from `initial`, by default `eps`. This and the `eps` in the divisor follow the authors'
code; the paper has no `eps`.
"""

import numpy as np

from papers.runner import norm, run


def path(p, gradients, rate=1.0, eps=1e-4, *, initial=None, weight_decay=0.0, steps=None):
    start = np.array(p, np.float64)
    q, v = (eps if initial is None else initial), 0.0

    def rule(g, p, t):
        nonlocal q, v
        q = max(q, norm(p - start) ** 2)
        v = v + q * norm(g) ** 2
        return p - rate * q / (np.sqrt(v) + eps) * (g + weight_decay * p)

    return run(p, gradients, rule, steps)
