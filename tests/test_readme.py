"""The README's code does what it says."""

import doctest
import inspect
import pathlib
import re

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


def test_the_console_examples_print_what_is_shown():
    results = doctest.testfile(str(README), module_relative=False, globs={"gradtx": gradtx, "jnp": jnp})
    assert results.attempted >= 6
    assert results.failed == 0


def test_the_new_optimizer_descends_by_the_sign_of_its_momentum():
    names = {"gradtx": gradtx, "jnp": jnp}
    exec(next(block for block in BLOCKS if "def sign_momentum" in block), names)
    tx = names["sign_momentum"](0.5)
    updates, _ = tx.update(jnp.array([3.0, -0.1]), tx.init(jnp.zeros(2)))
    np.testing.assert_array_equal(updates, [-0.5, 0.5])


def test_the_new_wrapper_averages_the_parameters():
    names = {"gradtx": gradtx, "jnp": jnp}
    exec(next(block for block in BLOCKS if "def averaged" in block), names)
    tx, p = names["averaged"](gradtx.sgd(1.0), 0.75), jnp.array([2.0])
    _, state = tx.update(jnp.array([4.0]), tx.init(p), p)
    np.testing.assert_allclose(state["averaged"]["average"], [0.75 * 2.0 - 0.25 * 2.0])


@pytest.mark.parametrize(("page", "examples"), [("composition.md", 30), ("matrices.md", 8), ("second_order.md", 9)])
def test_a_page_does_what_it_says(page, examples):
    results = doctest.testfile(str(README.parent / "docs" / page), module_relative=False)
    assert results.attempted >= examples
    assert results.failed == 0


@pytest.mark.parametrize("picture", re.findall(r"!\[.*?\]\((.*?)\)", README.read_text()))
def test_every_picture_in_the_readme_exists(picture):
    assert (README.parent / picture).stat().st_size > 10_000


def documentation(name):
    """The docstring of an export, and of any other export whose arguments it refers to."""
    text = getattr(gradtx, name).__doc__ or ""
    there = re.search(r"`(\w+)`[^`]*; arguments as there", text)
    return text + (documentation(there[1]) if there else "")


@pytest.mark.parametrize("name", [name for name in gradtx.__all__ if inspect.isfunction(getattr(gradtx, name))])
def test_a_public_function_documents_its_arguments_and_what_it_returns(name):
    text = documentation(name)
    assert "Returns:" in text
    assert all(argument in text for argument in inspect.signature(getattr(gradtx, name)).parameters)


@pytest.mark.parametrize("name", [name for name in gradtx.__all__ if inspect.isclass(getattr(gradtx, name))])
def test_a_public_class_says_what_it_is(name):
    assert getattr(gradtx, name).__doc__
