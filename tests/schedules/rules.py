"""The rules of the schedules, in exact fractions and float64, at any time scale.

RULES[name](unit) is a schedule whose lengths are multiples of `unit` steps, and the rule that it must follow, which is
a function of a Python int.
"""

import math
from fractions import Fraction

import gradtx


def way(step, begin, length):
    """The fraction that is left, and the fraction that is done."""
    done = min(max(Fraction(step - begin) / length, Fraction(0)), Fraction(1))
    return float(1 - done), float(done)


def line(start, end, step, begin, length):
    left, done = way(step, begin, length)
    return start * left + end * done


def half_cosine(step, begin, length):
    """(1 + cos(pi x)) / 2 as a square, because the sum rounds to 0 in float64 where it is small."""
    return math.sin(math.pi / 2 * way(step, begin, length)[0]) ** 2


def fall(start, end, weight):
    return end + (start - end) * weight


def decay(rate, step, begin, length, staircase=False):
    x = Fraction(max(step - begin, 0), length)
    return rate ** float(x // 1 if staircase else x)


def rise_to(peak, first, steps, tail):
    """The rule of a warm-up that is followed by this tail."""
    return lambda s: line(first, peak, s, 0, steps) if s < steps else tail(s)


def pieces(marks, values, weights):
    def rule(s):
        begin = 0
        for i, mark in enumerate(marks):
            if s < mark:
                left, done = weights(s, begin, mark - begin)
                return values[i] * left + values[i + 1] * done
            begin = mark
        return values[-1]

    return rule


def cosine_weights(step, begin, length):
    weight = half_cosine(step, begin, length)
    return weight, 1 - weight


def polynomial(u):
    def rule(s):
        left, _ = way(s, 10 * u, 90 * u)
        return fall(0.3, 0.1, left**2.5)

    return gradtx.polynomial(0.3, 0.1, 2.5, 90 * u, 10 * u), rule


def restarts(u):
    def rule(s):
        begin, length, peak = 0, 10 * u, 0.3
        while s >= begin + length:
            begin, length, peak = begin + length, 3 * length, 0.7 * peak
        return fall(peak, 0.05, half_cosine(s, begin, length))

    return gradtx.cosine_restarts(0.3, 10 * u, 3, scale=0.7, end_value=0.05), rule


def cyclical(mode):
    def make(u):
        gamma = 1 - 0.02 / u

        def rule(s):
            cycle, t = divmod(s, 25 * u)
            x = float(Fraction(t, 10 * u) if t < 10 * u else Fraction(25 * u - t, 15 * u))
            height = {"triangular": 1.0, "triangular2": 0.5**cycle, "exp_range": gamma**s}[mode]
            return 0.1 + 0.2 * x * height

        return gradtx.cyclical(0.1, 0.3, 10 * u, 15 * u, mode=mode, gamma=gamma), rule

    return make


def stable(shape, weight):
    def make(u):
        def tail(s):
            return fall(0.3, 0.05, weight(s, 50 * u, 40 * u))

        schedule = gradtx.warmup_stable_decay(0.3, 20 * u, 30 * u, 40 * u, shape=shape, init_value=0.01, end_value=0.05)
        return schedule, rise_to(0.3, 0.01, 20 * u, tail)

    return make


def warmup_exponential(u):
    def tail(s):
        return max(0.3 * decay(0.9, s, 40 * u, 7 * u), 0.1)

    schedule = gradtx.warmup_exponential(0.3, 30 * u, 7 * u, 0.9, 10 * u, init_value=0.01, end_value=0.1)
    return schedule, rise_to(0.3, 0.01, 30 * u, tail)


def warmup_inverse_sqrt(u):
    def tail(s):
        return 0.3 * math.sqrt(30 * u / s)

    return gradtx.warmup_inverse_sqrt(0.3, 30 * u, init_value=0.01), rise_to(0.3, 0.01, 30 * u, tail)


def noam(u):
    def rule(s):
        return 2.0 * 512**-0.5 * min((s + 1) ** -0.5, (s + 1) * (30 * u) ** -1.5)

    return gradtx.noam(512, 30 * u, 2.0), rule


def one_cycle(u):
    values = [0.3 / 25, 0.3, 0.3 / 25e4]
    return gradtx.one_cycle(0.3, 100 * u), pieces([30 * u, 100 * u], values, cosine_weights)


def one_cycle_in_three(u):
    values = [0.03, 0.3, 0.03, 0.003]
    schedule = gradtx.one_cycle(0.3, 100 * u, 0.25, 0.75, 10.0, 10.0, shape="linear")
    return schedule, pieces([25 * u, 75 * u, 100 * u], values, way)


def one_cycle_at_the_last_step(u):
    n, peak = 100 * u, Fraction(0.315) * 100 * u - 1

    def rule(s):
        left, done = way(s, 0, peak) if s <= peak else way(s, peak, n - 1 - peak)
        first, last = (0.03, 0.3) if s <= peak else (0.3, 0.003)
        return first * left + last * done

    return gradtx.one_cycle(0.3, n, 0.315, None, 10.0, 10.0, shape="linear", at_last_step=True), rule


def joined(u):
    schedule = gradtx.join(
        [gradtx.warmup(0.3, 20 * u), gradtx.cosine(0.3, 60 * u, 0.1), gradtx.step_decay(0.1, 10 * u)], [20 * u, 80 * u]
    )

    def tail(s):
        if s < 80 * u:
            return fall(0.3, 0.1, half_cosine(s, 20 * u, 60 * u))
        return 0.1 * decay(0.1, s, 80 * u, 10 * u, staircase=True)

    return schedule, rise_to(0.3, 0.0, 20 * u, tail)


RULES = {
    "constant": lambda u: (gradtx.constant(0.3), lambda s: 0.3),
    "linear": lambda u: (gradtx.linear(0.3, 0.1, 90 * u, 10 * u), lambda s: line(0.3, 0.1, s, 10 * u, 90 * u)),
    "linear from zero": lambda u: (gradtx.linear(0.0, 0.1, 90 * u), lambda s: line(0.0, 0.1, s, 0, 90 * u)),
    "linear to zero": lambda u: (gradtx.linear(0.3, 0.0, 90 * u), lambda s: line(0.3, 0.0, s, 0, 90 * u)),
    "polynomial": polynomial,
    "polynomial to zero": lambda u: (
        gradtx.polynomial(0.3, 0.0, 0.5, 90 * u),
        lambda s: 0.3 * way(s, 0, 90 * u)[0] ** 0.5,
    ),
    "step_decay": lambda u: (gradtx.step_decay(0.3, 20 * u, 0.6), lambda s: 0.3 * decay(0.6, s, 0, 20 * u, True)),
    "exponential": lambda u: (
        gradtx.exponential(0.3, 20 * u, 0.6, 9 * u),
        lambda s: 0.3 * decay(0.6, s, 9 * u, 20 * u),
    ),
    "exponential in stairs": lambda u: (
        gradtx.exponential(0.3, 20 * u, 0.6, 9 * u, staircase=True),
        lambda s: 0.3 * decay(0.6, s, 9 * u, 20 * u, True),
    ),
    "exponential at each step": lambda u: (
        gradtx.exponential(0.3, 1, 1 - 0.01 / u, end_value=0.1),
        lambda s: max(0.3 * (1 - 0.01 / u) ** s, 0.1),
    ),
    "exponential growth": lambda u: (
        gradtx.exponential(0.01, 20 * u, 1.6, end_value=0.2),
        lambda s: min(0.01 * decay(1.6, s, 0, 20 * u), 0.2),
    ),
    "cosine": lambda u: (gradtx.cosine(0.3, 90 * u, 0.1), lambda s: fall(0.3, 0.1, half_cosine(s, 0, 90 * u))),
    "cosine to zero": lambda u: (gradtx.cosine(0.3, 90 * u), lambda s: 0.3 * half_cosine(s, 0, 90 * u)),
    "cosine to a power": lambda u: (
        gradtx.cosine(0.3, 90 * u, exponent=1.5),
        lambda s: 0.3 * half_cosine(s, 0, 90 * u) ** 1.5,
    ),
    "rsqrt": lambda u: (
        gradtx.rsqrt(0.3, 20 * u, 10 * u),
        lambda s: 0.3 / math.sqrt(1 + max(s - 10 * u, 0) / (20 * u)),
    ),
    "piecewise_constant": lambda u: (
        gradtx.piecewise_constant(0.3, {70 * u: 0.5, 40 * u: 0.1}),
        pieces([40 * u, 70 * u], [0.3, 0.03, 0.015], lambda *_: (1.0, 0.0)),
    ),
    "piecewise_interpolate": lambda u: (
        gradtx.piecewise_interpolate(0.3, {70 * u: 0.5, 40 * u: 0.1}),
        pieces([40 * u, 70 * u], [0.3, 0.03, 0.015], way),
    ),
    "piecewise_interpolate by cosines": lambda u: (
        gradtx.piecewise_interpolate(0.3, {70 * u: 0.5, 40 * u: 0.1}, shape="cosine"),
        pieces([40 * u, 70 * u], [0.3, 0.03, 0.015], cosine_weights),
    ),
    "warmup": lambda u: (gradtx.warmup(0.3, 50 * u, 0.01), lambda s: line(0.01, 0.3, s, 0, 50 * u)),
    "warmup_linear": lambda u: (
        gradtx.warmup_linear(0.3, 30 * u, 90 * u, init_value=0.01, end_value=0.05),
        rise_to(0.3, 0.01, 30 * u, lambda s: line(0.3, 0.05, s, 30 * u, 60 * u)),
    ),
    "warmup_cosine": lambda u: (
        gradtx.warmup_cosine(0.3, 30 * u, 90 * u, init_value=0.01, end_value=0.05, exponent=2.0),
        rise_to(0.3, 0.01, 30 * u, lambda s: fall(0.3, 0.05, half_cosine(s, 30 * u, 60 * u) ** 2)),
    ),
    "warmup_exponential": warmup_exponential,
    "warmup_inverse_sqrt": warmup_inverse_sqrt,
    "warmup_stable_decay by a root": stable("1-sqrt", lambda *x: 1 - math.sqrt(way(*x)[1])),
    "warmup_stable_decay in a line": stable("linear", lambda *x: way(*x)[0]),
    "warmup_stable_decay by a cosine": stable("cosine", half_cosine),
    "noam": noam,
    "cosine_restarts alike": lambda u: (
        gradtx.cosine_restarts(0.3, 20 * u),
        lambda s: 0.3 * half_cosine(s % (20 * u), 0, 20 * u),
    ),
    "cosine_restarts": restarts,
    "cyclical": cyclical("triangular"),
    "cyclical, halved": cyclical("triangular2"),
    "cyclical by gamma": cyclical("exp_range"),
    "one_cycle": one_cycle,
    "one_cycle in three": one_cycle_in_three,
    "one_cycle at the last step": one_cycle_at_the_last_step,
    "join": joined,
    "product": lambda u: (
        gradtx.product(2.0, gradtx.warmup(0.3, 50 * u), gradtx.cosine(0.5, 90 * u, 0.1)),
        lambda s: 2 * line(0.0, 0.3, s, 0, 50 * u) * fall(0.5, 0.1, half_cosine(s, 0, 90 * u)),
    ),
    "total": lambda u: (
        gradtx.total(0.1, gradtx.warmup(0.3, 50 * u)),
        lambda s: 0.1 + line(0.0, 0.3, s, 0, 50 * u),
    ),
}
# Schedules that never become constant.
ENDLESS = ["cosine_restarts alike", "cosine_restarts", "cyclical", "cyclical, halved", "cyclical by gamma"]
