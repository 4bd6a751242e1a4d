"""Anil et al. (2019), "Memory-Efficient Adaptive Optimization", SM3-II.

    v = the smallest number kept for the slices that hold the entry, plus g^2
    kept = the largest v of each slice
    u = g / sqrt(v + eps), where 0 / 0 is 0
    m = momentum m + (1 - momentum) u
    p = p - rate m

The slices along each axis cover the array: they are the rows and columns of a matrix, or the entries of a vector, for
which the rule is that of Adagrad. The average `m` is not debiased, as in the authors' code. The paper has no `eps`.
"""

import numpy as np

from papers.runner import Average, quotient, run


def path(p, gradients, rate, momentum=0.9, eps=0.0, *, steps=None):
    m, kept = Average(momentum), None

    def rule(g, p, t):
        nonlocal kept
        least = 0.0 if kept is None else np.minimum.reduce(np.broadcast_arrays(*kept))
        v = least + g**2
        axes = range(g.ndim)
        kept = [v.max(axis=tuple(a for a in axes if a != axis), keepdims=True) for axis in axes] or [v]
        return p - rate * m(np.where(v > 0, quotient(g, np.sqrt(v + eps)), 0.0))

    return run(p, gradients, rule, steps)
