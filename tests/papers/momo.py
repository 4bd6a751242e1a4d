"""Schaipp et al. (2023), "MoMo: Momentum Models for Adaptive Learning Rates", algorithm 1.

    d = beta d + (1 - beta) g
    f = beta f + (1 - beta) value
    gamma = beta gamma + (1 - beta) <g, p>
    a = 1 + rate weight_decay
    tau = min(rate / rho, max(a (f - rho lowest - gamma) + <d, p>, 0) / |d|^2)
    p = (p - tau d) / a

The averages start from the first values, and `rho` is 1. With `debias`, they start from 0, and `rho` is `1 - beta^t`.
If `d` is 0, the parameters only decay. With `estimate`, algorithm 3 estimates the lower bound of the loss; `lowest` is
then its initial value and its minimum.
"""

import numpy as np

from papers.runner import at, run


class LowerBound:
    """The lower bound of the loss, given or estimated.

    The estimate changes twice per step. Before the step, if `a (f - gamma) + <d, p> < a rho bound`, the bound becomes
    half of the value that makes both sides equal. After the step, `bound = (f + <d, p> - gamma - tau |d|^2 / 2) / rho`.
    """

    def __init__(self, lowest, estimate):
        self.now = self.least = lowest
        self.estimate = estimate

    def step_size(self, rate, decay, rho, f, gamma, dot, square):
        """The `tau` of this step, from `dot = <d, p>` and `square = |d|^2`."""
        a = 1 + rate * decay
        cap = a * (f - gamma) + dot
        if self.estimate and cap < a * rho * self.now:
            self.now = max(cap / (2 * a * rho), self.least)
        tau = min(rate / rho, max(cap - a * rho * self.now, 0.0) / square) if square else 0.0
        if self.estimate:
            self.now = max((f + dot - gamma - tau * square / 2) / rho, self.least)
        return tau


def path(
    p, gradients, value, rate=1.0, beta=0.9, lowest=0.0, *, debias=False, estimate=False, weight_decay=0.0, steps=None
):
    d = f = gamma = 0.0
    bound = LowerBound(lowest, estimate)

    def rule(g, p, t):
        nonlocal d, f, gamma
        b = 0.0 if t == 1 and not debias else beta
        d, f = b * d + (1 - b) * g, b * f + (1 - b) * at(value, p, t)
        gamma = b * gamma + (1 - b) * np.sum(g * p)
        rho = 1 - beta**t if debias else 1.0
        tau = bound.step_size(rate, weight_decay, rho, f, gamma, float(np.sum(d * p)), float(np.sum(d * d)))
        return (p - tau * d) / (1 + rate * weight_decay)

    return run(p, gradients, rule, steps)
