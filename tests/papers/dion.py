"""Ahn et al. (2025), "Dion: Distributed Orthonormalized Updates", algorithm 1.

    M = M + g
    P = the orthonormal columns of M' Q
    N = M P
    M = M - (1 - mu) N P'
    Q = N / (|each column of N| + eps)
    u = sqrt(outputs / inputs) Q P'
    p = p - rate (u + weight_decay p)

`q` is the first `Q`, of the shape `[inputs, rank]`, from a normal distribution in the authors' code. `P` comes from a
QR decomposition, whose signs do not matter. The authors' simple version does this. Their main one does it where
`outputs >= inputs`, and otherwise takes `P` from the side of the inputs, as `transposed` does: `P` is of `M Q`, where
`Q` is `[outputs, rank]`, `N = M' P`, `M = M - (1 - mu) P N'` and `u = sqrt(outputs / inputs) P Q'`. That version has a
randomized QR decomposition, with the same result but for rounding, and while `M` is 0 it keeps `Q` and takes no step;
here `Q` becomes 0.
"""

import numpy as np

from papers.muon import side
from papers.runner import run, zeros


def path(p, gradients, rate=0.01, mu=0.95, eps=1e-8, *, q, transposed=False, weight_decay=0.0, steps=None):
    factor = side("unit", *np.shape(p))
    q = np.array(q, np.float64)
    m = zeros(p)

    def rule(g, p, t):
        nonlocal m, q
        m = m + g
        a = m.T if transposed else m
        basis = np.linalg.qr(a.T @ q)[0]
        n = a @ basis
        a = a - (1 - mu) * n @ basis.T
        m = a.T if transposed else a
        q = n / (np.sqrt(np.sum(n**2, axis=0, keepdims=True)) + eps)
        u = factor * (basis @ q.T if transposed else q @ basis.T)
        return p - rate * (u + weight_decay * p)

    return run(p, gradients, rule, steps)
