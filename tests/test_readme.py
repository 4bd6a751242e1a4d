"""The README's code does what it says."""

import doctest
import pathlib
import re

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import gradtx

README = pathlib.Path(__file__).parent.parent / "README.md"
BLOCKS = re.findall(r"```python\n(.*?)```", README.read_text(), flags=re.DOTALL)


def test_the_training_loop_finds_the_minimum():
    names = {}
    exec(BLOCKS[0], names)
    np.testing.assert_allclose(names["params"]["w"], 3.0, atol=0.1)


def test_the_console_prints_what_is_shown():
    results = doctest.testfile(str(README), module_relative=False, globs={"gradtx": gradtx, "jnp": jnp})
    assert results.attempted >= 6
    assert results.failed == 0


def test_the_new_optimizer_descends_by_the_sign_of_its_momentum():
    names = {"gradtx": gradtx, "jnp": jnp}
    exec(BLOCKS[-1], names)
    tx = names["sign_momentum"](0.5)
    updates, _ = tx.update(jnp.array([3.0, -0.1]), tx.init(jnp.zeros(2)))
    np.testing.assert_array_equal(updates, [-0.5, 0.5])


@pytest.mark.parametrize("picture", re.findall(r"!\[.*?\]\((.*?)\)", README.read_text()))
def test_a_picture_that_is_shown_is_there(picture):
    assert (README.parent / picture).stat().st_size > 10_000


def test_everything_public_is_documented_with_its_arguments():
    for name in gradtx.__all__:
        x = getattr(gradtx, name)
        if name == "ScalarOrSchedule":
            continue
        assert x.__doc__, name
        if name in ("GradientTransformation", "Schedule", "Moments", "Plateau", "Restored"):
            continue
        assert "Returns:" in x.__doc__, name
        for argument in jax.tree.leaves(list(__import__("inspect").signature(x).parameters)):
            assert argument in x.__doc__, (name, argument)
