"""Zhao et al. (2024), "GaLore: Memory-Efficient LLM Training by Gradient Low-Rank Projection", algorithm 2.

    P = the first `rank` left singular vectors of g, if t - 1 is a multiple of `interval`
    x = P' g
    m = b1 m + (1 - b1) x
    v = b2 v + (1 - b2) x^2
    u = scale P (m / (sqrt(v) + eps) sqrt(1 - b2^t) / (1 - b1^t))
    p = p - rate (u + weight_decay p)

All this is of the transposes if the matrix has more rows than columns. The moments stay as they are when `P` changes.
The signs of the singular vectors matter from then on; `basis` may be another function that returns `P` for a gradient
with at most as many rows as columns and the rank.

The authors' code decays after the step, `p = (1 - rate weight_decay) (p - rate u)`. For a square matrix it projects the
inputs, as here.
"""

import numpy as np

from papers.runner import Average, run


def leading(g, rank):
    return np.linalg.svd(g, full_matrices=False)[0][:, :rank]


def path(
    p,
    gradients,
    rate=0.01,
    rank=4,
    interval=200,
    scale=0.25,
    b1=0.9,
    b2=0.999,
    eps=1e-6,
    *,
    basis=leading,
    weight_decay=0.0,
    steps=None,
):
    tall = np.shape(p)[0] > np.shape(p)[1]
    m, v, low = Average(b1), Average(b2), None

    def rule(g, p, t):
        nonlocal low
        wide = g.T if tall else g
        if (t - 1) % interval == 0:
            low = basis(wide, rank)
        x = low.T @ wide
        m(x)
        v(x**2)
        u = scale * low @ (m.now / (np.sqrt(v.now) + eps) * np.sqrt(1 - b2**t) / (1 - b1**t))
        return p - rate * ((u.T if tall else u) + weight_decay * p)

    return run(p, gradients, rule, steps)
