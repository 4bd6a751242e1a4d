"""Defazio & Mishchenko (2023), "Learning-Rate-Free Learning by D-Adaptation", D-Adapt Adam.

    c = sqrt(b2)
    k = d rate
    r = c r + (1 - c) k <g, s / (sqrt(v) + eps)>
    m = b1 m + (1 - b1) k g
    v = b2 v + (1 - b2) g^2
    s = c s + (1 - c) k g
    p = p - m / (sqrt(v) + eps) - k weight_decay p
    d = max(d, r / ((1 - c) |s|_1))

The details follow the authors' code (dadaptation 3.1). `r` uses the `s` and the `v` from before the step;
`old_denominator=False` uses the new `v`. `d` starts from `d0`, and does not change if `s` is 0. `debias` multiplies `k`
by `sqrt(1 - b2^t) / (1 - b1^t)`. The papers recommend a `rate` of 1.
"""

import numpy as np

from papers.runner import Average, run, zeros


def path(
    p,
    gradients,
    rate=1.0,
    b1=0.9,
    b2=0.999,
    eps=1e-8,
    d0=1e-6,
    *,
    debias=False,
    old_denominator=True,
    weight_decay=0.0,
    steps=None,
):
    m, v, s, r, d, c = zeros(p), Average(b2), zeros(p), 0.0, d0, float(np.sqrt(b2))

    def rule(g, p, t):
        nonlocal m, s, r, d
        k = d * rate * (np.sqrt(1 - b2**t) / (1 - b1**t) if debias else 1.0)
        old = v.now
        v(g**2)
        denominator = np.sqrt(old if old_denominator else v.now) + eps
        r = c * r + (1 - c) * k * np.sum(g * s / denominator)
        m = b1 * m + (1 - b1) * k * g
        s = c * s + (1 - c) * k * g
        size = np.sum(np.abs(s))
        d = max(d, r / ((1 - c) * size)) if size else d
        return p - m / (np.sqrt(v.now) + eps) - k * weight_decay * p

    return run(p, gradients, rule, steps)
