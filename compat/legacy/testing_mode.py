"""Whether this process runs tests: said explicitly, never guessed from the call stack, and never so in production.

Three ways to say it: ``COMPAT_TESTING=1``, ``ENVIRONMENT=test`` (or ``testing``), or the pytest plugin of this package.
"""

from __future__ import annotations

import os

_enabled = False


def environment_name() -> str:
    """``ENVIRONMENT`` in lower case, ``""`` where it is not set."""
    return os.environ.get("ENVIRONMENT", "").strip().lower()


def is_production() -> bool:
    """Whether this process says that it runs in production."""
    return environment_name() in ("production", "prod")


def enable() -> bool:
    """Turn testing mode on for this process; False, and nothing changed, in production."""
    global _enabled
    if is_production():
        return False
    _enabled = True
    return True


def disable() -> None:
    """Turn off what :func:`enable` turned on."""
    global _enabled
    _enabled = False


def is_testing() -> bool:
    """Whether managers may be made without a user, each for a synthetic user of its own."""
    if _enabled:
        return True
    if is_production():
        return False
    return os.environ.get("COMPAT_TESTING") == "1" or environment_name() in ("test", "testing")
