"""Riedmiller & Braun (1993), "A direct adaptive method for faster backpropagation learning: the RPROP algorithm".

    s = sign(g h)
    size = size eta_plus where s > 0, size eta_minus where s < 0, and at least `smallest` and at most `largest`
    h = 0 where s < 0, else g
    p = p - sign(h) size

`h` is the gradient that the step before kept, at first 0, and `size` is `rate` at first. The form is iRprop- of Igel &
Huesken (2000), which PyTorch has: where the sign of the gradient turns, the parameter stays, and the next step does not
change the size.
"""

import numpy as np

from papers.runner import run, zeros


def path(p, gradients, rate=0.01, eta_minus=0.5, eta_plus=1.2, smallest=1e-6, largest=50.0, *, steps=None):
    size, kept = zeros(p) + rate, zeros(p)

    def rule(g, p, t):
        nonlocal size, kept
        s = np.sign(g * kept)
        size = np.clip(size * np.where(s > 0, eta_plus, np.where(s < 0, eta_minus, 1.0)), smallest, largest)
        kept = np.where(s < 0, 0.0, g)
        return p - np.sign(kept) * size

    return run(p, gradients, rule, steps)
