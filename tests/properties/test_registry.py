"""The registry holds every exported transformation."""

from pathlib import Path

import gradtx
from properties import registry

pytestmark = registry.of_gradtx


def test_every_export_is_registered_or_listed_as_something_else():
    assert set(gradtx.__all__) == set(registry.GRADTX) | registry.OTHERS


def test_no_export_is_in_the_wrong_list():
    for name in registry.OTHERS:
        assert not isinstance(getattr(gradtx, name), gradtx.GradientTransformation)
    for name in registry.GRADTX:
        assert isinstance(registry.make(name), gradtx.GradientTransformation)


def test_the_page_of_promises_lists_every_transformation():
    page = (Path(__file__).parents[2] / "docs" / "promises.md").read_text()
    ours = page.split("## gradtx")[1].split("## ")[0]
    listed = {line.split("`")[1] for line in ours.splitlines() if line.startswith("| `")}
    assert listed == set(registry.GRADTX), "regenerate the page with `make promises`"
