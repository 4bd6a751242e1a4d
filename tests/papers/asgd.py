"""Polyak & Juditsky (1992), "Acceleration of Stochastic Approximation by Averaging", with the rates of Bottou (2012).

    e = rate / (1 + lambd rate (t - 1))^alpha
    p = p (1 - lambd e) - e g
    a = a + (p - a) / max(1, t - 1 - t0)

The rule is that of torch.optim.ASGD. The first step sets `a = p`. With `average`, the path is that of `a` instead of
`p`, from the same initial parameters.
"""

import numpy as np

from papers.runner import run


def path(p, gradients, rate=0.01, lambd=1e-4, alpha=0.75, t0=1e6, *, l2=0.0, average=False, steps=None):
    averages = [np.array(p, np.float64)]

    def rule(g, p, t):
        e = rate / (1 + lambd * rate * (t - 1)) ** alpha
        p = p * (1 - lambd * e) - e * (g + l2 * p)
        averages.append(averages[-1] + (p - averages[-1]) / max(1, t - 1 - t0))
        return p

    parameters = run(p, gradients, rule, steps)
    return np.stack(averages) if average else parameters
