"""Gupta et al. (2018), "Shampoo", with averages, grafting and blocks as in Shi et al. (2023), "A Distributed
Data-Parallel PyTorch Implementation of the Distributed Shampoo Optimizer".

    m = b1 m + (1 - b1) g
    L = b2 L + (1 - b2) g g'
    R = b2 R + (1 - b2) g' g
    v = b2 v + (1 - b2) g^2
    d = root(L / (1 - b2^t)) m / (1 - b1^t) root(R / (1 - b2^t))
    a = m / (1 - b1^t) / (sqrt(v / (1 - b2^t)) + graft_eps)
    u = d |a| / |d|
    p = p - rate (u + weight_decay p)

`root` is the power -1/4 by the eigenvalues, of which `min(smallest, 0)` is subtracted and to which `eps` is added. The
roots are computed in the first step and every `interval` steps after it, and kept in between. A side of length 1 has
no root, and then the other side's power is -1/2. With `block` the matrix is cut into `ceil(rows / block)` times
`ceil(columns / block)` blocks of one shape, the smallest that covers it, with zeros after its last row and column, and
every block is a matrix of its own, with its own grafting.

Where the authors' code differs:

- It grafts alone, that is steps by `a`, before `start_preconditioning_step`, which is at least `interval`, and computes
  roots in that step and where `t` is a multiple of `interval`. The two agree if `interval` is 1.
- It flattens a matrix of at most `max_preconditioner_dim` entries to a vector, whose power is -1/2, unless its target
  dimensionality is 2, and cuts blocks of `max_preconditioner_dim`, of which the last one may be smaller, without zeros.
  A block of one row in a matrix of several keeps both powers of -1/4.
- Its `b2` is 1 by default, which sums instead of averaging, and `graft_eps` is 1e-10.
- It adds `eps` to the diagonal before it looks for eigenvalues, and if the smallest one is below `eps`, subtracts that
  one and adds `eps`. It adds 1e-16 to `|d|`.
"""

import numpy as np

from papers.runner import Average, norm, quotient, run, zeros


def root(square, power, eps):
    values, vectors = np.linalg.eigh(square)
    return vectors * (values - min(values[0], 0.0) + eps) ** power @ vectors.T


class Block:
    """The state of one block: a call with its gradient returns its step."""

    def __init__(self, b1, b2, eps, graft_eps, interval):
        self.m, self.v, self.rows, self.columns = Average(b1), Average(b2), Average(b2), Average(b2)
        self.eps, self.graft_eps, self.interval = eps, graft_eps, interval

    def __call__(self, g, t):
        self.m(g)
        self.v(g**2)
        self.rows(g @ g.T)
        self.columns(g.T @ g)
        if (t - 1) % self.interval == 0:
            power = -1 / 2 if 1 in g.shape else -1 / 4
            one = np.ones((1, 1))
            self.left = one if g.shape[0] == 1 else root(self.rows.debiased, power, self.eps)
            self.right = one if g.shape[1] == 1 else root(self.columns.debiased, power, self.eps)
        d = self.left @ self.m.debiased @ self.right
        a = self.m.debiased / (np.sqrt(self.v.debiased) + self.graft_eps)
        return quotient(d, norm(d)) * norm(a)


def path(
    p,
    gradients,
    rate=1e-3,
    b1=0.9,
    b2=0.999,
    eps=1e-12,
    graft_eps=1e-8,
    interval=1,
    block=None,
    *,
    weight_decay=0.0,
    steps=None,
):
    rows, columns = np.shape(p)
    down, across = (1, 1) if block is None else (-(-rows // block), -(-columns // block))
    height, width = -(-rows // down), -(-columns // across)
    blocks = {(i, j): Block(b1, b2, eps, graft_eps, interval) for i in range(down) for j in range(across)}

    def rule(g, p, t):
        whole = np.pad(g, ((0, down * height - rows), (0, across * width - columns)))
        u = zeros(whole)
        for (i, j), step in blocks.items():
            part = slice(i * height, (i + 1) * height), slice(j * width, (j + 1) * width)
            u[part] = step(whole[part], t)
        return p - rate * (u[:rows, :columns] + weight_decay * p)

    return run(p, gradients, rule, steps)
