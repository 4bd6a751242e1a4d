"""Riedmiller & Braun (1993), "A direct adaptive method for faster backpropagation learning: the RPROP algorithm".

    s = sign(g h)
    size = size eta_plus where s > 0, size eta_minus where s < 0, clipped to [smallest, largest]
    h = 0 where s < 0, else g
    p = p - sign(h) size

`h` is the gradient that the previous step kept, and starts from 0; `size` starts from `rate`. This is iRprop- of Igel &
Huesken (2000), as in PyTorch: where the gradient changes sign, the parameter does not move, and the next step does not
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
