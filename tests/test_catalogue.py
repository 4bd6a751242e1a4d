"""The table of optimizers, for the documentation and for the terminal."""

from pathlib import Path

from gradtx import catalogue
from gradtx.__main__ import main
from gradtx.race.contestants import CONTESTANTS, GROUPS


def test_the_documentation_page_is_the_output_of_the_command(capsys):
    assert main(["optimizers", "--markdown"]) == 0
    page = Path(__file__).parents[1] / "docs" / "optimizers.md"
    assert capsys.readouterr().out == page.read_text()


def test_every_optimizer_is_listed(capsys):
    assert main(["optimizers"]) == 0
    shown = capsys.readouterr().out.splitlines()[::3]
    assert [line.split()[0] for line in shown] == catalogue.names() + catalogue.searching()


def test_optimizers_that_ask_the_loss_are_listed_apart_and_race_on_all_images_only():
    assert catalogue.searching() == ["conjugate_gradient", "lbfgs", "levenberg_marquardt"]
    assert set(catalogue.searching()) & set(CONTESTANTS) == set(GROUPS["full_batch"])


def test_state_and_needs_match_the_transformation():
    known = {entry.name: entry for entry in catalogue.entries()}
    assert (known["adam"].state, known["sgd"].state, known["lion"].state) == (8.0, 0.0, 4.0)
    assert (known["adamw"].needs, known["momo"].needs, known["sgd"].needs) == (("params",), ("params", "value"), ())
    assert all(entry.paper[-1] == "." and any(c.isdigit() for c in entry.paper) for entry in known.values())
