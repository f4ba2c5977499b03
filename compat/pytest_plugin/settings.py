"""What the command line, the ini file and ``[tool.compat] pytest`` ask for, in this order of precedence."""

from __future__ import annotations

import os
from typing import Any, NamedTuple

import pytest

from .limits import parse

RATCHET, EXPECTED = "compat-uses.txt", "compat-expected.txt"


class Settings(NamedTuple):
    """What a run is asked to do. Paths are absolute; ``""`` where there is no such file and none was named."""

    root: str
    limits: dict[str, int | None]
    ratchet: str
    expected: str
    packages: tuple[str, ...]
    as_of: str
    record: bool
    report: str


def read(config: pytest.Config, table: Any) -> Settings:
    """Join the three sources; raise ``pytest.UsageError`` with one sentence for what cannot be used."""
    root, options = str(config.rootpath), config.known_args_namespace
    values = _of_table(table)

    def value(name: str) -> str:
        found = getattr(options, f"compat_{name}", None) or config.getini(f"compat_{name}") or values.get(name, "")
        return str(found)

    record, as_of = bool(options.compat_record), options.compat_as_of or os.environ.get("COMPAT_AS_OF", "").strip()
    report = options.compat_report or ""
    return Settings(
        root=root,
        limits=parse(value("max")),
        ratchet=_file(root, value("ratchet"), RATCHET, record and not as_of),
        expected=_file(root, value("expect"), EXPECTED, record and bool(as_of)),
        packages=tuple(value("packages").replace(",", " ").split()),
        as_of=as_of,
        record=record,
        report=os.path.join(str(config.invocation_params.dir), report) if report else "",
    )


def _file(root: str, named: str, usual: str, is_written: bool) -> str:
    path = os.path.join(root, named or usual)
    return path if named or is_written or os.path.exists(path) else ""


def _of_table(table: Any) -> dict[str, str]:
    """The values of the table, whose form :mod:`compat.configuration` has checked."""
    if not isinstance(table, dict):
        return {}
    return {key: " ".join(given) if isinstance(given, list) else given for key, given in table.items()}
