"""Si et al. (2025), "AdaMuon: Adaptive Muon Optimizer", algorithm 1.

    v = momentum v + g
    O = newton_schulz(sign(v))
    s = momentum s + (1 - momentum) O^2
    N = O / (sqrt(s) + eps)
    u = 0.2 sqrt(inputs outputs) N / (|N| + norm_eps)
    p = p - rate (u + weight_decay p)

`newton_schulz` is Muon's, and `s` is elementwise and not debiased. Where the authors' code for GPT-2 differs:

- It averages, `v = momentum v + (1 - momentum) g`, which has the same signs.
- By default it has Nesterov momentum, `O = newton_schulz(sign(g + momentum v))`, which `nesterov` selects.
- It adds `eps` to `|N|` too, so that `norm_eps` is 1e-8, and has the coefficients of `JORDAN`.

The authors' code for Megatron has no sign. Their first version had none either, and debiased `s`, with a decay of
0.999.
"""

import numpy as np

from papers.muon import YOU, newton_schulz
from papers.runner import Average, norm, quotient, run, zeros


def path(
    p,
    gradients,
    rate=0.02,
    momentum=0.95,
    eps=1e-8,
    norm_eps=0.0,
    coefficients=YOU,
    *,
    nesterov=False,
    weight_decay=0.0,
    steps=None,
):
    v, s, size = zeros(p), Average(momentum), 0.2 * np.sqrt(np.size(p))

    def rule(g, p, t):
        nonlocal v
        v = momentum * v + g
        direction = newton_schulz(np.sign(g + momentum * v if nesterov else v), coefficients)
        each = direction / (np.sqrt(s(direction**2)) + eps)
        u = size * quotient(each, norm(each) + norm_eps)
        return p - rate * (u + weight_decay * p)

    return run(p, gradients, rule, steps)
