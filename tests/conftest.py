"""What every test gets: no telemetry on disk, and an environment that says nothing about compat."""

from __future__ import annotations

import os

import pytest

os.environ["COMPAT_TELEMETRY"] = "memory"
for _name in ("COMPAT", "COMPAT_AS_OF", "COMPAT_ROOTS", "COMPAT_SUMMARY", "COMPAT_DIR", "COMPAT_SERVICE"):
    os.environ.pop(_name, None)


@pytest.fixture
def in_ci() -> bool:
    """Whether a part that is missing must fail the test instead of skipping it."""
    return os.environ.get("CI", "").lower() == "true"
