"""Zhu et al. (2024), "APOLLO: SGD-like Memory, AdamW-level Performance", algorithm 1, as in the authors' code.

    S = noise(1 + (t - 1) / interval) / sqrt(rank), if t - 1 is a multiple of `interval`
    x = S g
    m = b1 m + (1 - b1) x
    v = b2 v + (1 - b2) x^2
    ratio = |m / (sqrt(v) + eps)| / (|x| + 1e-8), of every column, or of the whole with `whole`
    y = g ratio
    y = y / (max(|y| / (last + 1e-8), growth) / growth), except in the first step
    last = |y|
    u = sqrt(scale) y sqrt(1 - b2^t) / (1 - b1^t)
    p = p - rate (u + weight_decay p)

All this is of the transposes if the matrix has more rows than columns. `noise` is a function of the number of the
sketch, from 1, that returns `[rank, rows]` standard normal numbers. The moments stay as they are when `S` changes. A
`growth` of None limits nothing. APOLLO-Mini has a rank of 1, `whole` and a `scale` of 128.

`scale_first` multiplies `y` by `sqrt(scale)` before its growth is limited, as `scale_front` does in the authors' code,
where it is off by default, and which matters for the 1e-8 only. That code decays after the step, `p = (1 - rate
weight_decay) (p - rate u)`.
"""

import numpy as np

from papers.runner import Average, norm, run


def path(
    p,
    gradients,
    rate=0.01,
    interval=200,
    scale=1.0,
    b1=0.9,
    b2=0.999,
    eps=1e-6,
    growth=1.01,
    *,
    noise,
    whole=False,
    scale_first=False,
    weight_decay=0.0,
    steps=None,
):
    tall = np.shape(p)[0] > np.shape(p)[1]
    m, v = Average(b1), Average(b2)
    sketch = last = None

    def rule(g, p, t):
        nonlocal sketch, last
        wide = g.T if tall else g
        if (t - 1) % interval == 0:
            sketch = np.array(noise(1 + (t - 1) // interval), np.float64)
            sketch = sketch / np.sqrt(len(sketch))
        x = sketch @ wide
        m(x)
        v(x**2)
        axis = None if whole else 0
        size = [np.sqrt(np.sum(z**2, axis=axis, keepdims=True)) for z in (m.now / (np.sqrt(v.now) + eps), x)]
        y = wide * (size[0] / (size[1] + 1e-8))
        if scale_first:
            y = y * np.sqrt(scale)
        if growth is not None:
            if last is not None:
                y = y / (max(norm(y) / (last + 1e-8), growth) / growth)
            last = norm(y)
        if not scale_first:
            y = y * np.sqrt(scale)
        u = y * np.sqrt(1 - b2**t) / (1 - b1**t)
        return p - rate * ((u.T if tall else u) + weight_decay * p)

    return run(p, gradients, rule, steps)
