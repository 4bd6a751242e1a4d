"""Wortsman et al. (2023), "Stable and low-precision training for large-scale vision-language models", algorithm 2.

    m = b1 m + (1 - b1) g, debiased
    v = b2 v + (1 - b2) g^2, debiased
    RMS = sqrt(mean(g^2 / max(v, eps^2)))
    size = rate / max(1, RMS / clip)
    p = p - size (m / (sqrt(v) + eps) + weight_decay p)

The paper writes the debiased averages as averages with the decays `b (1 - b^(t-1)) / (1 - b^t)`, and its `clip` is 1.
`decay_clipped=False` decays by `rate weight_decay p` instead, as the authors' code does.
"""

import numpy as np

from papers.runner import Average, run


def path(
    p, gradients, rate=2e-3, b1=0.9, b2=0.99, eps=1e-8, *, clip=1.0, decay_clipped=True, weight_decay=0.0, steps=None
):
    m, v = Average(b1), Average(b2)

    def rule(g, p, t):
        m(g)
        v(g**2)
        size = rate / max(1.0, float(np.sqrt(np.mean(g**2 / np.maximum(v.debiased, eps**2)))) / clip)
        u = m.debiased / (np.sqrt(v.debiased) + eps)
        return p - size * u - (size if decay_clipped else rate) * weight_decay * p

    return run(p, gradients, rule, steps)
