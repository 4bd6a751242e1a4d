"""docs/promises.md, from what the tests of promises reported of gradtx and of Optax: `make promises` runs all three."""

import json
import sys
from collections import defaultdict
from importlib.metadata import version
from pathlib import Path

PROMISES = {
    1: "one trace",
    2: "precision",
    3: "finite",
    4: "trees",
    5: "JAX",
    6: "hyperparameters",
    7: "errors",
    8: "addressable",
    9: "nothing extra",
    10: "interoperation",
}

HEAD = """# What holds, as measured

This page is written by the test suite (`make promises`), and reports what it found: {when}. Numbers are tests passed of
tests that apply; the tests are in `tests/properties/`, one file for each promise.

1. **One trace.** Jitted steps trace once; the state's structure, shapes, dtypes and weak types never change.
2. **Precision.** Statistics and arithmetic are at least float32; how a scalar was spelt changes no bit.
3. **Finite.** Finite gradients of any size give finite updates, a zero gradient a zero update, and no outlier freezes.
4. **Trees.** Any pytree, modules that can be called among them; what is None or not floating is left alone.
5. **JAX.** The same under jit, vmap, scan, grad, donation, and sharded over a mesh.
6. **Hyperparameters.** Number, array, tracer or schedule: it makes no difference, and a new value compiles nothing.
7. **Errors.** What is wrong raises when built or traced, and says who, where and what to do.
8. **Addressable.** Every array of a state has a name that an edit does not move, and is restored by it.
9. **Nothing extra.** No memory beside the arguments, no call that was not asked for.
10. **Interoperation.** At home in Optax, Flax, Equinox, Orbax, and Optax at home here.
"""


def tally(outcomes):
    """Passed, of those that applied, by a key."""
    counts = defaultdict(lambda: [0, 0])
    for key, outcome in outcomes:
        if outcome != "skipped":
            counts[key][0] += outcome == "passed"
            counts[key][1] += 1
    return counts


def cell(count):
    """One entry of a table."""
    passed, applied = count
    return "" if not applied else "✓" if passed == applied else f"**{passed} of {applied}**"


def matrix(outcomes):
    """The promises by transformation, as a table."""
    counts = tally(((o["name"], o["promise"]), o["outcome"]) for o in outcomes if o["name"] and o["promise"])
    names = sorted({name for name, _ in counts})
    rows = ["| | " + " | ".join(PROMISES.values()) + " |", "|---" * (len(PROMISES) + 1) + "|"]
    for name in names:
        rows.append(f"| `{name}` | " + " | ".join(cell(counts[name, promise]) for promise in PROMISES) + " |")
    return "\n".join(rows)


def scenarios(gradtx, optax):
    """The cases by number, for both libraries."""
    told = {scenario[0]: scenario[1] for o in gradtx for scenario in o["scenarios"]}
    counts = [tally((s[0], o["outcome"]) for o in outcomes for s in o["scenarios"]) for outcomes in (gradtx, optax)]
    rows = ["| | case | gradtx | Optax |", "|---|---|---|---|"]
    rows += [f"| {n} | {told[n]} | {cell(counts[0][n])} | {cell(counts[1][n])} |" for n in sorted(told)]
    return "\n".join(rows)


def page(gradtx, optax):
    """The whole page."""
    failed = [o["test"] for o in gradtx if o["outcome"] == "failed"]
    parts = [
        HEAD.format(when=", ".join(f"{name} {version(name)}" for name in ("gradtx", "jax", "optax"))),
        "## Cases that break optimizers in practice\n\n"
        "Where Optax's column is empty the case asks for something that Optax has no counterpart of.\n\n"
        + scenarios(gradtx, optax),
        "## gradtx\n\n" + matrix(gradtx),
        "## What gradtx does not hold yet\n\n"
        + ("\n".join(f"- `{test}`" for test in failed) or "Every test that was run passed.")
        + "\n\nHeld narrowly: stages that only pass on or gather what they are given (`scale`, `trace`, `sgd` with "
        "momentum) are not asked to bound gradients above 1e30, for a sum of three halves of the largest number is "
        "infinite; optimizers whose step reads the state that it replaces (`lion`, `adadelta`, `adan`, `adopt`, "
        "`acprop`, `cocob`, `rprop`, `optimistic_gradient_descent`) need a copy of that state on a CPU, in Optax too; "
        "`adagrad` and `amsgrad` keep an outlier in their sum and their maximum for good, by definition.",
        "## Optax\n\nThe same tests, run on what Optax has under the same name, wrapped in `with_extra_args_support`. "
        "A test that goes over several cases fails with one of them. Promises 6, 8 and 10 ask for what only a gradtx "
        "transformation has; float32 state for bfloat16 parameters, and errors that name a path, are no promises of "
        "Optax.\n\n" + matrix(optax),
    ]
    return "\n\n".join(parts) + "\n"


if __name__ == "__main__":
    ours, theirs, target = map(Path, sys.argv[1:])
    target.write_text(page(json.loads(ours.read_text()), json.loads(theirs.read_text())))
