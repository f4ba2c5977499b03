"""Plan what goes from the files of a library, and write it: all of it, or nothing."""

from __future__ import annotations

import ast
import difflib
import os
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Optional

from compat.errors import CompatError

from ..fixer import write_file
from . import cutting, rows, symbols
from .symbols import Symbol
from .tree import Library

if TYPE_CHECKING:
    from collections.abc import Iterable

    from compat.ledger import Ledger, Move

    from .tree import File


@dataclass
class Pruned:
    """What shall go: texts by path, ``None`` for a file that goes whole; and what is left, with the reason."""

    due: list[Move]
    before: dict[str, bytes] = field(default_factory=dict)
    after: dict[str, Optional[bytes]] = field(default_factory=dict)
    left: list[str] = field(default_factory=list)
    removed: list[str] = field(default_factory=list)

    def diff(self) -> str:
        """The unified diff of all files."""
        made: list[str] = []
        for path, after in self.after.items():
            old = self.before[path].decode("utf-8", "backslashreplace").splitlines(keepends=True)
            new = (after or b"").decode("utf-8", "backslashreplace").splitlines(keepends=True)
            made += difflib.unified_diff(old, new, f"a/{path}", f"b/{path}" if after is not None else "/dev/null")
        return "".join(line if line.endswith("\n") else f"{line}\n\\ No newline at end of file\n" for line in made)

    def write(self) -> None:
        """Change the files: all of them, or, where one cannot be, none."""
        done: list[str] = []
        for path, after in self.after.items():
            problem = write_file(path, self.before[path], after) if after is not None else _deleted(path)
            if problem:
                for other in done:
                    _restore(other, self.before[other])
                raise CompatError(f"{path}: {problem}; nothing was changed")
            done.append(path)


def _deleted(path: str) -> str:
    try:
        os.unlink(path)
    except OSError as error:
        return f"could not be deleted: {error.strerror or error}"
    return ""


def _restore(path: str, before: bytes) -> None:
    with open(path, "wb") as stream:
        stream.write(before)


def prune(paths: Iterable[str], ledger: Ledger, as_of: str, *, exclude: Iterable[str] = ()) -> Pruned:
    """Plan to delete, from the files below ``paths``, what is due at a version; nothing is written.

    A definition goes only where nothing that stays uses it, in code, by an attribute of its name, or in a string. Raises
    :class:`compat.CompatError` where a file cannot be read, or what is left of it would not be sound.
    """
    made = Pruned(rows.due(ledger, as_of))
    if made.due:
        _Pruning(Library(paths, exclude), ledger, made).plan()
    return made


class _Pruning:
    def __init__(self, library: Library, ledger: Ledger, made: Pruned) -> None:
        self.library, self.ledger, self.made = library, ledger, made
        self.elements: dict[ast.expr, File] = {}
        self.statements: dict[ast.stmt, File] = {}
        self.aliases: dict[ast.alias, File] = {}
        #: Modules whose public names exist for rows alone: those of ledgers, adapters and converters.
        self.own: set[str] = set()

    @property
    def doomed(self) -> set[ast.AST]:
        return {*self.elements, *self.statements, *self.aliases}

    def plan(self) -> None:
        self.take_rows()
        self.take_symbols()
        while self.take_unused():
            pass
        for file in self.library.files:
            self.rewrite(file)

    def take_rows(self) -> None:
        due = {row.legacy for row in self.made.due}
        seen: set[str] = set()
        for file, element, found in rows.written(self.library, self.ledger):
            hit = [row for row in found if row.legacy in due]
            if hit and len(hit) < len(found):
                stays = next(row for row in found if row.legacy not in due)
                self.made.left.append(f"{file.place(element)}: it makes rows that stay, too, such as {stays.legacy!r}")
            elif hit:
                self.elements[element] = file
                self.own.add(file.module)
                self.made.removed += [row.legacy for row in hit if row.legacy not in seen]
            seen.update(row.legacy for row in hit)
        for row in self.made.due:
            if row.legacy not in seen:
                self.made.left.append(f"{row.legacy}: its row is not found in a list of rows below the given paths")

    def take_symbols(self) -> None:
        gone = {*self.made.removed}
        wanted = [row for row in self.made.due if row.legacy in gone]
        found: dict[ast.stmt, Symbol] = {}
        for row, path in symbols.named(self.library, self.ledger, wanted):
            symbol = symbols.find(self.library, path)
            if symbol is not None:
                found[symbol.node] = symbol
                if not row.stays:
                    self.own.add(symbol.file.module)
            elif path.partition(":")[0].partition(".")[0] in {name.partition(".")[0] for name in self.library.by_module}:
                self.made.left.append(f"{path}: its definition is not found")
        self.statements.update({node: symbol.file for node, symbol in found.items()})
        is_done = False
        while not is_done:
            is_done = True
            for node, symbol in [*found.items()]:
                where = symbols.use(self.library, symbol, self.doomed)
                if where:
                    del found[node], self.statements[node]
                    self.made.left.append(f"{symbol.path}: it is used at {where}")
                    is_done = False
        self.made.removed += [symbol.path for symbol in found.values()]
        for symbol in found.values():
            if not symbol.owner:
                self.take_re_exports(symbol)

    def take_re_exports(self, symbol: Symbol) -> None:
        for file in self.library.files:
            names = symbols.names_of(file, symbol)
            self.elements.update({one: file for one in file.exported if one.value in names})
            self.aliases.update({one.alias: file for one in file.imports if one.local in names and one.name == symbol.name})

    def take_unused(self) -> bool:
        """Doom what only doomed code reads; say whether there was something."""
        doomed = self.doomed
        before = len(doomed)
        for file in {id(file): file for file in (*self.elements.values(), *self.statements.values())}.values():
            inner: set[str] = set()
            outer: set[str] = set()
            for node in ast.walk(file.tree):
                if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Load):
                    (inner if symbols.inside(node, doomed, file) else outer).add(node.id)
            strings = {one.value for one in file.exported if one not in doomed}
            for name in inner - outer - strings:
                self.take_binding(file, name)
        return len(self.doomed) > before

    def take_binding(self, file: File, name: str) -> None:
        found = [node for node in file.bindings.get(name, ()) if node not in self.statements]
        if len(found) != 1:
            return
        node = found[0]
        if isinstance(node, (ast.Import, ast.ImportFrom)):
            imported = [one for one in file.imports if one.local == name]
            if len(imported) == 1 and not self.is_taken(file, name):
                self.aliases[imported[0].alias] = file
            return
        is_plain = isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)) or (
            isinstance(node, (ast.Assign, ast.AnnAssign)) and symbols.binds(node, name)
        )
        is_own = name.startswith("_") or file.module in self.own
        if is_plain and is_own and not symbols.use(self.library, Symbol(file, node, name), self.doomed):
            self.statements[node] = file
            self.made.removed.append(f"{file.module}:{name}")

    def is_taken(self, file: File, name: str) -> bool:
        """Whether another file takes an imported name from this one."""
        for other in self.library.files:
            for one in other.imports:
                if one.module == file.module and one.name in (name, "*") and not symbols.inside(one.alias, self.doomed, other):
                    return True
        return False

    def rewrite(self, file: File) -> None:
        statements = {node for node, home in self.statements.items() if home is file}
        elements = {node for node, home in self.elements.items() if home is file}
        aliases = {node for node, home in self.aliases.items() if home is file}
        if not (statements or elements or aliases):
            return
        with open(file.path, "rb") as stream:
            raw = stream.read()
        if raw != file.data:
            raise CompatError(f"{file.path} is not written in plain UTF-8; rewrite it so, or prune it by hand")
        try:
            after = cutting.cut(file, statements, elements, aliases)
            tree = ast.parse(after, file.path)
        except cutting.NotCut as error:
            raise CompatError(f"{error}; put it on a line of its own") from None
        except (CompatError, SyntaxError) as error:
            raise CompatError(f"{file.path} cannot be pruned ({error}); do it by hand") from None
        self.made.before[file.path] = raw
        self.made.after[file.path] = None if self.is_empty(file, tree) else after

    def is_empty(self, file: File, tree: ast.Module) -> bool:
        """Whether nothing is left in a module that existed for rows alone, and nobody imports it."""
        if file.is_package or file.module not in self.own or not self.statements or file.module in self.ledgers():
            return False
        if any(not isinstance(node, ast.Expr) and not _is_future(node) for node in tree.body):
            return False
        package, _, last = file.module.rpartition(".")
        for other in self.library.files:
            for one in other.imports:
                if not symbols.inside(one.alias, self.doomed, other) and (
                    one.module == file.module or (one.module == package and one.name == last)
                ):
                    return False
        return True

    def ledgers(self) -> set[str]:
        return {file.module for file in self.elements.values()}


def _is_future(node: ast.stmt) -> bool:
    return isinstance(node, ast.ImportFrom) and node.module == "__future__"
