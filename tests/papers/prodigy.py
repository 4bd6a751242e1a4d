"""Mishchenko & Defazio (2023), "Prodigy: An Expeditiously Adaptive Parameter-Free Learner", Prodigy for Adam.

    k = d rate
    m = b1 m + (1 - b1) d g
    v = b2 v + (1 - b2) d^2 g^2
    r = b3 r + d k <g, p_0 - p>
    s = b3 s + d k g
    p = p - k m / (sqrt(v) + d eps) - k weight_decay p
    d = max(d, d_coef r / |s|_1)

`b3` is `sqrt(b2)` by default. The paper multiplies the second terms of `r` and `s` by `1 - b3`, which cancels. `d`
starts from `d0`, and does not change if `s` is 0. `debias` multiplies `k` by `sqrt(1 - b2^t) / (1 - b1^t)`, which the
authors' code does not do by default. `new_d_eps` uses the new `d` in `d eps`, as the authors' code does.
`safeguard_warmup` uses `d d` instead of `d k` in `s`. The paper recommends a `rate` of 1.
"""

import numpy as np

from papers.runner import Average, quotient, run, zeros


def path(
    p,
    gradients,
    rate=1.0,
    b1=0.9,
    b2=0.999,
    b3=None,
    eps=1e-8,
    d0=1e-6,
    d_coef=1.0,
    *,
    debias=False,
    new_d_eps=False,
    safeguard_warmup=False,
    weight_decay=0.0,
    steps=None,
):
    start, m, v = np.array(p, np.float64), Average(b1), Average(b2)
    r, s, d, c = 0.0, zeros(p), d0, float(np.sqrt(b2)) if b3 is None else b3

    def rule(g, p, t):
        nonlocal r, s, d
        k = d * rate * (np.sqrt(1 - b2**t) / (1 - b1**t) if debias else 1.0)
        m(d * g)
        v((d * g) ** 2)
        r = c * r + d * k * np.sum(g * (start - p))
        s = c * s + d * (d if safeguard_warmup else k) * g
        size = np.sum(np.abs(s))
        following = max(d, d_coef * r / size) if size else d
        u = quotient(m.now, np.sqrt(v.now) + (following if new_d_eps else d) * eps)
        d = following
        return p - k * (u + weight_decay * p)

    return run(p, gradients, rule, steps)
