"""Morwani et al. (2025), "Connections between Schedule-Free Optimizers, AdEMAMix, and Accelerated SGD Variants".

    m = b1 m + g
    v = b2 v + (1 - b2) g^2
    u = (alpha g + m) / (sqrt(v / (1 - b2^t)) + eps)
    p = p - rate (u + weight_decay p)

`m` has no factor `1 - b1`, and it is not debiased, as by default in the authors' code. `b1_warmup` is the number of
steps over which `b1` rises from `b1_start`, as AdEMAMix raises its `b3`.
"""

import numpy as np

from papers import ademamix
from papers.runner import Average, run, zeros


def path(
    p,
    gradients,
    rate=1e-3,
    b1=0.99,
    b2=0.95,
    alpha=0.0,
    eps=1e-8,
    *,
    b1_warmup=None,
    b1_start=0.9,
    weight_decay=0.0,
    steps=None,
):
    m, v = zeros(p), Average(b2)

    def rule(g, p, t):
        nonlocal m
        m = (b1 if b1_warmup is None else ademamix.b3_at(t, b1, b1_warmup, b1_start)) * m + g
        v(g**2)
        return p - rate * ((alpha * g + m) / (np.sqrt(v.debiased) + eps) + weight_decay * p)

    return run(p, gradients, rule, steps)
