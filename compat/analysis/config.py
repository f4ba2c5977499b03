"""Settings: ``[tool.compat]`` of pyproject.toml, and the options of a run."""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping
from typing import Any, NamedTuple, Optional

from compat.errors import CompatError

TEST_PATTERNS = ("tests/", "test/", "testing/", "test_*.py", "*_test.py", "conftest.py", "*test_framework*/")

#: All that ``[tool.compat]`` may hold; ``ledgers`` is read by :mod:`compat.ledger.discovery`, ``testing`` by a plugin of pytest.
KEYS = ("ledgers", "exclude", "fix-skip", "test-files", "factories", "rules", "baseline", "testing")


class ConfigError(CompatError):
    """``[tool.compat]`` holds something that cannot be used; the message says what and where."""


class Settings(NamedTuple):
    """What a project says about itself in ``[tool.compat]``."""

    exclude: tuple[str, ...] = ()
    fix_skip: tuple[str, ...] = ()
    test_files: tuple[str, ...] = TEST_PATTERNS
    factories: Mapping[str, str] = {}
    rules: bool = False
    baseline: str = ""
    root: str = ""


def load(start: str = ".") -> Settings:
    """Read the settings of the nearest pyproject.toml at or above ``start`` that has a ``[tool.compat]`` table."""
    at = os.path.abspath(start if os.path.isdir(start) else os.path.dirname(start) or ".")
    while True:
        path = os.path.join(at, "pyproject.toml")
        if os.path.isfile(path):
            table = read_table(path)
            if table is not None:
                return parse(table, path)
        above = os.path.dirname(at)
        if above == at:
            return Settings()
        at = above


def read_table(path: str) -> Optional[dict[str, Any]]:
    """The ``[tool.compat]`` table of a file, ``None`` where it has none."""
    if sys.version_info >= (3, 11):
        import tomllib
    else:
        import tomli as tomllib
    try:
        with open(path, "rb") as file:
            data = file.read()
        if b"compat" not in data:
            return None
        tool = tomllib.loads(data.decode("utf-8")).get("tool", {})
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise ConfigError(f"{path} cannot be read: {error}") from None
    table = tool.get("compat") if isinstance(tool, dict) else tool
    if table is not None and not isinstance(table, dict):
        raise ConfigError(f"{path}: [tool.compat] must be a table")
    return table


def parse(table: Mapping[str, Any], path: str) -> Settings:
    """Turn a ``[tool.compat]`` table into settings; a key that nobody reads is an error, for it is one misspelt."""
    unknown = sorted(set(table) - set(KEYS))
    if unknown:
        raise ConfigError(f"{path}: [tool.compat] has no {unknown[0]!r}; it takes {', '.join(KEYS)}")
    values: dict[str, Any] = {"root": os.path.dirname(os.path.abspath(path))}
    for key, name in (("exclude", "exclude"), ("fix-skip", "fix_skip"), ("test-files", "test_files")):
        if key in table:
            given = table[key]
            if not isinstance(given, list) or not all(isinstance(item, str) for item in given):
                raise ConfigError(f'{path}: tool.compat.{key} must be a list of patterns such as ["vendor/**"]')
            values[name] = tuple(given)
    factories = table.get("factories", {})
    if not isinstance(factories, dict) or not all(":" in key and ":" in str(value) for key, value in factories.items()):
        raise ConfigError(f'{path}: tool.compat.factories maps classes to factories, "pkg.mod:Class" = "pkg.mod:function"')
    values["factories"] = dict(factories)
    for key, kind, example in (("rules", bool, "true"), ("baseline", str, '"compat-baseline.json"')):
        if key in table:
            if not isinstance(table[key], kind):
                raise ConfigError(f"{path}: tool.compat.{key} must be like {example}")
            values[key] = table[key]
    return Settings(**values)
