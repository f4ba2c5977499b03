"""What every test gets: no telemetry on disk, and an environment that says nothing about compat."""

from __future__ import annotations

import os

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
