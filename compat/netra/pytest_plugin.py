"""The pytest plugin: turns testing mode on for a project whose pyproject.toml says ``[tool.compat] testing = true``.

Without that, legacy code runs under pytest as it runs in production. pytest's header says where testing mode is on.
"""

from __future__ import annotations

import os

TYPE_CHECKING = False
if TYPE_CHECKING:
    import pytest

_VARIABLE = "COMPAT_TESTING"
_was_set: list[bool] = []


def pytest_configure(config: pytest.Config) -> None:
    """Set ``COMPAT_TESTING`` until the session ends, where the project asks for it and the environment says nothing of it."""
    if _VARIABLE not in os.environ and _is_asked(os.path.join(str(config.rootpath), "pyproject.toml")):
        os.environ[_VARIABLE] = "1"
        _was_set.append(True)


def pytest_report_header(config: pytest.Config) -> list[str]:
    """Say that testing mode is on."""
    from . import testing_mode

    return ["compat: testing mode, legacy managers need no user"] if testing_mode.is_testing() else []


def pytest_unconfigure(config: pytest.Config) -> None:
    """Leave the environment as it was."""
    if _was_set:
        _was_set.clear()
        os.environ.pop(_VARIABLE, None)


def _is_asked(file: str) -> bool:
    try:
        with open(file, "rb") as stream:
            if b"compat" not in stream.read():
                return False
    except OSError:
        return False
    import pytest

    from compat import configuration

    try:
        return bool(configuration.value(configuration.read(file), "testing"))
    except configuration.ConfigError as error:
        raise pytest.UsageError(str(error)) from None
