"""Find the source files of modules, without importing anything, and stamp those that the results of a scan depend on."""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

    from compat.ledger import Ledger


def find_module_file(module: str) -> str:
    """The source file of a module on ``sys.path``; empty where there is none."""
    parts = module.split(".")
    for base in sys.path:
        stem = os.path.join(base or os.curdir, *parts)
        for path in (os.path.join(stem, "__init__.py"), f"{stem}.py"):
            if os.path.isfile(path):
                return path
    return ""


def importable(module: str) -> bool:
    """Whether something of that name is there, be it no source: an extension, a builtin, a package without one."""
    from importlib.machinery import BuiltinImporter, FrozenImporter, PathFinder

    if BuiltinImporter.find_spec(module) is not None or FrozenImporter.find_spec(module) is not None:
        return True
    # Not find_spec() of importlib.util: what legacy paths are served by answers there as well.
    locations = None
    at = ""
    for word in module.split("."):
        at = f"{at}.{word}" if at else word
        spec = PathFinder.find_spec(at, locations)
        if spec is None:
            return False
        locations = spec.submodule_search_locations
        if locations is None:
            return at == module
    return True


def stamps(ledger: Ledger) -> list[tuple[str, int, int]]:
    """Path, time of change in ns and size of each source that says what rows mean: of adapters, with what lies beside and
    below them in their package, and of canonical modules."""
    found: set[str] = set()
    for adapter in {row.adapter.partition(":")[0] for row in ledger if row.adapter}:
        path = find_module_file(adapter)
        found.add(path)
        if path.endswith("__init__.py") or "." in adapter:
            found.update(_below(os.path.dirname(path)))
    found.update(find_module_file(module) for module in {row.home for row in ledger if row.home})
    return sorted((path, stamp.st_mtime_ns, stamp.st_size) for path, stamp in _stamped(found))


def _below(folder: str) -> Iterator[str]:
    for inside, _folders, names in os.walk(folder):
        yield from (os.path.join(inside, name) for name in names if name.endswith(".py"))


def _stamped(paths: set[str]) -> Iterator[tuple[str, os.stat_result]]:
    for path in paths - {""}:
        try:
            yield path, os.stat(path)
        except OSError:
            continue
