"""Compare the public API with a record: names, parameters with defaults, reprs, and the names in states.

The record was made before each method moved to its own file. This file lists the intentional changes since then.
"""

import inspect
import json
import subprocess
import sys
from pathlib import Path

import jax
import pytest

import gradtx
from properties import registry

RECORD = json.loads((Path(__file__).parent / "data" / "public.json").read_text())
# Stages that correct a bias or have a special first step now keep their age, and wrappers keep the inner names.
MOVED = {
    "grams": ("with_gradient_sign/", "scale_by_adam/"),
    "mechanize": ("tuner/", "mechanize/"),
    "split_real_and_imaginary": ("split_real_and_imaginary/", ""),
    "with_gradient_sign": ("with_gradient_sign/", "trace/"),
}
# Methods that must know what the axes of arrays are took an axis or inferred it.
AXES = "axes=None"
ADDED = {"leafwise": {"last=False"}, "treewise": {"keeps=None", "last=False"}}
REMOVED = {"adaptive_grad_clip": ", axis=None", "centralize": "unit_axis=0"}


def parameters(name):
    """The parameters of a function, each with its default."""
    known = inspect.signature(getattr(gradtx, name)).parameters.values()
    return [p.name if p.default is p.empty else f"{p.name}={p.default!r}" for p in known]


@pytest.mark.parametrize("name", RECORD["parameters"])
def test_an_export_keeps_its_parameters_and_defaults(name):
    assert hasattr(gradtx, name)
    if RECORD["parameters"][name] is not None:
        found = [p for p in parameters(name) if p not in ADDED.get(name, ()) and p != AXES]
        assert ", ".join(found) == RECORD["parameters"][name].removesuffix(REMOVED.get(name, ""))


@pytest.mark.parametrize("name", RECORD["states"])
def test_a_transformation_keeps_its_repr_and_the_names_in_its_state(name):
    tx = registry.make(name)
    assert repr(tx) == RECORD["reprs"][name].replace("unit_axis=0", "")
    flat = gradtx.flat_state(tx.init(registry.params()))
    found = {f"{key}: {x.dtype}{list(x.shape)}" for key, x in flat.items() if key.split("/")[-1] != "age"}
    old, new = MOVED.get(name, ("", ""))
    before = {x.replace(old, new, 1) if x.startswith(old) else x for x in RECORD["states"][name].split("; ")}
    assert found == before


def test_help_shows_a_short_signature():
    assert len(str(inspect.signature(gradtx.adam))) <= 260


def test_init_and_update_are_named_like_functions():
    tx = gradtx.adam(0.1)
    assert (tx.init.__name__, tx.init.__qualname__) == ("init", "adam.init")
    assert (tx.update.__name__, tx.update.__qualname__) == ("update", "adam.update")
    assert tx.update.__doc__.startswith("Take one step") and tx.init.__doc__.startswith("Make the first state")
    assert jax.jit(tx.update).__name__ == "update"


def test_a_transformation_says_what_it_needs():
    assert gradtx.adamw(0.1).needs == ()
    assert gradtx.chain(gradtx.polyak_sgd(), gradtx.sophia(0.1)).needs == ("value", "hessian")
    assert gradtx.masked(gradtx.sgd(gradtx.plateau(0.1)), True).needs == ("value",)


def test_importing_gradtx_imports_no_optional_package():
    code = "import sys, gradtx; print(*sorted({m.split('.')[0] for m in sys.modules}))"
    modules = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.split()
    assert not {"optax", "chex", "flax", "equinox", "matplotlib", "sklearn", "tqdm", "orbax"} & set(modules)
