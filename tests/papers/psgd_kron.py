"""Li (2018), "Preconditioned Stochastic Gradient Descent", and Li (2022), "Black Box Lie Group Preconditioners for
SGD": PSGD Kron, as in kron_torch.

    m = b1 m + (1 - b1) g, and `n = m / (1 - b1^t)`
    x = n + sqrt(2^-23) mean(|n|) V
    A = Q x S'
    B = inv(Q)' V inv(S)
    Q = Q - precondition_rate / bound(A A' + B B') triu(A A' - B B') Q
    S = S - precondition_rate / bound(A' A + B' B) triu(A' A - B' B) S
    u = Q' Q n S' S
    u = u min(1, clip / (rms(u) + 1e-12))
    p = p - rate (u + weight_decay p)

`Q` and `S` are upper triangular and start from the identity. A side of length 1 or longer than `max_side` has the
diagonal of such a matrix, with the diagonals of the sums and differences and their largest magnitude as `bound`.
`bound` is a lower bound of the spectral norm of a symmetric matrix: with `C` the matrix over its largest magnitude and
`c` the column of `C` with the largest sum of squares, it is `|C y|` times that magnitude, where `y = C c / |C c|`.

`noise` is a function of the step `t` that returns `V`, standard normal numbers of the shape of `p`. `Q` and `S` change
before the step, where `t` is a multiple of `interval`, or where `interval`, if it is a function of `t`, is true. Before
every `balance`-th change both are scaled so that their largest magnitudes are the geometric mean of the two. This does
not change `A`, `B` or `u`, and so matters for rounding only.

Where kron_torch differs:

- It balances before a change too, but in a random 1 percent of the changes, all parameters together.
- If the preconditioner has the type of the momentum's quotient, float32 by default, it adds the noise in place, so that
  `u` is of `x` instead of `n` in the steps in which `Q` changes; `noise_in_step` does the same.
- It changes `Q` in the steps of `update_steps`, of which the first with a constant probability of `1 / interval` is
  `t = interval`.
- It has no weight decay for what has fewer than two dimensions.

The later versions of the author's own code smooth `bound`, and estimate it from random vectors.
"""

import numpy as np

from papers.runner import Average, rms, run


def update_probability(n, maximum=1.0, minimum=0.03, decay=0.001, flat_start=500):
    """kron_torch's probability of a change in the step after `n` steps, so that `n` is 0 in the first step."""
    return min(maximum, max(minimum, maximum * np.exp(-decay * (n - flat_start))))


def update_steps(steps, probability=update_probability):
    """The steps `t` up to `steps` in which kron_torch changes Q: not by chance, but after waits of 1 / probability."""
    chosen, waited = [], 0
    for t in range(1, steps + 1):
        waited += 1
        if waited >= 1 / probability(t - 1):
            chosen.append(t)
            waited = 0
    return chosen


def bound(square):
    largest = np.max(np.abs(square))
    scaled = square / largest
    x = scaled[:, np.argmax(np.sum(scaled**2, axis=0))] @ scaled
    return largest * np.linalg.norm(scaled @ (x / np.linalg.norm(x)))


def changed(q, a, b, precondition_rate):
    """The factor `q` of the rows of `a` and `b` after a change."""
    if q.ndim == 1:
        first, second = np.sum(a**2, axis=1), np.sum(b**2, axis=1)
        return q - precondition_rate / np.max(np.abs(first + second)) * (first - second) * q
    first, second = a @ a.T, b @ b.T
    return q - precondition_rate / bound(first + second) * np.triu(first - second) @ q


def matrix(q):
    return np.diag(q) if q.ndim == 1 else q


def path(
    p,
    gradients,
    rate=3e-4,
    b1=0.9,
    precondition_rate=0.1,
    interval=1,
    max_side=8192,
    clip=1.1,
    balance=100,
    *,
    noise,
    noise_in_step=False,
    weight_decay=0.0,
    steps=None,
):
    m, changes = Average(b1), 0
    left, right = (np.ones(n) if n == 1 or n > max_side else np.eye(n) for n in np.shape(p))
    damping = np.sqrt(float(np.finfo(np.float32).eps))

    def rule(g, p, t):
        nonlocal left, right, changes
        m(g)
        n = m.debiased
        if interval(t) if callable(interval) else t % interval == 0:
            changes += 1
            if changes % balance == 0:
                sizes = np.max(np.abs(left)), np.max(np.abs(right))
                mean = np.sqrt(sizes[0] * sizes[1])
                left, right = left * mean / sizes[0], right * mean / sizes[1]
            v = np.array(noise(t), np.float64)
            x = n + damping * np.mean(np.abs(n)) * v
            a = matrix(left) @ x @ matrix(right).T
            b = np.linalg.solve(matrix(left).T, v)
            b = np.linalg.solve(matrix(right).T, b.T).T
            left, right = changed(left, a, b, precondition_rate), changed(right, a.T, b.T, precondition_rate)
            if noise_in_step:
                n = x
        q, s = matrix(left), matrix(right)
        u = q.T @ q @ n @ s.T @ s
        u = u * min(1.0, clip / (rms(u) + 1e-12))
        return p - rate * (u + weight_decay * p)

    return run(p, gradients, rule, steps)
