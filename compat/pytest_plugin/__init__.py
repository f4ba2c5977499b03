"""The pytest plugin: legacy uses of a test run, sorted, limited and rehearsed. Off unless asked for.

settings    what the command line, the ini file and ``[tool.compat] pytest`` ask for
session     the hooks of a run: who collects what, and when
state       what is known of a run
tally       uses by place, and the tests that made them
workers     from the workers of xdist to the one summary
owners      self, direct or indirect
ledgers     which ledgers a run knows
limits      how many are allowed
ratchet     the file of allowed uses
rehearsal   a later version in force, and the tests that are expected to fail there
marks       ``@pytest.mark.legacy``
verdict     limits and ratchet joined: what fails the run
summary     what the terminal shows
output      what CI reads: annotations, properties, the report

This file is all that a run loads that does not ask.

PYTEST_DONT_REWRITE: start-up may have imported this package before pytest comes, and it would warn that it came too late.
"""

from __future__ import annotations

import os

import pytest

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import Any

    from compat.testing import Uses

#: The options and lines of the ini file: name, what follows the option, and what it does. Each of them turns the plugin on.
VALUES = (
    ("max", "LIMITS", "most uses that are allowed, such as 'self=0 direct=10 indirect=*'"),
    ("ratchet", "FILE", "the file of allowed uses (compat-uses.txt where there is one)"),
    ("expect", "FILE", "the tests that are expected to fail in a rehearsal (compat-expected.txt where there is one)"),
    ("packages", "NAMES", "top-level packages that are yours, besides those in the project's directory"),
)
DESTINATIONS = ("compat", "compat_record", "compat_as_of", "compat_report", *(f"compat_{name}" for name, _, _ in VALUES))


def pytest_addoption(parser: pytest.Parser) -> None:
    """Declare options and ini lines."""
    group = parser.getgroup("compat", "legacy uses")
    group.addoption("--compat", action="store_true", help="summarize the uses of legacy names in this run")
    group.addoption("--compat-record", action="store_true", help="write the uses of this run as the allowed ones")
    group.addoption("--compat-as-of", metavar="VERSION", help="rehearse a version: 3.0, shop=3.0,other=2.1, or next")
    group.addoption("--compat-report", metavar="FILE", help="write the uses as JSON")
    parser.addini("compat", "true: summarize the uses of legacy names in each run", type="bool", default=False)
    for name, metavar, text in VALUES:
        group.addoption(f"--compat-{name}", metavar=metavar, help=text)
        parser.addini(f"compat_{name}", text)


def pytest_load_initial_conftests(early_config: pytest.Config) -> None:
    """Begin before the first conftest is imported, where the plugin is asked for."""
    early_config.addinivalue_line(
        "markers",
        "legacy(*moves): the test uses these moves of a ledger (all, without any) on purpose; it fails when it does not",
    )
    table = _table(os.path.join(str(early_config.rootpath), "pyproject.toml"))
    if table is not None or _is_asked(early_config):
        from .session import begin

        begin(early_config, table)


def _is_asked(config: pytest.Config) -> bool:
    options = config.known_args_namespace
    return (
        any(getattr(options, name, None) not in (None, False) for name in DESTINATIONS)
        or config.getini("compat")
        or any(config.getini(f"compat_{name}") for name, _, _ in VALUES)
    )


def _table(file: str) -> Any:
    """What ``[tool.compat] pytest`` holds; ``None`` where it says no, or nothing."""
    try:
        with open(file, "rb") as stream:
            text = stream.read()
    except OSError:
        return None
    if b"compat" not in text:
        return None
    from compat import configuration

    try:
        found = configuration.value(configuration.read(file), "pytest")
    except configuration.ConfigError as error:
        raise pytest.UsageError(str(error)) from None
    return None if found is False else found


@pytest.fixture
def legacy_uses() -> Iterator[Uses]:
    """The uses of legacy names by this test: iterate over them, or ask for .count and .moves."""
    from compat.testing import legacy_uses

    with legacy_uses() as uses:
        yield uses
