"""Liang et al. (2024), "Cautious Optimizers: Improving Training with One Line of Code", algorithm 2, around AdamW.

    m = b1 m + (1 - b1) g
    v = b2 v + (1 - b2) g^2
    u = m / (1 - b1^t) / (sqrt(v / (1 - b2^t)) + eps)
    mask = 1 where u g > 0, else 0
    p = p - rate (size / (count + 1) mask u + weight_decay p)

`size` is the number of entries of the array, and `count` is the number that the mask keeps. The decay is neither masked
nor scaled. `scale="mean"` uses the factor `1 / max(mean(mask), 1e-3)` of the authors' current code. `raw_eps` adds
`eps` to the root of the biased `v`, `(sqrt(v) + eps) / sqrt(1 - b2^t)`, as the authors' code does with 1e-6.
"""

import numpy as np

from papers.runner import Average, run


def path(
    p, gradients, rate=1e-3, b1=0.9, b2=0.999, eps=1e-8, *, scale="paper", raw_eps=False, weight_decay=0.0, steps=None
):
    m, v = Average(b1), Average(b2)

    def rule(g, p, t):
        m(g)
        v(g**2)
        root = (np.sqrt(v.now) + eps) / np.sqrt(1 - b2**t) if raw_eps else np.sqrt(v.debiased) + eps
        u = m.debiased / root
        mask = (u * g > 0).astype(np.float64)
        factor = mask.size / (mask.sum() + 1) if scale == "paper" else 1 / max(mask.mean(), 1e-3)
        return p - rate * (u * mask * factor + weight_decay * p)

    return run(p, gradients, rule, steps)
