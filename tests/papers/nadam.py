"""Dozat (2016), "Incorporating Nesterov Momentum into Adam".

    c_t = b1, or b1 (1 - 0.96^(t momentum_decay) / 2) if momentum_decay is given
    C_t = c_1 c_2 ... c_t
    m = b1 m + (1 - b1) g
    v = b2 v + (1 - b2) g^2
    first = c_(t+1) m / (1 - C_(t+1)) + (1 - c_t) g / (1 - C_t)
    u = first / (sqrt(v / (1 - b2^t)) + eps)
    p = p - rate (u + weight_decay p)

`momentum_decay=0.004` is the paper's schedule of the momentum, as in torch.optim.NAdam, where `m` itself also uses the
constant `b1`. With `weight_decay`, which Loshchilov & Hutter (2019) decouple, the rule is NAdamW.
"""

import numpy as np

from papers.runner import Average, run


def path(
    p, gradients, rate=0.002, b1=0.9, b2=0.999, eps=1e-8, momentum_decay=None, *, l2=0.0, weight_decay=0.0, steps=None
):
    m, v, product = Average(b1), Average(b2), 1.0

    def momentum(t):
        return b1 if momentum_decay is None else b1 * (1 - 0.5 * 0.96 ** (t * momentum_decay))

    def rule(g, p, t):
        nonlocal product
        g = g + l2 * p
        m(g)
        v(g**2)
        now, following = momentum(t), momentum(t + 1)
        product *= now
        first = following * m.now / (1 - product * following) + (1 - now) * g / (1 - product)
        return p - rate * (first / (np.sqrt(v.debiased) + eps) + weight_decay * p)

    return run(p, gradients, rule, steps)
