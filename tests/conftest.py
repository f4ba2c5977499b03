"""What every test gets: no telemetry on disk, and an environment that says nothing about compat."""

from __future__ import annotations

import os
import pathlib

import pytest
from hypothesis import HealthCheck, settings

# How fast examples are made says how busy the machine is, and nothing of what is tested; fixtures are made to serve many.
settings.register_profile(
    "untimed", deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.function_scoped_fixture]
)
settings.load_profile("untimed")

os.environ["COMPAT_TELEMETRY"] = "memory"
for _name in ("COMPAT", "COMPAT_AS_OF", "COMPAT_ROOTS", "COMPAT_SUMMARY", "COMPAT_DIR", "COMPAT_SERVICE"):
    os.environ.pop(_name, None)


@pytest.fixture
def in_ci() -> bool:
    """Whether a part that is missing must fail the test instead of skipping it."""
    return os.environ.get("CI", "").lower() == "true"


def pytest_addoption(parser):
    """``--accept-gold`` writes what was found into the golden files."""
    parser.addoption("--accept-gold", action="store_true", help="write what is found into golden files instead of comparing")


@pytest.fixture
def gold(request):
    """Compare a part of a golden file with what was found; with ``--accept-gold``, write it there instead."""

    def compare(path: pathlib.Path, expected: str, found: str) -> None:
        if found != expected and request.config.getoption("--accept-gold"):
            text = path.read_text(encoding="utf-8")
            assert text.count(expected) == 1, f"{path.name} has this part more than once, or not at all:\n{expected}"
            path.write_text(text.replace(expected, found), encoding="utf-8")
            pytest.skip(f"accepted in {path.name}")
        assert found == expected

    return compare
