"""Set up eight CPU devices for the tests of sharding, and report the outcomes of the tests of promises."""

import gc
import itertools
import json
import os
import re
from pathlib import Path

import jax
import pytest

# This must be set before JAX starts.
os.environ["XLA_FLAGS"] = os.environ.get("XLA_FLAGS", "") + " --xla_force_host_platform_device_count=8"


# Every compiled program maps memory, and Linux ends a process that has more than 65,530 maps.
MOST_MAPS = 40_000
MAPS = Path("/proc/self/maps")
finished = itertools.count(1)


def pytest_runtest_teardown():
    """Let go of compiled programs before there are too many."""
    if next(finished) % 100 == 0 and MAPS.exists() and MAPS.read_bytes().count(b"\n") > MOST_MAPS:
        jax.clear_caches()
        gc.collect()


def pytest_addoption(parser):
    parser.addoption("--promises", metavar="FILE", help="write the outcomes of the tests of promises to a JSON file")


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items):
    """Send all tests of a transformation to one worker, which compiles its update once, and label every test."""
    stages = __import__("properties.registry", fromlist=["STAGES"]).STAGES
    for item in items:
        name = getattr(item, "callspec", None) and item.callspec.params.get("name")
        name = name if isinstance(name, str) else None
        if name and "properties" in item.path.parts:
            item.add_marker(pytest.mark.xdist_group(name))
            if name in stages:
                item.add_marker(pytest.mark.slow)
        promise = (
            re.match(r"Promise (\d+)", getattr(item.module, "__doc__", None) or "") if hasattr(item, "module") else None
        )
        item.user_properties.append(("promise", int(promise[1]) if promise else None))
        item.user_properties.append(("name", name))
        item.user_properties.extend(("scenario", mark.args) for mark in item.iter_markers("scenario"))


class Report:
    """Collects the outcomes from all workers."""

    def __init__(self, path):
        self.path, self.outcomes = Path(path), []

    def pytest_runtest_logreport(self, report):
        if report.when == "call" or report.outcome != "passed":
            entry = {"test": report.nodeid, "outcome": report.outcome, "scenarios": []}
            for key, value in report.user_properties:
                if key == "scenario":
                    entry["scenarios"].append(value)
                else:
                    entry[key] = value
            self.outcomes.append(entry)

    def pytest_sessionfinish(self):
        self.path.parent.mkdir(parents=True, exist_ok=True)
        self.path.write_text(json.dumps(self.outcomes, indent=1))


def pytest_configure(config):
    if config.getoption("--promises") and not hasattr(config, "workerinput"):
        config.pluginmanager.register(Report(config.getoption("--promises")))
