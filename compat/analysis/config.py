"""What analysis takes from the settings of a project (:mod:`compat.configuration`)."""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import NamedTuple

from compat import configuration
from compat.configuration import ConfigError as ConfigError

TEST_PATTERNS = tuple(configuration.KEYS["test-files"].default)


class Settings(NamedTuple):
    """What a project says about itself in ``[tool.compat]``."""

    exclude: tuple[str, ...] = ()
    fix_skip: tuple[str, ...] = ()
    test_files: tuple[str, ...] = TEST_PATTERNS
    factories: Mapping[str, str] = {}
    per_file_ignores: Mapping[str, tuple[str, ...]] = {}
    rules: bool = False
    baseline: str = ""
    root: str = ""


def load(start: str = ".") -> Settings:
    """Read the settings of the nearest pyproject.toml at or above ``start`` that has a ``[tool.compat]`` table."""
    table, file = configuration.load(start)
    if file is None:
        return Settings()
    return Settings(
        exclude=tuple(configuration.value(table, "exclude")),
        fix_skip=tuple(configuration.value(table, "fix-skip")),
        test_files=tuple(configuration.value(table, "test-files")),
        factories=dict(configuration.value(table, "factories")),
        per_file_ignores={key: tuple(words) for key, words in configuration.value(table, "per-file-ignores").items()},
        rules=configuration.value(table, "rules"),
        baseline=configuration.value(table, "baseline") or "",
        root=os.path.dirname(file),
    )
