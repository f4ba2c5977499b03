"""The three numbers of the system's own reports, counted by the definitions behind them rather than by sounder ones.

They look at text, not at meaning: module strings that contain a phrase, names that contain two words. That is the point:
the figures can be compared with figures published earlier.
"""

from __future__ import annotations

import ast
import os
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from compat.analysis.reading import dialects, sources
from compat.analysis.reading.files import PYTHON, Trees

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

DEPRECATED = ("websocket_core.manager", "websocket_core.factory", "core.websocket_cors", "websocket_core.auth")
IMPORTERS = ("netra_backend/app", "tests", "test_framework")
CREATORS = ("netra_backend/app/websocket_core", "netra_backend/app/routes", "netra_backend/app/core", "test_framework/ssot")

LEGEND = {
    "deprecated imports": (
        f"Import statements below {', '.join(IMPORTERS)} whose module string contains one of {', '.join(DEPRECATED)}."
    ),
    "import paths": (
        f"Distinct module strings of import statements below {', '.join(IMPORTERS)} that contain both websocket and manager."
    ),
    "non-factory patterns": (
        f"Calls of plain names below {', '.join(CREATORS)} whose name contains websocket and manager (any case), "
        "but neither factory nor create."
    ),
}


@dataclass
class Reported:
    """Counts as they were reported; ``unparsable`` names files that could not be counted."""

    deprecated_imports: int = 0
    import_paths: list[str] = field(default_factory=list)
    non_factory_patterns: int = 0
    unparsable: list[str] = field(default_factory=list)

    def as_dict(self) -> dict[str, object]:
        """Plain data for JSON, with the definitions."""
        return {
            "format_version": 1,
            "deprecated_imports": self.deprecated_imports,
            "import_paths": self.import_paths,
            "non_factory_patterns": self.non_factory_patterns,
            "unparsable": self.unparsable,
            "legend": LEGEND,
        }

    def text(self) -> str:
        """The report for people."""
        lines = [
            f"Deprecated imports: {self.deprecated_imports}",
            f"Import paths: {len(self.import_paths)}",
            f"Non-factory patterns: {self.non_factory_patterns}",
            *(f"not counted, does not parse: {path}" for path in self.unparsable),
            "",
            "Definitions:",
            *(f"  {name}: {words}" for name, words in LEGEND.items()),
        ]
        return "\n".join(lines) + "\n"


def measure(root: str) -> Reported:
    """Count below a checkout's root directory."""
    made = Reported()
    paths: set[str] = set()
    for path, relative in _files(root):
        importer, creator = _below(relative, IMPORTERS), _below(relative, CREATORS)
        if not importer and not creator:
            continue
        try:
            with open(path, "rb") as file:
                tree = dialects.parse(sources.decode(path, file.read())).module
        except (OSError, sources.Undecodable, dialects.Unparsable):
            made.unparsable.append(relative)
            continue
        for node in ast.walk(tree):
            if importer:
                for module in _modules(node):
                    made.deprecated_imports += any(phrase in module for phrase in DEPRECATED)
                    if "websocket" in module and "manager" in module:
                        paths.add(module)
            if creator and isinstance(node, ast.Call) and isinstance(node.func, ast.Name):
                name = node.func.id.lower()
                made.non_factory_patterns += (
                    "websocket" in name and "manager" in name and "factory" not in name and "create" not in name
                )
    made.import_paths = sorted(paths)
    return made


def _modules(node: ast.AST) -> Iterator[str]:
    if isinstance(node, ast.Import):
        for alias in node.names:
            yield alias.name
    elif isinstance(node, ast.ImportFrom) and node.module:
        yield node.module


def _files(root: str) -> Iterator[tuple[str, str]]:
    for found in Trees([root], data=False):
        if found.path.endswith(PYTHON[0]):
            yield found.path, os.path.relpath(found.path, root).replace(os.sep, "/")


def _below(path: str, folders: Iterable[str]) -> bool:
    return any(path.startswith(f"{folder}/") for folder in folders)
