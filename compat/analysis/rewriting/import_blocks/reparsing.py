"""Parse only what a rewrite touched: enough to know that the file still parses, at a fraction of the cost.

A simple statement may replace another wherever that one is valid, a name may replace a name, and a path a path. For any
other change the whole file is parsed.
"""

from __future__ import annotations

import ast
import re
from keyword import iskeyword
from typing import TYPE_CHECKING, Optional

from ...reading import dialects, sources
from .blocks import own_bodies

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from ...model.file_model import FileModel
    from ..edits import Edit
    from .blocks import Placed

_PATH = re.compile(rb"[A-Za-z_]\w*(?:\.[A-Za-z_]\w*)*\Z")
#: Beside one of these a path is but a part of a longer word, or of an escape in a string.
_JOINING = re.compile(rb"[\w\\\x80-\xff]")
#: At the start of a statement, or after ``case``, these are more than names.
_SOFT = frozenset(("match", "case", "type", "lazy", "_"))


class Shifts:
    """Where the offsets of a text stand after its edits."""

    def __init__(self, edits: Iterable[Edit]) -> None:
        self._changes = [(edit.end, len(edit.new) - len(edit.expected)) for edit in set(edits)]

    def of(self, offset: int) -> int:
        return offset + sum(delta for end, delta in self._changes if end <= offset)


def imports(
    file: FileModel, edits: Iterable[Edit], rewritten: Mapping[ast.stmt, tuple[int, int]], data: bytes, shifts: Shifts
) -> Optional[dict[ast.stmt, Placed]]:
    """What each rewritten import became in the rewritten text ``data``; ``None`` where that, or whether the other edits hold,
    only the whole text can tell."""
    if file.tree.changed:
        return None
    made: dict[ast.stmt, Placed] = {}
    for node, (start, end) in rewritten.items():
        placed = statements(data, shifts.of(start), shifts.of(end))
        if placed is None or not all(isinstance(item, (ast.Import, ast.ImportFrom)) for item, _at in placed):
            return None
        made[node] = placed
    checked: set[ast.stmt] = set()
    for edit in set(edits):
        if any(start <= edit.start and edit.end <= end for start, end in rewritten.values()) or _is_neutral(file, edit):
            continue
        around = _simple_statement(file, edit)
        if around is None or isinstance(around, (ast.Import, ast.ImportFrom)):
            return None
        if around not in checked:
            checked.add(around)
            start, end = file.span(around)
            placed = statements(data, shifts.of(start), shifts.of(end))
            if placed is None or [item.__class__ for item, _at in placed] != [around.__class__]:
                return None
    return made


def statements(data: bytes, start: int, end: int) -> Optional[Placed]:
    """The statements that stand between two offsets, and where each starts; ``None`` where these lines alone do not tell."""
    line = max(data.rfind(b"\n", 0, start), data.rfind(b"\r", 0, start)) + 1
    before = data[line:start]
    if b"\\" in data[max(0, line - 3) : line]:
        return None
    # After other code a statement ends with its line.
    lead = b"if 1: " if before.strip() else b"if 1:\n" + before if before else b""
    text = lead + data[start:end]
    try:
        body = dialects.parse_text(text.decode("utf-8")).body
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return None
    if lead:
        block = body[0]
        if len(body) != 1 or not isinstance(block, ast.If) or block.orelse:
            return None
        body = block.body
    source = sources.Source("", text, "", "utf-8", b"")
    return [(node, start - len(lead) + source.offset(node.lineno, node.col_offset)) for node in body]


def _is_neutral(file: FileModel, edit: Edit) -> bool:
    """Whether an edit puts a name in the place of a name, or a path in that of a path."""
    data = file.source.data
    if not _PATH.match(edit.new) or not _PATH.match(edit.expected) or (b"." in edit.new and b"." not in edit.expected):
        return False
    if _JOINING.match(data[edit.start - 1 : edit.start]) or _JOINING.match(data[edit.end : edit.end + 1]):
        return False
    return not any(iskeyword(word) or word in _SOFT for word in edit.new.decode().split("."))


def _simple_statement(file: FileModel, edit: Edit) -> Optional[ast.stmt]:
    """The simple statement that holds an edit; ``None`` where it stands in the head of another, or between statements."""
    line = file.source.position(edit.start)[0]
    pending: list[ast.AST] = [file.tree.module]
    while pending:
        parent = pending.pop()
        for node in (node for body in own_bodies(parent) for node in body):
            if not isinstance(node, ast.stmt) or (hasattr(node, "body") or hasattr(node, "cases")):
                pending.append(node)
            elif node.lineno <= line <= (node.end_lineno or node.lineno):
                start, end = file.span(node)
                if start <= edit.start and edit.end <= end:
                    return node
    return None
