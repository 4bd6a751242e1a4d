"""Ivgi, Hinder & Carmon (2023), "DoG is SGD's Best Friend: A Parameter-Free Dynamic Step Size Schedule".

    r = max(r, |p - p_0|)
    G = G + |g|^2
    p = p - rate r / sqrt(G + eps) (g + weight_decay p)

`r` starts from `initial`, by default `relative (1 + |p_0|)`. `eps` is added once inside the root, not to each summand.
The paper recommends a `rate` of 1. It also reports an average of the parameters, which is omitted here.
"""

import numpy as np

from papers.runner import norm, run


def path(p, gradients, rate=1.0, relative=1e-6, eps=1e-8, *, initial=None, weight_decay=0.0, steps=None):
    start = np.array(p, np.float64)
    r, total = (relative * (1 + norm(start)) if initial is None else initial), 0.0

    def rule(g, p, t):
        nonlocal r, total
        r, total = max(r, norm(p - start)), total + norm(g) ** 2
        return p - rate * r / np.sqrt(total + eps) * (g + weight_decay * p)

    return run(p, gradients, rule, steps)
