"""More update rules of the papers in NumPy and float64, written from the papers without the library: those of
each entry by itself.

As in `reference`: each rule takes the first parameters (one array), the gradients (a function of the parameters, or an
array with the step first) and hyperparameters, and returns the parameters of all steps, the first included. Steps are
counted from 1, `t` in the formulas; `g` is the gradient at the parameters before the step; averages start from zero.
`weight_decay` is decoupled, `p - rate (u + weight_decay p)`, and off by default; `l2` is added to the gradient,
`g + l2 p`. What a paper's whole model has one of, such as a norm, is here one of the one array. Where a loss is needed
it is `value`, a function of the parameters or an array of one number per step. `papers_norms` has the rules that look
at the whole array, `papers_more` those of recent years and `papers_free` those that find their own rate.
"""

from collections.abc import Callable
from typing import Any

import numpy as np

Rule = Callable[[np.ndarray, np.ndarray, int], np.ndarray]


def run(p: Any, gradients: Any, rule: Rule, steps: int | None = None) -> np.ndarray:
    """The path of `rule`, which takes the gradient, the parameters and the step from 1 to the next parameters."""
    path = [np.array(p, np.float64)]
    for t in range(1, (len(gradients) if steps is None else steps) + 1):
        g = gradients(path[-1]) if callable(gradients) else gradients[t - 1]
        path.append(rule(np.array(g, np.float64), path[-1], t))
    return np.stack(path)


def at(value: Any, p: np.ndarray, t: int) -> float:
    """The loss that step `t` sees."""
    return float(value(p) if callable(value) else value[t - 1])


def zeros(p: Any) -> np.ndarray:
    return np.zeros(np.shape(p))


def norm(x: Any) -> float:
    return float(np.sqrt(np.sum(np.square(x))))


def rms(x: Any) -> float:
    return float(np.sqrt(np.mean(np.square(x))))


def quotient(a: Any, b: Any) -> np.ndarray:
    """`a / b`, with 0 / 0 = 0."""
    a, b = np.broadcast_arrays(np.asarray(a, np.float64), np.asarray(b, np.float64))
    return np.divide(a, b, out=np.zeros(a.shape), where=(a != 0) | (b != 0))


class Average:
    """The average `now = beta now + (1 - beta) new` from 0, called with `new`; `debiased` is `now / (1 - beta^t)`."""

    def __init__(self, beta: float):
        self.beta, self.t, self.now = beta, 0, 0.0

    def __call__(self, new: Any) -> Any:
        self.t += 1
        self.now = self.beta * self.now + (1 - self.beta) * new
        return self.now

    @property
    def debiased(self) -> Any:
        return self.now / (1 - self.beta**self.t)


def adadelta(
    p: Any,
    gradients: Any,
    rate: float = 1.0,
    rho: float = 0.95,
    eps: float = 1e-6,
    *,
    l2: float = 0.0,
    weight_decay: float = 0.0,
    steps: int | None = None,
) -> np.ndarray:
    """Zeiler (2012), ADADELTA: An Adaptive Learning Rate Method, algorithm 1. `E = rho E + (1 - rho) g^2`,
    `u = sqrt(D + eps) / sqrt(E + eps) g`, then `D = rho D + (1 - rho) u^2`, `p - rate u`. `eps` stands in both roots,
    nothing is debiased and the paper has no rate, which is 1; `D` averages the `u` before the rate.
    """
    squares, moves = Average(rho), Average(rho)

    def rule(g, p, t):
        g = g + l2 * p
        u = np.sqrt(moves.now + eps) / np.sqrt(squares(g**2) + eps) * g
        moves(u**2)
        return p - rate * (u + weight_decay * p)

    return run(p, gradients, rule, steps)


def rprop(
    p: Any,
    gradients: Any,
    rate: float = 0.01,
    eta_minus: float = 0.5,
    eta_plus: float = 1.2,
    smallest: float = 1e-6,
    largest: float = 50.0,
    *,
    steps: int | None = None,
) -> np.ndarray:
    """Riedmiller & Braun (1993), A direct adaptive method for faster backpropagation learning: the RPROP algorithm, in
    the form iRprop- of Igel & Huesken (2000), which PyTorch has. `s = sign(g h)` with `h` the gradient kept from the
    step before (0 at first); the step size, `rate` at first, is multiplied by `eta_plus` where `s > 0` and by
    `eta_minus` where `s < 0`, and kept between `smallest` and `largest`; where `s < 0` the gradient is taken for 0,
    so the parameter stays and the step size is not changed in the next step. `p - sign(g) size`.
    """
    size, before = np.full(np.shape(p), float(rate)), zeros(p)

    def rule(g, p, t):
        nonlocal size, before
        s = np.sign(g * before)
        size = np.clip(size * np.where(s > 0, eta_plus, np.where(s < 0, eta_minus, 1.0)), smallest, largest)
        before = np.where(s < 0, 0.0, g)
        return p - np.sign(before) * size

    return run(p, gradients, rule, steps)


def radam(
    p: Any,
    gradients: Any,
    rate: float,
    b1: float = 0.9,
    b2: float = 0.999,
    eps: float = 1e-8,
    *,
    threshold: float = 5.0,
    debiased_eps: bool = False,
    l2: float = 0.0,
    weight_decay: float = 0.0,
    steps: int | None = None,
) -> np.ndarray:
    """Liu et al. (2020), On the Variance of the Adaptive Learning Rate and Beyond, algorithm 2. `n = 2 / (1 - b2) - 1`,
    `rho = n - 2 t b2^t / (1 - b2^t)`. With Adam's `m` and `v`: if `rho > threshold`, `u = r sqrt(1 - b2^t)
    / (sqrt(v) + eps) m / (1 - b1^t)` with `r^2 = (rho - 4) (rho - 2) n / ((n - 4) (n - 2) rho)`, else
    `u = m / (1 - b1^t)`. The paper's threshold is 4 and it has no `eps`; 5 and the `eps` beside the raw root are the
    authors' code and PyTorch. `debiased_eps` puts it beside the debiased root, `sqrt(v / (1 - b2^t)) + eps`.
    """
    m, v, n = Average(b1), Average(b2), 2 / (1 - b2) - 1

    def rule(g, p, t):
        g = g + l2 * p
        m(g), v(g**2)
        rho = n - 2 * t * b2**t / (1 - b2**t)
        u = m.debiased
        if rho > threshold:
            r = np.sqrt((rho - 4) * (rho - 2) * n / ((n - 4) * (n - 2) * rho))
            root = np.sqrt(v.debiased) + eps if debiased_eps else (np.sqrt(v.now) + eps) / np.sqrt(1 - b2**t)
            u = r * u / root
        return p - rate * (u + weight_decay * p)

    return run(p, gradients, rule, steps)


def adamax(
    p: Any,
    gradients: Any,
    rate: float = 0.002,
    b1: float = 0.9,
    b2: float = 0.999,
    eps: float = 1e-8,
    *,
    l2: float = 0.0,
    weight_decay: float = 0.0,
    steps: int | None = None,
) -> np.ndarray:
    """Kingma & Ba (2014), Adam: A Method for Stochastic Optimization, algorithm 2. `m = b1 m + (1 - b1) g`,
    `n = max(b2 n, |g| + eps)`, `u = m / ((1 - b1^t) n)`. The paper has no `eps`; here it is added to `|g|`, as in
    PyTorch and Optax, and with `eps=0` a parameter without any gradient stays (0 / 0 = 0). `n` is not debiased.
    """
    m, n = Average(b1), zeros(p)

    def rule(g, p, t):
        nonlocal n
        g = g + l2 * p
        m(g)
        n = np.maximum(b2 * n, np.abs(g) + eps)
        return p - rate * (quotient(m.debiased, n) + weight_decay * p)

    return run(p, gradients, rule, steps)


def adamaxw(p: Any, gradients: Any, rate: float = 0.002, *args: Any, weight_decay: float = 1e-4, **options: Any):
    """`adamax` with the decoupled weight decay of Loshchilov & Hutter (2019), times the rate; 1e-4 as in Optax."""
    return adamax(p, gradients, rate, *args, weight_decay=weight_decay, **options)


def yogi(
    p: Any,
    gradients: Any,
    rate: float = 0.01,
    b1: float = 0.9,
    b2: float = 0.999,
    eps: float = 1e-3,
    initial: float = 1e-6,
    *,
    m_initial: float = 0.0,
    debias: bool = False,
    weight_decay: float = 0.0,
    steps: int | None = None,
) -> np.ndarray:
    """Zaheer et al. (2018), Adaptive Methods for Nonconvex Optimization, algorithm 2. `m = b1 m + (1 - b1) g`,
    `v = v - (1 - b2) sign(v - g^2) g^2`, `u = m / (sqrt(v) + eps)`, with `m` from 0 and `v` from `initial`. The
    algorithm debiases nothing; `debias` divides `m` by `1 - b1^t` and `v` by `1 - b2^t`. Optax and others do, and start
    `m` from `m_initial = 1e-6` as well, so that a parameter without any gradient moves.
    """
    m, v = Average(b1), zeros(p) + initial
    m.now = zeros(p) + m_initial

    def rule(g, p, t):
        nonlocal v
        m(g)
        v = v - (1 - b2) * np.sign(v - g**2) * g**2
        first, second = (m.debiased, v / (1 - b2**t)) if debias else (m.now, v)
        return p - rate * (first / (np.sqrt(second) + eps) + weight_decay * p)

    return run(p, gradients, rule, steps)


def adan(
    p: Any,
    gradients: Any,
    rate: float = 1e-3,
    b1: float = 0.98,
    b2: float = 0.92,
    b3: float = 0.99,
    eps: float = 1e-8,
    *,
    weight_decay: float = 0.0,
    proximal: bool = True,
    steps: int | None = None,
) -> np.ndarray:
    """Xie et al. (2022), Adan: Adaptive Nesterov Momentum Algorithm for Faster Optimizing Deep Models, algorithm 1.
    With `d = g - g_before` (0 in the first step): `m = b1 m + (1 - b1) g`, `v = b2 v + (1 - b2) d`,
    `n = b3 n + (1 - b3) (g + b2 d)^2`, all three debiased by `1 - b^t`, `u = (m + b2 v) / (sqrt(n) + eps)`,
    `(p - rate u) / (1 + rate weight_decay)`. The betas keep the past, as in the authors' code; the paper's are one less
    these (0.02, 0.08, 0.01), so its `1 - beta_2` is `b2`. Not `proximal` is `p - rate (u + weight_decay p)`.
    """
    m, v, n, before = Average(b1), Average(b2), Average(b3), None

    def rule(g, p, t):
        nonlocal before
        d = zeros(p) if before is None else g - before
        before = g
        m(g), v(d), n((g + b2 * d) ** 2)
        u = (m.debiased + b2 * v.debiased) / (np.sqrt(n.debiased) + eps)
        if proximal:
            return (p - rate * u) / (1 + rate * weight_decay)
        return p - rate * (u + weight_decay * p)

    return run(p, gradients, rule, steps)


def rmsprop(
    p: Any,
    gradients: Any,
    rate: float = 1e-4,
    decay: float = 0.95,
    momentum: float = 0.9,
    eps: float = 1e-4,
    *,
    centered: bool = True,
    eps_in_root: bool = True,
    l2: float = 0.0,
    steps: int | None = None,
) -> np.ndarray:
    """Graves (2013), Generating Sequences with Recurrent Neural Networks, equations 38 to 41.
    `n = decay n + (1 - decay) g^2`, `a = decay a + (1 - decay) g`, `d = momentum d + g / sqrt(n - a^2 + eps)`,
    `p - rate d`; Graves has the rate inside `d`, which is the same for a constant rate. Not
    `eps_in_root` is `sqrt(n - a^2) + eps`, as PyTorch has; not `centered` leaves `a` out. Nothing is debiased.
    """
    n, a, d = Average(decay), Average(decay), zeros(p)

    def rule(g, p, t):
        nonlocal d
        g = g + l2 * p
        n(g**2), a(g)
        variance = np.maximum(n.now - a.now**2, 0.0) if centered else n.now
        d = momentum * d + g / (np.sqrt(variance + eps) if eps_in_root else np.sqrt(variance) + eps)
        return p - rate * d

    return run(p, gradients, rule, steps)


def asgd(
    p: Any,
    gradients: Any,
    rate: float = 0.01,
    lambd: float = 1e-4,
    alpha: float = 0.75,
    t0: float = 1e6,
    *,
    l2: float = 0.0,
    average: bool = False,
    steps: int | None = None,
) -> np.ndarray:
    """Polyak & Juditsky (1992), Acceleration of Stochastic Approximation by Averaging, with the rates of Bottou (2012)
    as in torch.optim.ASGD. `p = p (1 - lambd e) - e g` with `e = rate` in the first step and
    `e = rate / (1 + lambd rate (t - 1))^alpha` in step `t`; `a = a + (p - a) k` with `k = 1` in the first step and
    `k = 1 / max(1, t - 1 - t0)` in step `t`. `average` returns the path of `a`, from the first parameters.
    """
    averages = [np.array(p, np.float64)]

    def rule(g, p, t):
        e = rate / (1 + lambd * rate * (t - 1)) ** alpha
        p = p * (1 - lambd * e) - e * (g + l2 * p)
        averages.append(averages[-1] + (p - averages[-1]) / max(1, t - 1 - t0))
        return p

    path = run(p, gradients, rule, steps)
    return np.stack(averages) if average else path


def amsgrad(
    p: Any,
    gradients: Any,
    rate: float,
    b1: float = 0.9,
    b2: float = 0.999,
    eps: float = 1e-8,
    *,
    variant: str = "paper",
    l2: float = 0.0,
    weight_decay: float = 0.0,
    steps: int | None = None,
) -> np.ndarray:
    """Reddi, Kale & Kumar (2018), On the Convergence of Adam and Beyond, algorithm 2. With Adam's `m` and `v`, not
    debiased: `w = max(w, v)`, `u = m / (sqrt(w) + eps)`; the paper has no `eps`. The variant "pytorch" debiases
    afterwards, `m / (1 - b1^t)` and `w / (1 - b2^t)`, so what is divided by is no longer sure to grow; "optax"
    debiases before the largest is taken, `w = max(w, v / (1 - b2^t))`, and `m` as well.
    """
    m, v, w = Average(b1), Average(b2), zeros(p)

    def rule(g, p, t):
        nonlocal w
        g = g + l2 * p
        m(g), v(g**2)
        w = np.maximum(w, v.debiased if variant == "optax" else v.now)
        first, second = (m.now if variant == "paper" else m.debiased), (w / (1 - b2**t) if variant == "pytorch" else w)
        return p - rate * (first / (np.sqrt(second) + eps) + weight_decay * p)

    return run(p, gradients, rule, steps)


def nadam(
    p: Any,
    gradients: Any,
    rate: float = 0.002,
    b1: float = 0.9,
    b2: float = 0.999,
    eps: float = 1e-8,
    momentum_decay: float = 0.004,
    *,
    l2: float = 0.0,
    weight_decay: float = 0.0,
    steps: int | None = None,
) -> np.ndarray:
    """Dozat (2016), Incorporating Nesterov Momentum into Adam, with its momentum schedule, as torch.optim.NAdam.
    `c_t = b1 (1 - 0.96^(t momentum_decay) / 2)`, `C_t = c_1 ... c_t`, and with Adam's `m`, `v`:
    `u = (c_(t+1) m / (1 - C_(t+1)) + (1 - c_t) g / (1 - C_t)) / (sqrt(v / (1 - b2^t)) + eps)`. `m` itself is an average
    with the constant `b1`, as in PyTorch.
    """
    m, v, product = Average(b1), Average(b2), 1.0

    def rule(g, p, t):
        nonlocal product
        g = g + l2 * p
        m(g), v(g**2)
        now, then = (b1 * (1 - 0.5 * 0.96 ** (s * momentum_decay)) for s in (t, t + 1))
        product *= now
        first = then * m.now / (1 - product * then) + (1 - now) * g / (1 - product)
        return p - rate * (first / (np.sqrt(v.debiased) + eps) + weight_decay * p)

    return run(p, gradients, rule, steps)


def nadamw(
    p: Any,
    gradients: Any,
    rate: float,
    b1: float = 0.9,
    b2: float = 0.999,
    eps: float = 1e-8,
    *,
    weight_decay: float = 1e-4,
    steps: int | None = None,
) -> np.ndarray:
    """Dozat (2016), Incorporating Nesterov Momentum into Adam, with a constant momentum, and the decoupled weight decay
    of Loshchilov & Hutter (2019). With Adam's `m`, `v`: `u = (b1 m / (1 - b1^(t+1)) + (1 - b1) g / (1 - b1^t))
    / (sqrt(v / (1 - b2^t)) + eps)`, `p - rate (u + weight_decay p)`.
    """
    m, v = Average(b1), Average(b2)

    def rule(g, p, t):
        m(g), v(g**2)
        first = b1 * m.now / (1 - b1 ** (t + 1)) + (1 - b1) * g / (1 - b1**t)
        return p - rate * (first / (np.sqrt(v.debiased) + eps) + weight_decay * p)

    return run(p, gradients, rule, steps)
