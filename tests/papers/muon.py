"""Jordan et al. (2024), "Muon: An optimizer for hidden layers in neural networks", with others' coefficients and sides.

    v = momentum v + g
    d = g + momentum v with `nesterov`, else v
    O = newton_schulz(d)
    p = p - rate (side O + weight_decay p)

`newton_schulz` starts from `X = d / |d|`, transposed if it has more rows than columns, and for every triple `(a, b, c)`
of `coefficients` sets `A = X X'` and `X = a X + (b A + c A A) X`. `JORDAN` repeats the author's triple five times, and
`YOU` has the five triples of You Jiacheng, which Dion's authors use too. The iteration commutes with the transposition,
so it doesn't matter that PyTorch's weights are the transposes of the `[inputs, outputs]` here. `sides` names `side`:

- "width" is `sqrt(max(1, outputs / inputs))`, of the author's code.
- "rms" is `0.2 sqrt(max(inputs, outputs))`, of Liu et al. (2025), "Muon is Scalable for LLM Training".
- "unit" is `sqrt(outputs / inputs)`, of Bernstein (2025), "Deriving Muon", and of Dion's authors.

The author's code averages, `v = momentum v + (1 - momentum) g` and `d = (1 - momentum) g + momentum v`, which makes `d`
smaller by the constant `1 - momentum` and so leaves `O` as it is, except that it adds 1e-7 to `|d|`. It iterates in
bfloat16. The direction of 0 is 0.
"""

import numpy as np

from papers.runner import norm, quotient, run, zeros

JORDAN = ((3.4445, -4.7750, 2.0315),) * 5
YOU = (
    (4.0848, -6.8946, 2.9270),
    (3.9505, -6.3029, 2.6377),
    (3.7418, -5.5913, 2.3037),
    (2.8769, -3.1427, 1.2046),
    (2.8366, -3.0525, 1.2012),
)


def newton_schulz(d, coefficients=YOU):
    tall = d.shape[0] > d.shape[1]
    x = quotient(d.T if tall else d, norm(d))
    for a, b, c in coefficients:
        square = x @ x.T
        x = a * x + (b * square + c * square @ square) @ x
    return x.T if tall else x


def side(sides, inputs, outputs):
    return {
        "width": np.sqrt(max(1.0, outputs / inputs)),
        "rms": 0.2 * np.sqrt(max(inputs, outputs)),
        "unit": np.sqrt(outputs / inputs),
    }[sides]


def path(
    p,
    gradients,
    rate=0.02,
    momentum=0.95,
    coefficients=YOU,
    sides="width",
    *,
    nesterov=True,
    weight_decay=0.0,
    steps=None,
):
    v, factor = zeros(p), side(sides, *np.shape(p))

    def rule(g, p, t):
        nonlocal v
        v = momentum * v + g
        direction = newton_schulz(g + momentum * v if nesterov else v, coefficients)
        return p - rate * (factor * direction + weight_decay * p)

    return run(p, gradients, rule, steps)
