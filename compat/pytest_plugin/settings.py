"""What the command line, the ini file and ``[tool.compat] pytest`` ask for, in this order of precedence."""

from __future__ import annotations

import difflib
import os
from typing import Any, NamedTuple

import pytest

from .limits import parse

RATCHET, EXPECTED = "compat-uses.txt", "compat-expected.txt"
#: The keys of the table ``[tool.compat.pytest]``.
KEYS = ("max", "ratchet", "expect", "packages")


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
    values = _of_table(table, os.path.join(root, "pyproject.toml"))

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


def _of_table(table: Any, file: str) -> dict[str, str]:
    if table is None or table is True:
        return {}
    if not isinstance(table, dict):
        raise pytest.UsageError(f"{file}: [tool.compat] pytest must be true, false or a table, not {table!r}")
    found = {}
    for key, given in table.items():
        if key not in KEYS:
            near = difflib.get_close_matches(key, KEYS, 1)
            hint = f"did you mean {near[0]!r}?" if near else f"it takes {', '.join(KEYS)}"
            raise pytest.UsageError(f"{file}: [tool.compat.pytest] has no {key!r}; {hint}")
        if key == "packages" and isinstance(given, list) and all(isinstance(item, str) for item in given):
            given = " ".join(given)
        if not isinstance(given, str):
            raise pytest.UsageError(f"{file}: [tool.compat.pytest] {key} must be a string, not {given!r}")
        found[key] = given
    return found
