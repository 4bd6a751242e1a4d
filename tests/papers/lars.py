"""You, Gitman & Ginsburg (2017), "Large Batch Training of Convolutional Networks", algorithm 1.

    h = g + weight_decay p
    ratio = trust |p| / (|g| + weight_decay |p| + eps)
    v = momentum v + rate ratio h
    p = p - v

The rate is inside the momentum, and the decay is in the gradient. `joint_norm` divides by `|h| + eps`, as Optax does.
The ratio is 1 where either norm is 0. The paper has no `eps`.
"""

from papers.runner import norm, run, zeros


def path(p, gradients, rate, momentum=0.9, trust=0.001, eps=0.0, *, weight_decay=0.0, joint_norm=False, steps=None):
    v = zeros(p)

    def rule(g, p, t):
        nonlocal v
        h = g + weight_decay * p
        below = norm(h) if joint_norm else norm(g) + weight_decay * norm(p)
        ratio = trust * norm(p) / (below + eps) if norm(p) and below else 1.0
        v = momentum * v + rate * ratio * h
        return p - v

    return run(p, gradients, rule, steps)
