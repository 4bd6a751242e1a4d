"""Li et al. (2025), "NorMuon: Making Muon more efficient and scalable", as in the authors' code.

    v = momentum v + g
    d = g + momentum v with `nesterov`, else v
    O = newton_schulz(d)
    s = b2 s + (1 - b2) mean(O^2 over the inputs)
    N = O / (sqrt(s) + eps)
    u = side N |O| / (|N| + eps)
    p = p - rate (u + weight_decay p)

`s` has one number for each output neuron, a column of `[inputs, outputs]`, and is not debiased. `newton_schulz` and
`side` are Muon's; the authors' code has the coefficients of `JORDAN` and the side "width". The paper's algorithm 1 has
no Nesterov momentum, and scales by the size alone: `u = 0.2 sqrt(inputs outputs) N / |N|`, which `paper_size` selects.
"""

import numpy as np

from papers.muon import YOU, newton_schulz, side
from papers.runner import Average, norm, quotient, run, zeros


def path(
    p,
    gradients,
    rate=0.02,
    momentum=0.95,
    b2=0.95,
    eps=1e-10,
    coefficients=YOU,
    sides="width",
    *,
    nesterov=True,
    paper_size=False,
    weight_decay=0.0,
    steps=None,
):
    v, s = zeros(p), Average(b2)
    factor, size = side(sides, *np.shape(p)), 0.2 * np.sqrt(np.size(p))

    def rule(g, p, t):
        nonlocal v
        v = momentum * v + g
        direction = newton_schulz(g + momentum * v if nesterov else v, coefficients)
        each = direction / (np.sqrt(s(np.mean(direction**2, axis=0, keepdims=True))) + eps)
        scale = quotient(size, norm(each)) if paper_size else factor * norm(direction) / (norm(each) + eps)
        u = scale * each
        return p - rate * (u + weight_decay * p)

    return run(p, gradients, rule, steps)
