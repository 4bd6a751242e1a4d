"""Liu et al. (2020), "On the Variance of the Adaptive Learning Rate and Beyond", algorithm 2.

    m = b1 m + (1 - b1) g
    v = b2 v + (1 - b2) g^2
    n = 2 / (1 - b2) - 1
    rho = n - 2 t b2^t / (1 - b2^t)
    r = sqrt((rho - 4) (rho - 2) n / ((n - 4) (n - 2) rho))
    u = r sqrt(1 - b2^t) / (sqrt(v) + eps) m / (1 - b1^t) where rho > threshold, else m / (1 - b1^t)
    p = p - rate (u + weight_decay p)

The paper's threshold is 4, and it has no `eps`. The threshold of 5 and the `eps` added to the root of the biased `v`
follow the authors' code and PyTorch. `debiased_eps` adds `eps` to the debiased root, `sqrt(v / (1 - b2^t)) + eps`.
"""

import numpy as np

from papers.runner import Average, run


def path(
    p,
    gradients,
    rate,
    b1=0.9,
    b2=0.999,
    eps=1e-8,
    *,
    threshold=5.0,
    debiased_eps=False,
    l2=0.0,
    weight_decay=0.0,
    steps=None,
):
    m, v, n = Average(b1), Average(b2), 2 / (1 - b2) - 1

    def rule(g, p, t):
        g = g + l2 * p
        m(g)
        v(g**2)
        rho = n - 2 * t * b2**t / (1 - b2**t)
        u = m.debiased
        if rho > threshold:
            r = np.sqrt((rho - 4) * (rho - 2) * n / ((n - 4) * (n - 2) * rho))
            root = np.sqrt(v.debiased) + eps if debiased_eps else (np.sqrt(v.now) + eps) / np.sqrt(1 - b2**t)
            u = r * u / root
        return p - rate * (u + weight_decay * p)

    return run(p, gradients, rule, steps)
