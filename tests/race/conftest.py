"""What the tests of the race share."""

import pytest

from gradtx.race import training


@pytest.fixture
def untimed(monkeypatch):
    """A race that does not time its steps, for which it compiles an epoch anew: most of the time of a tiny race."""
    monkeypatch.setattr(training, "seconds_per_step", lambda *args: 1e-4)
