"""Whether this process runs tests: said explicitly, never guessed from the call stack, and never so in production.

Three ways to say it: ``COMPAT_TESTING=1``, ``ENVIRONMENT=test`` (or ``testing``), or ``[tool.compat] testing = true`` in the
pyproject.toml of the directory that pytest takes for its root.
"""

from __future__ import annotations

import os


def environment_name() -> str:
    """``ENVIRONMENT`` in lower case, ``""`` where it is not set."""
    return os.environ.get("ENVIRONMENT", "").strip().lower()


def is_production() -> bool:
    """Whether this process says that it runs in production."""
    return environment_name() in ("production", "prod")


# What the process said when it began counts: a test that plays production by setting ENVIRONMENT stays a test.
_enabled = os.environ.get("COMPAT_TESTING") == "1" and not is_production()


def is_testing() -> bool:
    """Whether managers may be made without a user, each for a synthetic user of its own. ``COMPAT_TESTING=0`` says no."""
    said = os.environ.get("COMPAT_TESTING")
    if said == "0":
        return False
    return _enabled or (not is_production() and (said == "1" or environment_name() in ("test", "testing")))
