"""The pytest plugin: says that this process runs tests, for legacy classes that tests construct without a user."""

from __future__ import annotations

import os
import sys

TYPE_CHECKING = False
if TYPE_CHECKING:
    import pytest

_VARIABLE = "COMPAT_TESTING"
_before: list[str | None] = []


def pytest_configure(config: pytest.Config) -> None:
    """Turn testing mode on until the session ends. ``COMPAT_TESTING=0`` keeps it off; production refuses it."""
    # Only the variable is set here: nothing of the package is imported for a test run that uses no legacy name.
    if os.environ.get(_VARIABLE) == "0" or os.environ.get("ENVIRONMENT", "").strip().lower() in ("production", "prod"):
        return
    _before.append(os.environ.get(_VARIABLE))
    os.environ[_VARIABLE] = "1"


def pytest_unconfigure(config: pytest.Config) -> None:
    """Leave the environment as it was."""
    if not _before:
        return
    was = _before.pop()
    if was is None:
        os.environ.pop(_VARIABLE, None)
    else:
        os.environ[_VARIABLE] = was
    legacy = sys.modules.get("compat.netra.testing_mode")
    if legacy is not None:
        legacy.disable()
