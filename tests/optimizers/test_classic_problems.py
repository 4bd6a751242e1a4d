"""Ten classic problems: all are solved, in no more evaluations than SciPy takes, and in float32 too."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import gradtx
from benchmarks.second_order import PROBLEMS, by_gradtx, by_scipy

slow = pytest.mark.slow


@pytest.mark.parametrize(
    ("tx", "method", "at_most"),
    [
        pytest.param(gradtx.lbfgs(), "L-BFGS-B", 1.0, id="lbfgs"),
        pytest.param(gradtx.conjugate_gradient(), "CG", 1.0, id="conjugate_gradient", marks=slow),
        pytest.param(gradtx.levenberg_marquardt(), "lm", 1.1, id="levenberg_marquardt", marks=slow),
    ],
)
def test_all_are_solved_in_no_more_evaluations_than_scipy_takes_in_the_mean(tx, method, at_most):
    with jax.enable_x64(True):
        problems = [x for x in PROBLEMS.values() if method != "lm" or x.residuals is not None]
        ours, theirs = ([f(x) for x in problems] for f in (lambda x: by_gradtx(x, tx), lambda x: by_scipy(x, method)))
        assert all(solved for _, solved in ours)
        assert np.exp(np.mean([np.log(a / b) for (a, _), (b, _) in zip(ours, theirs, strict=True)])) <= at_most


METHODS = {"lbfgs": gradtx.lbfgs(), "conjugate_gradient": gradtx.conjugate_gradient()}
# The badly scaled one has a Hessian of condition 1e24: directions of conjugate gradients are rounding in float32.
FLOAT32 = [
    (name, x) for name in METHODS for x in PROBLEMS if (name, x) != ("conjugate_gradient", "Brown badly scaled, 2")
]


@pytest.mark.parametrize(
    ("method", "problem"), [x if x[1].startswith("Rosenbrock, 2") else pytest.param(*x, marks=slow) for x in FLOAT32]
)
def test_in_float32_the_value_is_that_of_float64_but_for_rounding(method, problem):
    tx = METHODS[method]
    start, loss = PROBLEMS[problem].start, PROBLEMS[problem].loss
    found = gradtx.minimize(loss, start.astype(np.float32), tx, max_steps=3000)
    with jax.enable_x64(True):
        least = gradtx.minimize(loss, start, tx, tol=1e-7, max_steps=3000)
        assert float(loss(found.params.astype(float))) <= float(least.value) + 2e-6 * (1 + float(loss(start)))
    assert jnp.all(jnp.isfinite(found.params))
