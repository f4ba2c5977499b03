"""The files of a library: their syntax trees, and where a module's names are bound and read."""

from __future__ import annotations

import ast
import os
from functools import cached_property
from typing import TYPE_CHECKING, NamedTuple, Optional

from compat.errors import CompatError

from ..reading.files import ModuleNames, Trees
from ..reading.sources import Undecodable, decode

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator


class Imported(NamedTuple):
    """One name that an import statement binds: ``module.name``, or a module where ``name`` is empty."""

    local: str
    module: str
    name: str
    statement: ast.stmt
    alias: ast.alias


class File:
    """One file: ``data`` in UTF-8, its syntax tree, and the module that it is."""

    def __init__(self, path: str, module: str, is_package: bool, data: bytes) -> None:
        self.path, self.module, self.is_package, self.data = path, module, is_package, data
        self.tree = ast.parse(data, path)
        lines = data.splitlines(keepends=True)
        self.starts = [0]
        for line in lines:
            self.starts.append(self.starts[-1] + len(line))

    def span(self, node: ast.AST) -> tuple[int, int]:
        """The span of a node in bytes, without decorators."""
        start = self.starts[node.lineno - 1] + node.col_offset  # type: ignore[attr-defined]
        return start, self.starts[node.end_lineno - 1] + node.end_col_offset  # type: ignore[attr-defined]

    def place(self, node: ast.AST) -> str:
        """Where a node stands, as messages name it."""
        return f"{self.path}:{node.lineno}"  # type: ignore[attr-defined]

    @cached_property
    def parents(self) -> dict[ast.AST, ast.AST]:
        return {child: node for node in ast.walk(self.tree) for child in ast.iter_child_nodes(node)}

    @cached_property
    def imports(self) -> list[Imported]:
        """What every import statement of the file binds."""
        found = []
        for node in ast.walk(self.tree):
            if isinstance(node, ast.Import):
                found += [Imported(a.asname or a.name.partition(".")[0], a.name, "", node, a) for a in node.names]
            elif isinstance(node, ast.ImportFrom):
                base = self._base(node)
                found += [Imported(a.asname or a.name, base, a.name, node, a) for a in node.names]
        return found

    def _base(self, node: ast.ImportFrom) -> str:
        if not node.level:
            return node.module or ""
        parts = self.module.split(".")
        drop = node.level - (1 if self.is_package else 0)
        head = parts[: len(parts) - drop] if drop else parts
        return ".".join([*head, *([node.module] if node.module else [])])

    @cached_property
    def bindings(self) -> dict[str, list[ast.stmt]]:
        """The statements of the module, those below ``if`` and ``try`` included, that bind each name."""
        found: dict[str, list[ast.stmt]] = {}
        for node in _statements(self.tree.body):
            for name in _bound(node):
                found.setdefault(name, []).append(node)
        return found

    @cached_property
    def exported(self) -> list[ast.Constant]:
        """The strings of ``__all__``."""
        lists = [
            node.value
            for node in self.tree.body
            if isinstance(node, (ast.Assign, ast.AugAssign, ast.AnnAssign))
            and "__all__" in _bound(node)
            and node.value is not None
        ]
        return [
            node for held in lists for node in ast.walk(held) if isinstance(node, ast.Constant) and isinstance(node.value, str)
        ]


def _statements(body: Iterable[ast.stmt]) -> Iterator[ast.stmt]:
    for node in body:
        yield node
        for name in ("body", "orelse", "finalbody"):
            if not isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)):
                yield from _statements(getattr(node, name, ()))
        for handler in getattr(node, "handlers", ()):
            yield from _statements(handler.body)


def _bound(node: ast.stmt) -> list[str]:
    if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)):
        return [node.name]
    if isinstance(node, (ast.Import, ast.ImportFrom)):
        return [alias.asname or alias.name.partition(".")[0] for alias in node.names]
    targets = node.targets if isinstance(node, ast.Assign) else [getattr(node, "target", None)]
    return [inner.id for to in targets if to is not None for inner in ast.walk(to) if isinstance(inner, ast.Name)]


class Library:
    """The files of some trees by path and by module."""

    def __init__(self, paths: Iterable[str], exclude: Iterable[str] = ()) -> None:
        self.files: list[File] = []
        names = ModuleNames(())
        for found in Trees(paths, exclude=exclude, data=False):
            if found.path.endswith(".py"):
                module, is_package = names.of(found)
                self.files.append(_read(found.path, module, is_package))
        self.by_module = {file.module: file for file in self.files}
        self.by_path = {os.path.realpath(file.path): file for file in self.files}

    def defined(self, module: str, name: str) -> Optional[File]:
        """The file of a module, if it binds a name."""
        file = self.by_module.get(module)
        return file if file is not None and name in file.bindings else None


def _read(path: str, module: str, is_package: bool) -> File:
    try:
        with open(path, "rb") as stream:
            raw = stream.read()
        source = decode(path, raw)
        return File(path, module, is_package, source.data)
    except (OSError, SyntaxError, ValueError, Undecodable) as error:
        said = getattr(error, "strerror", None) or getattr(error, "msg", None) or str(error)
        raise CompatError(f"{path} cannot be read as Python ({said}); nothing was changed") from None
