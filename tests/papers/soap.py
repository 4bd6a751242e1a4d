"""Vyas et al. (2024), "SOAP: Improving and Stabilizing Shampoo using Adam", as in the authors' code.

The first gradient changes no parameter, not even by decay:

    L = (1 - b2) g g'
    R = (1 - b2) g' g
    U, V = the eigenvectors of L and R, by descending eigenvalues

The next ones do, where `k = t - 1` counts them from 1:

    x = U' g V
    m = b1 m + (1 - b1) x
    v = b2 v + (1 - b2) x^2
    u = U (m / (sqrt(v) + eps + floor sqrt(max(v))) sqrt(1 - b2^k) / (1 - b1^k)) V'
    p = p - rate (u + weight_decay p)
    L = b2 L + (1 - b2) g g'
    R = b2 R + (1 - b2) g' g

After every `interval`-th of these, that is where `k` is a multiple of `interval`, the columns of `U` are sorted by the
diagonal of `U' L U`, descending, and `U` becomes the orthogonal factor of `L U`, and likewise `V`. Then the rows and
columns of `v` are permuted as those of `U` and `V`, and `m` is turned from the old bases into the new ones.

The authors' code has no `floor`, and decays after the step, `p = (1 - rate weight_decay) (p - rate u)`. It adds 1e-30
to the diagonal before it looks for eigenvectors. If the first `L` or `R` has equal eigenvalues, as one of the two has
in a matrix that is not square, its eigenvectors and so the path depend on the routine. Their signs don't matter.
"""

import numpy as np

from papers.runner import Average, run, zeros


def basis(square):
    return np.linalg.eigh(square)[1][:, ::-1]


def following(square, old):
    """The next basis, and the order of the old one's columns in it."""
    order = np.argsort(-np.diag(old.T @ square @ old), kind="stable")
    return np.linalg.qr(square @ old[:, order])[0], order


def path(
    p,
    gradients,
    rate=3e-3,
    b1=0.95,
    b2=0.95,
    eps=1e-8,
    interval=10,
    floor=0.0,
    *,
    weight_decay=0.0,
    steps=None,
):
    rows, columns, m, v = Average(b2), Average(b2), zeros(p), zeros(p)
    left = right = None

    def rule(g, p, t):
        nonlocal left, right, m, v
        if t == 1:
            left, right = basis(rows(g @ g.T)), basis(columns(g.T @ g))
            return p
        k, x = t - 1, left.T @ g @ right
        m = b1 * m + (1 - b1) * x
        v = b2 * v + (1 - b2) * x**2
        y = m / (np.sqrt(v) + eps + floor * np.sqrt(v.max())) * np.sqrt(1 - b2**k) / (1 - b1**k)
        u = left @ y @ right.T
        rows(g @ g.T)
        columns(g.T @ g)
        if k % interval == 0:
            whole = left @ m @ right.T
            left, order = following(rows.now, left)
            v = v[order]
            right, order = following(columns.now, right)
            v = v[:, order]
            m = left.T @ whole @ right
        return p - rate * (u + weight_decay * p)

    return run(p, gradients, rule, steps)
