"""Write docs/promises.md from the outcomes of the tests of promises for gradtx and Optax, as `make promises` does."""

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

HEAD = """# Tested promises

The test suite writes this page (`make promises`). The versions are {when}.
A check mark means that all applicable tests passed. Other cells give the number that passed, and empty cells have no
applicable test. The tests are in `tests/properties/`, one file for each promise.

1. **One trace.** A jitted step is traced once. The state's structure, shapes, dtypes and weak types never change.
2. **Precision.** Statistics and arithmetic are at least float32. The type of a scalar argument changes no bit.
3. **Finite.** Finite gradients of any size give finite updates, and a zero gradient gives a zero update. No outlier
   freezes training.
4. **Trees.** Any pytree works, including callable modules. Leaves that are None or not floating point are left alone.
5. **JAX.** Transformations work under jit, vmap, scan and grad, with donation, and sharded over a mesh.
6. **Hyperparameters.** Each can be a number, an array, a tracer or a schedule, with the same results. A new value does
   not recompile.
7. **Errors.** A mistake raises an error when the transformation is built or traced. The message says who complains,
   where, and what to do.
8. **Addressable.** Every array of a state has a name that survives edits of the chain, and can be restored by it.
9. **Nothing extra.** A step needs no memory in addition to its arguments, and calls nothing outside the program.
10. **Interoperation.** Transformations work in Optax, Flax, Equinox and Orbax, and Optax's transformations work here.
"""


def tally(outcomes):
    """Count the outcomes that passed and that applied, by key."""
    counts = defaultdict(lambda: [0, 0])
    for key, outcome in outcomes:
        if outcome != "skipped":
            counts[key][0] += outcome == "passed"
            counts[key][1] += 1
    return counts


def cell(count):
    """One cell of a table."""
    passed, applied = count
    return "" if not applied else "✓" if passed == applied else f"**{passed} of {applied}**"


def matrix(outcomes):
    """The table of promises by transformation."""
    counts = tally(((o["name"], o["promise"]), o["outcome"]) for o in outcomes if o["name"] and o["promise"])
    names = sorted({name for name, _ in counts})
    rows = ["| | " + " | ".join(PROMISES.values()) + " |", "|---" * (len(PROMISES) + 1) + "|"]
    for name in names:
        rows.append(f"| `{name}` | " + " | ".join(cell(counts[name, promise]) for promise in PROMISES) + " |")
    return "\n".join(rows)


def scenarios(gradtx, optax):
    """The table of numbered cases for both libraries."""
    texts = {scenario[0]: scenario[1] for o in gradtx for scenario in o["scenarios"]}
    counts = [tally((s[0], o["outcome"]) for o in outcomes for s in o["scenarios"]) for outcomes in (gradtx, optax)]
    rows = ["| | case | gradtx | Optax |", "|---|---|---|---|"]
    rows += [f"| {n} | {texts[n]} | {cell(counts[0][n])} | {cell(counts[1][n])} |" for n in sorted(texts)]
    return "\n".join(rows)


def page(gradtx, optax):
    """The whole page."""
    failed = [o["test"] for o in gradtx if o["outcome"] == "failed"]
    parts = [
        HEAD.format(when=", ".join(f"{name} {version(name)}" for name in ("gradtx", "jax", "optax"))),
        "## Cases that break optimizers in practice\n\n"
        "An empty cell in Optax's column means that Optax has no counterpart.\n\n" + scenarios(gradtx, optax),
        "## gradtx\n\n" + matrix(gradtx),
        "## Promises that gradtx does not keep yet\n\n"
        + ("\n".join(f"- `{test}`" for test in failed) or "All tests passed.")
        + "\n\nThese limits remain. Stages that only scale or accumulate updates (`scale`, `trace`, `sgd` with "
        "momentum, `muon`, `normuon`) are not tested with gradients above 1e30, because adding half the largest number "
        "three times overflows. Optimizers whose step reads the state that it replaces (`lion`, `adadelta`, `adan`, "
        "`adopt`, `acprop`, `cocob`, `rprop`, `optimistic_gradient_descent`) need a copy of that state on a CPU, as in "
        "Optax. `adagrad` and `amsgrad` never forget an outlier, because by definition they keep a sum and a maximum. "
        "The bases of `soap`, `shampoo`, `galore` and `dion` count as constants in derivatives.",
        "## Optax\n\nThe same tests run on the Optax transformations of the same names, wrapped in "
        "`with_extra_args_support`. A test with several cases fails if one of them fails. Promises 6, 8 and 10 need "
        "features that only gradtx transformations have. Optax does not promise float32 state for bfloat16 parameters, "
        "or errors that name a path.\n\n" + matrix(optax),
    ]
    return "\n\n".join(parts) + "\n"


if __name__ == "__main__":
    ours, theirs, target = map(Path, sys.argv[1:])
    target.write_text(page(json.loads(ours.read_text()), json.loads(theirs.read_text())))
