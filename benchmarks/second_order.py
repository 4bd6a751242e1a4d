"""Evaluations that second-order methods take to solve classic problems, beside SciPy's and Optax's."""

from collections.abc import Callable
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
import optax
import scipy.optimize

import gradtx

TOLERANCE = 1e-5  # of the largest entry of the gradient


class Problem(NamedTuple):
    """A loss from its standard start; its residuals, whose squares it is the sum of, unless it is no such sum."""

    start: np.ndarray
    loss: Callable[[Any], Any]
    residuals: Callable[[Any], Any] | None


def _squares(start: list[float], residuals: Callable[[Any], Any]) -> Problem:
    return Problem(np.array(start), lambda p: jnp.sum(residuals(p) ** 2), residuals)


def _rosenbrock(p: Any) -> Any:
    return jnp.concatenate([10 * (p[1::2] - p[::2] ** 2), 1 - p[::2]])


def _chained(p: Any) -> Any:
    return jnp.concatenate([10 * (p[1:] - p[:-1] ** 2), 1 - p[:-1]])


def _beale(p: Any) -> Any:
    return jnp.array([1.5, 2.25, 2.625]) - p[0] * (1 - p[1] ** jnp.arange(1, 4))


def _powell(p: Any) -> Any:
    a, b, c, d = p
    return jnp.stack([a + 10 * b, 5**0.5 * (c - d), (b - 2 * c) ** 2, 10**0.5 * (a - d) ** 2])


def _wood(p: Any) -> Any:
    a, b, c, d = p
    left = [10 * (b - a**2), 1 - a, 90**0.5 * (d - c**2), 1 - c]
    return jnp.stack([*left, 10**0.5 * (b + d - 2), 10**-0.5 * (b - d)])


def _helical(p: Any) -> Any:
    angle = jnp.arctan2(p[1], p[0]) / (2 * jnp.pi)
    return jnp.stack([10 * (p[2] - 10 * angle), 10 * (jnp.hypot(p[0], p[1]) - 1), p[2]])


def _brown(p: Any) -> Any:
    return jnp.stack([p[0] - 1e6, p[1] - 2e-6, p[0] * p[1] - 2])


def _himmelblau(p: Any) -> Any:
    return jnp.stack([p[0] ** 2 + p[1] - 11, p[0] + p[1] ** 2 - 7])


def _trigonometric(p: Any) -> Any:
    i = jnp.arange(1, p.size + 1)
    return p.size - jnp.sum(jnp.cos(p)) + i * (1 - jnp.cos(p)) - jnp.sin(p)


def _logistic() -> Problem:
    draw = np.random.default_rng(0)
    x = draw.normal(size=(200, 20)) * np.logspace(0, 1, 20)
    y = np.sign(x @ draw.normal(size=20) + draw.normal(size=200))
    return Problem(np.zeros(20), lambda p: jnp.mean(jnp.logaddexp(0, -y * (x @ p))) + 1e-3 * jnp.sum(p**2), None)


# All but the last two are of More, Garbow and Hillstrom, 1981, Testing Unconstrained Optimization Software.
PROBLEMS = {
    "Rosenbrock, 2": _squares([-1.2, 1.0], _rosenbrock),
    "Rosenbrock, chained, 10": _squares([-1.2, 1.0] * 5, _chained),
    "Beale, 2": _squares([1.0, 1.0], _beale),
    "Powell singular, 4": _squares([3.0, -1.0, 0.0, 1.0], _powell),
    "Wood, 4": _squares([-3.0, -1.0, -3.0, -1.0], _wood),
    "helical valley, 3": _squares([-1.0, 0.0, 0.0], _helical),
    "Brown badly scaled, 2": _squares([1.0, 1.0], _brown),
    "trigonometric, 10": _squares([0.1] * 10, _trigonometric),
    "Himmelblau, 2": _squares([0.0, 0.0], _himmelblau),
    "logistic regression, 20": _logistic(),
}


def by_gradtx(problem: Problem, tx: gradtx.GradientTransformation) -> tuple[int, bool]:
    """Evaluations, and whether it was solved."""
    least_squares = "residual_fn" in tx.needs
    fun = problem.loss
    if least_squares:
        assert problem.residuals is not None
        residuals = problem.residuals
        fun = lambda p: 2**0.5 * residuals(p)  # noqa: E731
    result = jax.jit(lambda x0: gradtx.minimize(fun, x0, tx, tol=TOLERANCE, max_steps=10_000))(problem.start)
    return int(result.evaluations), bool(result.converged)


def by_scipy(problem: Problem, method: str) -> tuple[int, bool]:
    """The same by SciPy."""
    if method == "lm":
        return _by_least_squares(problem)
    fun = jax.jit(jax.value_and_grad(problem.loss))
    options: dict[str, Any] = {"maxiter": 10_000, "gtol": TOLERANCE}
    if method == "L-BFGS-B":
        options.update(ftol=0.0, maxfun=100_000)
    found = scipy.optimize.minimize(
        lambda p: tuple(map(np.asarray, fun(p))), problem.start, jac=True, method=method, options=options
    )
    return found.nfev, bool(np.max(np.abs(fun(found.x)[1])) <= TOLERANCE)


def _by_least_squares(problem: Problem) -> tuple[int, bool]:
    """Residuals and Jacobians, each of which counts, until the gradient is small."""
    assert problem.residuals is not None
    residuals, jacobian = jax.jit(problem.residuals), jax.jit(jax.jacobian(problem.residuals))
    grad = jax.jit(jax.grad(problem.loss))
    counts = [0, 0]
    solved = []

    class Solved(Exception):  # noqa: N818
        pass

    def counted(p: np.ndarray) -> np.ndarray:
        counts[0] += 1
        return np.asarray(residuals(p))

    def slopes(p: np.ndarray) -> np.ndarray:
        if np.max(np.abs(grad(p))) <= TOLERANCE:
            solved.append(p)
            raise Solved
        counts[1] += 1
        return np.asarray(jacobian(p))

    try:
        end = scipy.optimize.least_squares(
            counted, problem.start, slopes, method="trf", xtol=None, ftol=None, gtol=1e-15
        )
        solved += [end.x] if np.max(np.abs(grad(end.x))) <= TOLERANCE else []
    except Solved:
        pass
    return sum(counts), bool(solved)


def by_optax(problem: Problem) -> tuple[int, bool]:
    """The same by Optax's L-BFGS, whose linesearch keeps the value and gradient where it arrived."""
    tx = optax.lbfgs()
    value_and_grad = optax.value_and_grad_from_state(problem.loss)

    @jax.jit
    def step(p: Any, state: Any) -> Any:
        value, grad = value_and_grad(p, state=state)
        updates, state = tx.update(grad, state, p, value=value, grad=grad, value_fn=problem.loss)
        return optax.apply_updates(p, updates), state

    p = jnp.asarray(problem.start)
    state, evaluations = tx.init(p), 1
    for _ in range(2000):
        p, state = step(p, state)
        evaluations += int(state[-1].info.num_linesearch_steps)
        if float(jnp.max(jnp.abs(jax.grad(problem.loss)(p)))) <= TOLERANCE:
            return evaluations, True
    return evaluations, False


METHODS: dict[str, Callable[[Problem], tuple[int, bool]]] = {
    "SciPy L-BFGS-B": lambda problem: by_scipy(problem, "L-BFGS-B"),
    "gradtx lbfgs": lambda problem: by_gradtx(problem, gradtx.lbfgs()),
    "Optax lbfgs": by_optax,
    "SciPy CG": lambda problem: by_scipy(problem, "CG"),
    "gradtx CG": lambda problem: by_gradtx(problem, gradtx.conjugate_gradient()),
    "SciPy LM": lambda problem: by_scipy(problem, "lm"),
    "gradtx LM": lambda problem: by_gradtx(problem, gradtx.levenberg_marquardt()),
}


def table() -> dict[str, dict[str, tuple[int, bool] | None]]:
    """Evaluations, and whether it was solved, by problem and method; None where a method is for squares only."""
    with jax.enable_x64(True):
        return {
            name: {
                method: None if method.endswith("LM") and problem.residuals is None else solve(problem)
                for method, solve in METHODS.items()
            }
            for name, problem in PROBLEMS.items()
        }


def mean_ratio(rows: Any, method: str, beside: str) -> float:
    """The geometric mean of evaluations by those of another method, over the problems that both are for."""
    pairs = [(row[method][0], row[beside][0]) for row in rows.values() if row[method] and row[beside]]
    return float(np.exp(np.mean([np.log(a / b) for a, b in pairs])))


def main() -> None:
    """Print the table; a star marks what was not solved."""
    rows = table()
    print(f"{'evaluations to a gradient of 1e-5, float64':<44}" + "".join(f"{method:>16}" for method in METHODS))
    for name, row in rows.items():
        cells = ["" if x is None else f"{x[0]}{'' if x[1] else '*'}" for x in row.values()]
        print(f"{name:<44}" + "".join(f"{cell:>16}" for cell in cells))
    ratios = [mean_ratio(rows, method, "SciPy L-BFGS-B") for method in METHODS]
    print(f"{'geometric mean by SciPy L-BFGS-B':<44}" + "".join(f"{ratio:>16.2f}" for ratio in ratios))


if __name__ == "__main__":
    main()
