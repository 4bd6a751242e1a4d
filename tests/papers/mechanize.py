"""Cutkosky, Defazio & Mehta (2023), "Mechanic: A Learning Rate Tuner", algorithm 1.

    h = <D, g + decay sum(s) |g| p / |p|>
    m = max(betas m, |h|)
    v = betas^2 v + h^2
    r = max(betas r - s h, 0)
    s = (s_init m / n + r) / (sqrt(v) + eps)
    D = D + base(g)
    p = p_0 + sum(s) D

`base` maps the gradient, the parameters and the step to an update of the parameters, by default `-rate g`. `D` is the
sum of its updates, and `m`, `v`, `r` and `s` have one number for each of the `n` `betas`; all start from 0. `h` uses
the `D` from before the step, and `p / |p|` is 0 where `|p|` is 0. The authors' code starts `m` from 1e-6, and uses in
`h` the `p` to which the base alone would step.

The variant "optax" starts `s` from `s_init` for each beta, computes `D` as `(p - p_0) / (sum(s) + eps)`, uses
`|p| + eps` in the quotient and `|h| + eps` in `m`, and clips the `h` in `r` to `[-m, m]` with the previous `m`. It
takes the maximum of `r` and 0 only in `s`, so `r` itself can be negative.
"""

import numpy as np

from papers.runner import norm, quotient, run, zeros


def path(
    p,
    gradients,
    rate=0.01,
    betas=(0.9, 0.99, 0.999, 0.9999, 0.99999, 0.999999),
    s_init=1e-8,
    decay=0.01,
    eps=1e-8,
    *,
    base=None,
    variant="paper",
    steps=None,
):
    start, b, n = np.array(p, np.float64), np.array(betas), len(betas)
    total, m, v, r = zeros(p), np.zeros(n), np.zeros(n), np.zeros(n)
    optax = variant == "optax"
    s = np.full(n, s_init if optax else 0.0)

    def rule(g, p, t):
        nonlocal total, m, v, r, s
        if optax:
            total = (p - start) / (s.sum() + eps)
        direction = p / (norm(p) + eps) if optax else quotient(p, norm(p))
        h = float(np.sum(total * (g + decay * s.sum() * norm(g) * direction)))
        r = b * r - (np.clip(h, -m, m) if optax else h) * s
        r = r if optax else np.maximum(r, 0.0)
        m = np.maximum(b * m, abs(h) + (eps if optax else 0.0))
        v = b**2 * v + h**2
        s = (s_init * m / n + np.maximum(r, 0.0)) / (np.sqrt(v) + eps)
        total = total + (-rate * g if base is None else base(g, p, t))
        return start + s.sum() * total

    return run(p, gradients, rule, steps)
