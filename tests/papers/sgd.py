"""Polyak (1964), "Some methods of speeding up the convergence of iteration methods": gradient descent with momentum.

    v = momentum v + g
    p = p - rate v

A momentum of 0 gives plain gradient descent. The rate is outside the momentum, as in PyTorch.
"""

from papers.runner import run, zeros


def path(p, gradients, rate, momentum=0.0, *, steps=None):
    v = zeros(p)

    def rule(g, p, t):
        nonlocal v
        v = momentum * v + g
        return p - rate * v

    return run(p, gradients, rule, steps)
