"""What a project's ruff configuration says about imports: line length and the settings of isort that change what is written."""

from __future__ import annotations

import os
import sys
from functools import lru_cache
from typing import Any, NamedTuple, Optional

_FILES = (".ruff.toml", "ruff.toml", "pyproject.toml")
_HOPS = 5


class ImportStyle(NamedTuple):
    """How imports are to be written; ``line_length`` is ``None`` where nothing says so."""

    line_length: Optional[int] = None
    single_line: bool = False
    exclusions: frozenset[str] = frozenset()
    combine_as: bool = False
    sort_within_sections: bool = False
    order_by_type: bool = True
    case_sensitive: bool = False

    def is_single(self, module: str) -> bool:
        """Whether each name of a module is imported by a statement of its own."""
        return self.single_line and module not in self.exclusions


def of(path: str) -> ImportStyle:
    """The style that holds for a file; the default for one that is not on disk."""
    return _of_folder(os.path.dirname(os.path.abspath(path))) if os.path.exists(path) else ImportStyle()


@lru_cache(maxsize=1024)
def _of_folder(folder: str) -> ImportStyle:
    """The style of the nearest configuration at or above a folder."""
    for name in _FILES:
        table = _table(os.path.join(folder, name))
        if table is not None:
            return _style(table)
    above = os.path.dirname(folder)
    return _of_folder(above) if above != folder else ImportStyle()


def _table(file: str, hops: int = 0) -> Optional[dict[str, Any]]:
    """The settings of one file, with those that it extends; ``None`` where it has none, or cannot be read."""
    if sys.version_info >= (3, 11):
        import tomllib
    else:
        import tomli as tomllib
    try:
        with open(file, "rb") as stream:
            found: Any = tomllib.load(stream)
    except (OSError, ValueError):
        return None
    if os.path.basename(file) == "pyproject.toml":
        tool = found.get("tool", {})
        found = tool.get("ruff") if isinstance(tool, dict) else None
    if not isinstance(found, dict):
        return None
    extended = found.get("extend")
    if isinstance(extended, str) and hops < _HOPS:
        base = _table(os.path.join(os.path.dirname(file), os.path.expanduser(extended)), hops + 1) or {}
        return {**base, **found, "lint": {**_part(base, "lint"), **_part(found, "lint")}}
    return found


def _part(table: dict[str, Any], name: str) -> dict[str, Any]:
    found = table.get(name)
    return found if isinstance(found, dict) else {}


def _style(table: dict[str, Any]) -> ImportStyle:
    told = {**_part(table, "isort"), **_part(_part(table, "lint"), "isort")}
    length, exclusions = table.get("line-length"), told.get("single-line-exclusions")
    return ImportStyle(
        line_length=length if type(length) is int else 88,
        single_line=told.get("force-single-line") is True,
        exclusions=frozenset(map(str, exclusions)) if isinstance(exclusions, list) else frozenset(),
        combine_as=told.get("combine-as-imports") is True,
        sort_within_sections=told.get("force-sort-within-sections") is True,
        order_by_type=told.get("order-by-type") is not False,
        case_sensitive=told.get("case-sensitive") is True,
    )
