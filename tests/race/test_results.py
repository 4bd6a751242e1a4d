"""Which rate is chosen, what counts as diverged, and how both are reported."""

import dataclasses
import json

import numpy as np
import pytest

from gradtx.race import report, running, table
from gradtx.race.results import COMMON_RATE, Failure, Result, Settings, ordering_holds
from gradtx.race.training import Metrics


def _result(losses, name="adam", accuracy=0.5, validation=None):
    """A result with two seeds that have the same losses, [rates, epochs]."""
    losses = np.repeat(np.array(losses, float)[:, None], 2, axis=1)
    validation = losses if validation is None else np.repeat(np.array(validation, float)[:, None], 2, axis=1)
    accuracies = np.broadcast_to(accuracy, losses.shape)
    settings = Settings("mlp", losses.shape[2] - 1, seeds=2, rates=(0.1, 1.0, 10.0)[: len(losses)], common_rate=0.1)
    return Result(name, settings, Metrics(losses, validation, accuracies), 22, 1e-4, 8.0)


def test_the_rate_with_the_lowest_final_validation_loss_is_chosen():
    result = _result([[2, 0.1], [2, 1.0], [2, 1.0]], validation=[[2, 0.9], [2, 0.3], [2, 0.5]])
    assert result.chosen == 1


@pytest.mark.parametrize("end", [np.nan, np.inf, 5.0])
def test_a_rate_that_diverged_is_not_chosen(end):
    result = _result([[2, 1.9], [2, end], [2, 1.8]], validation=[[2, 1.9], [2, 0.1], [2, 1.8]])
    assert list(result.diverged) == [False, True, False]
    assert result.chosen == 2


def test_a_loss_that_was_infinite_during_training_counts_as_diverged():
    assert list(_result([[2, np.inf, 1], [2, 1.5, 1]]).diverged) == [True, False]


def test_a_rate_diverges_if_one_seed_diverges():
    result = _result([[2, 1], [2, 1]])
    result.curves.train_loss[0, 1, -1] = np.nan
    assert list(result.diverged) == [True, False]


def test_an_edge_of_the_grid_is_marked():
    assert "1 (edge)" in table.text([_result([[2, 1.0], [2, 0.5]])])
    inside = _result([[2, 1.0], [2, 0.5], [2, 1.0]])
    assert not inside.at_edge and "(edge)" not in table.text([inside])


def test_a_low_accuracy_never_reaches_the_target():
    result = _result([[2, 1.0]], accuracy=0.9)
    assert result.epochs_to_target(0) == np.inf
    assert table.markdown([result]).count("| - | - |") == 1


def test_epochs_to_target_counts_to_the_first_epoch_that_reaches_it():
    result = _result([[2, 1, 1, 1]], accuracy=[[[0.1, 0.9, 0.96, 0.94], [0.1, 0.9, 0.97, 0.99]]])
    assert result.epochs_to_target(0) == 2


def test_a_race_at_only_a_huge_rate_is_reported_as_diverged(untimed):
    settings = Settings("mlp", epochs=2, seeds=2, rates=(1e6,), common_rate=1e6)
    (result,) = running.race(settings, ["momentum"], progress=False)
    assert result.chosen is None
    rows = [line.split() for line in table.text([result]).splitlines() if line.startswith("momentum")]
    assert [row[:2] for row in rows] == [["momentum", "diverged"]] * 2


def test_a_contestant_that_raises_does_not_stop_the_others(monkeypatch, untimed):
    def broken(rate, length):
        raise RuntimeError("no such luck")

    monkeypatch.setitem(running.CONTESTANTS, "adam", broken)
    settings = Settings("mlp", epochs=1, seeds=1, rates=(0.1,), common_rate=0.1)
    first, second = running.race(settings, ["adam", "sgd"], progress=False)
    assert first == Failure("adam", "RuntimeError: no such luck")
    assert second.name == "sgd" and second.chosen == 0
    assert "adam failed: RuntimeError: no such luck" in table.text([first, second])


def test_the_ordering_follows_from_the_losses():
    losses = {"adam": 0.1, "rmsprop": 0.2, "momentum": 0.3, "sgd": 0.4}
    done = {name: _result([[2, loss]], name) for name, loss in losses.items()}
    assert ordering_holds(done, 0)
    assert "does not hold" not in table.conclusions(done)[0]
    done["adam"], done["sgd"] = done["sgd"], done["adam"]
    assert not ordering_holds(done, 0)
    assert "does not hold" in table.conclusions(done)[0]


def test_the_ordering_is_unknown_without_all_four():
    assert "not known without rmsprop, momentum, sgd" in table.conclusions({"adam": _result([[2, 1]])})[0]


def test_json_has_null_for_nonfinite_numbers(tmp_path):
    result = _result([[2, np.nan], [2, 1.0]])
    report.write_numbers(tmp_path, result.settings, [result])
    entry = json.loads((tmp_path / "results.json").read_text())["contestants"]["adam"]
    assert entry["curves_by_rate_and_seed"]["train_loss"] == [[[2, None], [2, None]], [[2, 1.0], [2, 1.0]]]
    assert entry["diverged_rates"] == [0.1] and entry["chosen_rate"] == 1.0


def test_the_common_rate_must_be_in_the_grid():
    with pytest.raises(ValueError, match="common rate"):
        dataclasses.replace(Settings("mlp", 1), common_rate=0.5)


def test_at_the_common_untuned_rate_adam_beats_rmsprop_beats_momentum_beats_sgd(untimed):
    settings = Settings("mlp", epochs=8, rates=(COMMON_RATE,))
    done = {r.name: r for r in running.race(settings, ["sgd", "momentum", "rmsprop", "adam"], progress=False)}
    assert ordering_holds(done, 0)
