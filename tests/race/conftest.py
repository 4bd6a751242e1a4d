"""Fixtures for the tests of the race."""

import pytest

from gradtx.race import training


@pytest.fixture
def untimed(monkeypatch):
    """Do not time the steps. Timing compiles another epoch, which takes most of the time of a tiny race."""
    monkeypatch.setattr(training, "seconds_per_step", lambda *args: 1e-4)
