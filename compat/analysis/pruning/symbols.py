"""The definitions that due rows name, and who else uses them."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING, NamedTuple, Optional

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from compat.ledger import Ledger, Move

    from .tree import File, Library


class Symbol(NamedTuple):
    """A definition that may go: the statement, its name, and the name of the class around it."""

    file: File
    node: ast.stmt
    name: str
    owner: str = ""

    @property
    def path(self) -> str:
        return f"{self.file.module}:{self.owner}{'.' if self.owner else ''}{self.name}"


def named(library: Library, ledger: Ledger, due: Iterable[Move]) -> Iterator[tuple[Move, str]]:
    """The paths of what exists for due rows only: adapters, converters, and what is deprecated where it is."""
    due = list(due)
    gone = {row.legacy for row in due}
    kept = {path for row in ledger if row.legacy not in gone for path in _served_by(row)}
    for row in due:
        for path in _served_by(row):
            if path not in kept:
                yield row, path


def _served_by(row: Move) -> list[str]:
    own = row.canonical if row.stays and row.attribute and not row.text else ""
    return [path for path in (*row.helpers, own) if path]


def find(library: Library, path: str) -> Optional[Symbol]:
    """The definition at ``"module:name"`` or ``"module:Class.name"``, through re-exports of the library."""
    module, _, attribute = path.partition(":")
    owner, _, name = attribute.rpartition(".")
    for _hop in range(8):
        file = library.by_module.get(module)
        if file is None:
            return None
        found = file.bindings.get(owner or name, [])
        if len(found) != 1:
            return None
        node = found[0]
        if isinstance(node, (ast.Import, ast.ImportFrom)):
            onward = next((one for one in file.imports if one.statement is node and one.local == (owner or name)), None)
            if onward is None or not onward.name:
                return None
            module = onward.module
            owner, name = (onward.name, name) if owner else ("", onward.name)
            continue
        if owner:
            inside = [item for item in getattr(node, "body", ()) if binds(item, name)] if isinstance(node, ast.ClassDef) else []
            return Symbol(file, inside[0], name, owner) if len(inside) == 1 and "." not in owner else None
        return Symbol(file, node, name)
    return None


def binds(node: ast.stmt, name: str) -> bool:
    """Whether a statement defines a name, and nothing else."""
    if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)):
        return node.name == name
    targets = node.targets if isinstance(node, ast.Assign) else [getattr(node, "target", None)]
    return len(targets) == 1 and isinstance(targets[0], ast.Name) and targets[0].id == name


def inside(node: Optional[ast.AST], doomed: set[ast.AST], file: File) -> bool:
    """Whether a node stands in something that goes."""
    while node is not None:
        if node in doomed:
            return True
        node = file.parents.get(node)
    return False


def use(library: Library, symbol: Symbol, doomed: set[ast.AST]) -> str:
    """Where something that stays uses a definition; ``""`` where nothing does. What is only handed on is no use."""
    dotted = symbol.path.replace(":", ".")
    for file in library.files:
        locals_ = names_of(file, symbol)
        handed_on = {one.value for one in file.exported}
        for node in ast.walk(file.tree):
            if isinstance(node, ast.Name):
                hit = node.id in locals_ and not isinstance(node.ctx, ast.Store)
            elif isinstance(node, ast.Attribute):
                hit = node.attr == symbol.name
            elif isinstance(node, ast.Constant) and isinstance(node.value, str):
                hit = node.value.replace(":", ".") == dotted and node.value not in handed_on
            else:
                continue
            if hit and not inside(node, {*doomed, symbol.node}, file):
                return file.place(node)
    return ""


def names_of(file: File, symbol: Symbol) -> set[str]:
    """What a file calls a definition of a module: its own name, or those that imports give it."""
    if symbol.owner:
        return set()
    found = {one.local for one in file.imports if one.name == symbol.name and _leads_to(file, one.module, symbol)}
    return found | ({symbol.name} if file is symbol.file else set())


def _leads_to(file: File, module: str, symbol: Symbol) -> bool:
    # A package that hands the name on is as good as its home.
    return module == symbol.file.module or symbol.file.module.startswith(f"{module}.")
