"""Daskalakis et al. (2018), "Training GANs with Optimism", and Mokhtari et al. (2020), "A Unified Analysis of
Extra-gradient and Optimistic Gradient Methods for Saddle Point Problems", which has `alpha` and `beta`.

    p = p - rate ((alpha + beta) g - beta g_before)

In the first step, `g_before` is `g`, so the step is `rate alpha g`.
"""

from papers.runner import run


def path(p, gradients, rate, alpha=1.0, beta=1.0, *, steps=None):
    before = None

    def rule(g, p, t):
        nonlocal before
        last, before = g if before is None else before, g
        return p - rate * ((alpha + beta) * g - beta * last)

    return run(p, gradients, rule, steps)
