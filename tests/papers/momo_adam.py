"""Schaipp et al. (2023), "MoMo: Momentum Models for Adaptive Learning Rates", algorithm 2.

    d = b1 d + (1 - b1) g
    v = b2 v + (1 - b2) g^2
    f = b1 f + (1 - b1) value
    gamma = b1 gamma + (1 - b1) <g, p>
    D = sqrt(v / (1 - b2^t)) + eps
    rho = 1 - b1^t
    a = 1 + rate weight_decay
    tau = min(rate / rho, max(a (f - rho lowest - gamma) + <d, p>, 0) / <d, d / D>)
    p = (p - tau d / D) / a

This is MoMo in the norm of `D`. Its averages start from 0, and `estimate` estimates the lower bound as in MoMo.
"""

import numpy as np

from papers.momo import LowerBound
from papers.runner import Average, at, run


def path(
    p,
    gradients,
    value,
    rate=0.01,
    b1=0.9,
    b2=0.999,
    eps=1e-8,
    lowest=0.0,
    *,
    estimate=False,
    weight_decay=0.0,
    steps=None,
):
    d, v, f, gamma = Average(b1), Average(b2), Average(b1), Average(b1)
    bound = LowerBound(lowest, estimate)

    def rule(g, p, t):
        d(g)
        v(g**2)
        f(at(value, p, t))
        gamma(np.sum(g * p))
        scaled = d.now / (np.sqrt(v.debiased) + eps)
        dot, square = float(np.sum(d.now * p)), float(np.sum(d.now * scaled))
        tau = bound.step_size(rate, weight_decay, 1 - b1**t, f.now, gamma.now, dot, square)
        return (p - tau * scaled) / (1 + rate * weight_decay)

    return run(p, gradients, rule, steps)
