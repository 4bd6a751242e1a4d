"""The `race` command, from its arguments to its files."""

import importlib.util
import json
import subprocess
import sys

import matplotlib.image
import pytest

from gradtx.__main__ import main
from gradtx.race import cli, running
from gradtx.race.contestants import CONTESTANTS
from gradtx.race.data import digits
from gradtx.race.models import TASKS

# One worker runs these tests, so that they share one race.
FILES = pytest.mark.xdist_group("race files")
PICTURES = ("loss.png", "loss_common_rate.png", "paths.png", "schedule.png")


def _refusal(capsys, *words):
    with pytest.raises(SystemExit) as caught:
        main(["race", *words])
    assert caught.value.code == 2
    return capsys.readouterr().err


@pytest.fixture(scope="session")
def folder(tmp_path_factory):
    out = tmp_path_factory.mktemp("race") / "new" / "folder"
    assert main(["race", "--optimizers", "sgd,adam", "--epochs", "2", "--seeds", "2", "--out", str(out)]) == 0
    return out


@FILES
def test_a_race_writes_its_files_and_no_others(folder):
    assert {path.name for path in folder.iterdir()} == {*PICTURES, "table.md", "results.json"}


@FILES
@pytest.mark.parametrize("name", PICTURES)
def test_a_picture_is_not_blank(folder, name):
    pixels = matplotlib.image.imread(folder / name)
    assert pixels.shape[0] > 500 and pixels.shape[1] > 900
    inked = (pixels[..., :3] < 0.9).any(axis=-1).mean()
    assert 0.01 < inked < 0.5


@FILES
def test_the_table_names_every_contestant_twice(folder):
    lines = (folder / "table.md").read_text().splitlines()
    for name in ("sgd", "adam"):
        assert sum(line.startswith(f"| {name} |") for line in lines) == 2


@FILES
def test_the_json_holds_settings_and_all_curves(folder):
    content = json.loads((folder / "results.json").read_text())
    assert content["settings"]["epochs"] == 2 and content["settings"]["seeds"] == 2
    for name in ("sgd", "adam"):
        curves = content["contestants"][name]["curves_by_rate_and_seed"]["validation_accuracy"]
        assert len(curves) == len(content["settings"]["rates"])
        assert all(len(by_seed) == 2 and all(len(curve) == 3 for curve in by_seed) for by_seed in curves)


def test_an_unknown_optimizer_prints_the_closest_and_all_known_names(capsys):
    message = _refusal(capsys, "--optimizers", "sgd,adamx")
    assert "'adamx'" in message and "Did you mean 'adam" in message
    assert all(name in message for name in CONTESTANTS)


@pytest.mark.parametrize("words", [("--epochs", "0"), ("--seeds", "-1"), ("--batch-size", "x"), ("--epochs", "1.5")])
def test_a_count_below_one_is_refused(capsys, words):
    message = _refusal(capsys, *words)
    assert words[0] in message and "whole number of at least 1" in message


def test_a_batch_larger_than_the_data_is_refused(capsys):
    assert "1437" in _refusal(capsys, "--batch-size", "1438")


def test_an_empty_list_of_optimizers_is_refused(capsys):
    assert "no optimizer" in _refusal(capsys, "--optimizers", ",")


def test_missing_packages_are_named_with_the_install_command(monkeypatch, capsys, tmp_path):
    find = importlib.util.find_spec
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None if name == "sklearn" else find(name))
    assert main(["race", "--out", str(tmp_path / "race")]) == 1
    message = capsys.readouterr().err
    assert "sklearn" in message and 'pip install "gradtx[race]"' in message
    assert not (tmp_path / "race").exists()


def test_an_interrupted_race_keeps_the_finished_results(monkeypatch, capsys, tmp_path, untimed):
    real = running.run

    def interrupted(settings, name, bar):
        if name == "adam":
            raise KeyboardInterrupt
        return real(settings, name, bar)

    monkeypatch.setattr(running, "run", interrupted)
    words = ["--optimizers", "sgd", "adam", "--epochs", "1", "--seeds", "1", "--out", str(tmp_path)]
    assert main(["race", *words]) == 130
    assert list(json.loads((tmp_path / "results.json").read_text())["contestants"]) == ["sgd"]
    assert (tmp_path / "loss.png").exists()
    assert "sgd" in capsys.readouterr().out


def test_importing_gradtx_does_not_import_the_race():
    wanted = "{'gradtx.race', 'matplotlib', 'sklearn', 'tqdm'}"
    subprocess.run([sys.executable, "-c", f"import sys, gradtx; assert not {wanted} & set(sys.modules)"], check=True)


def test_the_command_knows_the_networks_and_the_size_of_the_data():
    assert set(cli.EPOCHS) == set(TASKS)
    assert len(digits().train.labels) == cli.TRAIN_SIZE
