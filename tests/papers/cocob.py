"""Orabona & Tommasi (2017), "Training Deep Networks without Learning Rates Through Coin Betting", algorithm 2.

    L = max(L, |g|)
    G = G + |g|
    R = max(R - g (p - p_0), 0)
    S = S - g
    p = p_0 + S / (L max(G + L, alpha L)) (L + R) - weight_decay p

This is COCOB-Backprop for each entry; it has no rate. `L` starts from `eps`, as in the authors' code; in the paper it
starts from 0, and 0 / 0 is 0. The paper has no decay.
"""

import numpy as np

from papers.runner import quotient, run, zeros


def path(p, gradients, alpha=100.0, eps=1e-8, *, weight_decay=0.0, steps=None):
    start = np.array(p, np.float64)
    largest, total, reward, theta = zeros(p) + eps, zeros(p), zeros(p), zeros(p)

    def rule(g, p, t):
        nonlocal largest, total, reward, theta
        largest, total, theta = np.maximum(largest, np.abs(g)), total + np.abs(g), theta - g
        reward = np.maximum(reward - g * (p - start), 0.0)
        below = largest * np.maximum(total + largest, alpha * largest)
        return start + quotient(theta, below) * (largest + reward) - weight_decay * p

    return run(p, gradients, rule, steps)
