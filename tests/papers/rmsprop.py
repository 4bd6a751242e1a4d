"""Tieleman & Hinton (2012), "Lecture 6.5: RMSProp", and Graves (2013), "Generating Sequences with Recurrent Neural
Networks", equations 38 to 41.

    n = decay n + (1 - decay) g^2
    a = decay a + (1 - decay) g
    d = momentum d + g / (sqrt(n - a^2) + eps)
    p = p - rate d

By default, this is Hinton's rule, which has neither `a` nor momentum; `centered` subtracts `a^2`. Graves uses
`centered`, `eps_in_root`, which is `sqrt(n - a^2 + eps)`, `decay=0.95`, `momentum=0.9` and `eps=1e-4`. He multiplies by
the rate inside `d`, which is the same for a constant rate. No average is debiased.
"""

import numpy as np

from papers.runner import Average, run, zeros


def path(
    p, gradients, rate, decay=0.9, momentum=0.0, eps=1e-8, *, centered=False, eps_in_root=False, l2=0.0, steps=None
):
    n, a, d = Average(decay), Average(decay), zeros(p)

    def rule(g, p, t):
        nonlocal d
        g = g + l2 * p
        n(g**2)
        a(g)
        variance = np.maximum(n.now - a.now**2, 0.0) if centered else n.now
        d = momentum * d + g / (np.sqrt(variance + eps) if eps_in_root else np.sqrt(variance) + eps)
        return p - rate * d

    return run(p, gradients, rule, steps)
