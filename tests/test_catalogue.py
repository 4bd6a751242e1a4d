"""The table of optimizers, for the documentation and for the terminal."""

from pathlib import Path

from gradtx import catalogue, optimizers
from gradtx.__main__ import main


def test_the_page_of_the_documentation_is_what_the_command_writes(capsys):
    assert main(["optimizers", "--markdown"]) == 0
    page = Path(__file__).parents[1] / "docs" / "optimizers.md"
    assert capsys.readouterr().out == page.read_text()


def test_every_optimizer_has_its_line(capsys):
    assert main(["optimizers"]) == 0
    shown = capsys.readouterr().out.splitlines()[::3]
    assert [line.split()[0] for line in shown] == optimizers.__all__


def test_state_and_needs_are_those_of_the_transformation():
    known = {entry.name: entry for entry in catalogue.entries()}
    assert (known["adam"].state, known["sgd"].state, known["lion"].state) == (8.0, 0.0, 4.0)
    assert (known["adamw"].needs, known["momo"].needs, known["sgd"].needs) == (("params",), ("params", "value"), ())
    assert all(entry.paper[-1] == "." and any(c.isdigit() for c in entry.paper) for entry in known.values())
