"""Liu et al. (2023), "Sophia: A Scalable Stochastic Second-order Optimizer for Language Model Pre-training",
algorithm 3.

    m = b1 m + (1 - b1) g
    h = b2 h + (1 - b2) hessian(p), in the steps 1, 1 + interval, 1 + 2 interval, ...
    u = m / max(gamma h, eps), clipped to [-clip, clip]
    p = p - rate (u + weight_decay p)

`hessian` maps the parameters to the diagonal of the Hessian or an estimate of it. The paper debiases nothing; `debias`
divides `m` by `1 - b1^t`, as the authors' Sophia-H and Optax do. `late` updates `h` after `u` has used it, as Optax
does, so the first step uses `h = 0` and depends only on signs.
"""

import numpy as np

from papers.runner import Average, run, zeros


def path(
    p,
    gradients,
    hessian,
    rate,
    b1=0.965,
    b2=0.99,
    eps=1e-12,
    gamma=0.01,
    clip=1.0,
    interval=10,
    *,
    debias=False,
    late=False,
    weight_decay=0.0,
    steps=None,
):
    m, h = Average(b1), Average(b2)
    h.now = zeros(p)

    def rule(g, p, t):
        m(g)
        renew = (t - 1) % interval == 0
        if renew and not late:
            h(np.asarray(hessian(p)))
        u = np.clip((m.debiased if debias else m.now) / np.maximum(gamma * h.now, eps), -clip, clip)
        if renew and late:
            h(np.asarray(hessian(p)))
        return p - rate * (u + weight_decay * p)

    return run(p, gradients, rule, steps)
