"""Read blocks of imports: runs of import statements with nothing else between them."""

from __future__ import annotations

import ast
import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Optional

from ...reading import import_statements
from . import members

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ...reading.import_statements import Statement
    from ...reading.sources import Source
    from .members import Member

    #: Statements, and where each starts.
    Placed = list[tuple[ast.stmt, int]]

_TAIL = re.compile(rb"[ \t\f]*(#[^\r\n]*)?(\r\n|\r|\n|\Z)")
_BODIES = ("body", "orelse", "finalbody", "handlers", "cases")
_IMPORTS = (ast.Import, ast.ImportFrom)
_SIMPLE = (
    *_IMPORTS,
    ast.Expr,
    ast.Assign,
    ast.AnnAssign,
    ast.AugAssign,
    ast.Return,
    ast.Pass,
    ast.Raise,
    ast.Assert,
    ast.Delete,
)
_NEWLINE = re.compile(rb"\r\n|\r|\n")


@dataclass(eq=False)
class Entry:
    """One statement of a block: ``head`` is where its lines start, comments above it included; ``end`` is before its newline."""

    node: ast.stmt
    read: Statement
    head: int
    start: int
    end: int
    newline: bytes
    comment: str
    names: Optional[list[Member]]
    changed: bool = False
    pinned: bool = False
    text: bytes = b""

    @property
    def level(self) -> int:
        return len(self.read.module) - len(self.read.module.lstrip("."))

    @property
    def module(self) -> str:
        return self.read.module if self.read.is_from else self.read.aliases[0].name

    @property
    def top(self) -> str:
        return "" if self.level else self.module.partition(".")[0]

    def bound(self) -> dict[str, str]:
        """Local names and what they are bound to."""
        made: dict[str, str] = {}
        for alias in self.node.names:  # type: ignore[attr-defined]
            if self.read.is_from:
                made[alias.asname or alias.name] = f"{self.read.module}:{alias.name}"
            else:
                made[alias.asname or alias.name.partition(".")[0]] = alias.name if alias.asname else alias.name.partition(".")[0]
        return made

    def key(self) -> tuple[object, ...]:
        first = min(map(members.by_type, self.names)) if self.names else ()
        section = 0 if self.module == "__future__" else 2 if self.level else 1
        alias = self.read.aliases[0]
        own = str(alias.as_start >= 0) if not self.read.is_from else ""
        name = self.module.lstrip(".")
        return section, -self.level, members.natural(name.lower()), members.natural(name), own, first


@dataclass(eq=False)
class Block:
    """A run of imports, in paragraphs divided by blank lines (``gaps`` is what stands between them)."""

    paragraphs: list[list[Entry]] = field(default_factory=list)
    gaps: list[bytes] = field(default_factory=list)

    @property
    def entries(self) -> list[Entry]:
        return [entry for paragraph in self.paragraphs for entry in paragraph]


def bodies(tree: ast.Module) -> Iterator[list[ast.stmt]]:
    """Every body of statements, in an order that a rewrite does not change."""
    pending: list[ast.AST] = [tree]
    while pending:
        for body in own_bodies(pending.pop()):
            yield body
            pending.extend(statement for statement in body if not isinstance(statement, _SIMPLE))


def own_bodies(node: ast.AST) -> Iterator[list[ast.stmt]]:
    """The lists of statements that a node itself has."""
    for name in _BODIES:
        body = getattr(node, name, None)
        if isinstance(body, list):
            yield body


def runs(source: Source, body: list[ast.stmt]) -> Iterator[list[ast.stmt]]:
    """Runs of imports in a body; ``lazy`` may be a statement of its own in the tree."""
    run: list[ast.stmt] = []
    for statement in body:
        if isinstance(statement, _IMPORTS):
            run.append(statement)
        elif run and not _is_lazy(source, statement):
            yield run
            run = []
    if run:
        yield run


def _is_lazy(source: Source, node: ast.stmt) -> bool:
    start = source.offset(node.lineno, node.col_offset)
    return isinstance(node, ast.Expr) and re.match(rb"lazy[ \t\f\\]", source.data[start : start + 5]) is not None


def read(data: bytes, source: Source, run: Placed) -> Optional[Block]:
    """Read a run, given with offsets; ``None`` where a statement shares its line, or is written in a way that is not read."""
    made = Block()
    last = -1
    for node, at in run:
        entry = _entry(data, source, node, at)
        if entry is None:
            return None
        if last < 0:
            entry.pinned = entry.head < entry.start
            entry.head = entry.start
            made.paragraphs.append([])
        else:
            between = data[last + len(made.paragraphs[-1][-1].newline) : entry.head]
            if between:
                made.gaps.append(between)
                made.paragraphs.append([])
        entry.text = data[entry.head : entry.end]
        made.paragraphs[-1].append(entry)
        last = entry.end
    return made


def _entry(data: bytes, source: Source, node: ast.stmt, at: int) -> Optional[Entry]:
    made = import_statements.read(data, at)
    if made is None:
        return None
    start = source.starts[source.position(made.first)[0] - 1]
    tail = _TAIL.match(data, made.end)
    if data[start : made.first].strip() or tail is None:
        return None
    head, line = start, source.position(start)[0] - 1
    while line >= 1 and source.line(line).lstrip().startswith("#"):
        head = source.starts[line - 1]
        line -= 1
    comment = (tail.group(1) or b"").decode()
    names = members.read(data, made) if made.is_from else None
    return Entry(node, made, head, start, tail.start(2), tail.group(2), comment, names)


def newline(data: bytes) -> bytes:
    """How a text ends its lines."""
    found = _NEWLINE.search(data)
    return found.group() if found else b"\n"
