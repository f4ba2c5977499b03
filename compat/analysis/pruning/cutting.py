"""The edits that take statements, list elements and imported names out of a file."""

from __future__ import annotations

import ast
import re
from typing import TYPE_CHECKING

from ..reading import import_statements
from ..rewriting.edits import Edit, apply, replacing

if TYPE_CHECKING:
    from collections.abc import Iterable

    from .tree import File

_BLANK_LINE = re.compile(rb"[ \t]*(?:\r\n|\r|\n)")
_ALONE_BEFORE = re.compile(rb"[ \t]*\Z")
_ALONE_AFTER = re.compile(rb"[ \t]*,?[ \t]*(?:#[^\r\n]*)?(?:\r\n|\r|\n|\Z)")


class NotCut(Exception):
    """Something is written in a way that cannot be taken out by itself."""


def cut(file: File, statements: set[ast.stmt], elements: set[ast.expr], aliases: set[ast.alias]) -> bytes:
    """The text without some statements, elements of lists and tuples, and imported names; raise :class:`NotCut`."""
    edits: list[Edit] = []
    gone: set[ast.AST] = set(statements)
    for node in ast.walk(file.tree):
        if isinstance(node, (ast.Import, ast.ImportFrom)) and node not in gone:
            dropped = [alias for alias in node.names if alias in aliases]
            if len(dropped) == len(node.names):
                gone.add(node)
            elif dropped:
                edits += _aliases(file, node, dropped)
    for node in ast.walk(file.tree):
        for field in ("body", "orelse", "finalbody"):
            body = getattr(node, field, None)
            if isinstance(body, list) and any(item in gone for item in body):
                edits += _statements(file, body, gone, is_module=node is file.tree)
        if isinstance(node, (ast.List, ast.Tuple, ast.Set)) and any(item in elements for item in node.elts):
            edits += _elements(file, node.elts, elements)
    return apply(file.data, edits)


def _first_line(node: ast.stmt) -> int:
    decorators: list[ast.expr] = getattr(node, "decorator_list", [])
    return min([node.lineno, *(item.lineno for item in decorators)])


def _statements(file: File, body: list[ast.stmt], gone: set[ast.AST], *, is_module: bool) -> list[Edit]:
    kept = [item for item in body if item not in gone]
    edits = []
    blanks: int | None = None  # lines above the first of several that go
    for index, item in enumerate(body):
        if item not in gone:
            blanks = None
            continue
        first, last = _first_line(item), item.end_lineno or item.lineno
        start, end = file.starts[first - 1], file.starts[last]
        if file.data[start : file.span(item)[0]].strip() and first == item.lineno:
            raise NotCut(f"{file.place(item)}: it shares its line with another statement")
        if not _ALONE_AFTER.match(file.data, file.span(item)[1]):
            raise NotCut(f"{file.place(item)}: it shares its line with another statement")
        if not kept and not is_module and item is body[-1]:
            margin = " " * item.col_offset
            edits.append(replacing(file.data, start, end, f"{margin}pass\n"))
            continue
        start = _with_comments(file, first)
        if blanks is None:
            blanks = _blank_lines_above(file, start) if index else len(file.data)
        following = [other for other in body if other.lineno > last]
        if following:
            ends = _blank_line_ends(file, end)
            # The wider of the two gaps stays.
            end = ends[min(blanks if following[0] not in gone else len(ends), len(ends) - 1)]
        elif not any(other.lineno < first and other in gone and other is body[body.index(item) - 1] for other in body):
            start = len(file.data[:start].rstrip()) + 1 if file.data[:start].strip() else start
        edits.append(replacing(file.data, start, end, ""))
    return _joined(file, edits)


def _blank_lines_above(file: File, at: int) -> int:
    above = file.data[:at]
    return len(above[len(above.rstrip()) :].splitlines()) - 1


def _blank_line_ends(file: File, at: int) -> list[int]:
    """Where each of the blank lines from an offset on ends, and the offset itself first."""
    ends = [at]
    while (match := _BLANK_LINE.match(file.data, ends[-1])) is not None:
        ends.append(match.end())
    return ends


def _with_comments(file: File, first: int) -> int:
    """Where the comments right above a line start."""
    while first > 1 and file.data[file.starts[first - 2] : file.starts[first - 1]].lstrip().startswith(b"#"):
        if first == 2 or file.data[file.starts[first - 2] :].startswith((b"#!", b"# -*-")):
            break
        first -= 1
    return file.starts[first - 1]


def _elements(file: File, elts: list[ast.expr], doomed: set[ast.expr]) -> list[Edit]:
    edits: list[Edit] = []
    for index, element in enumerate(elts):
        if element not in doomed:
            continue
        start, end = file.span(element)
        line = file.starts[element.lineno - 1]
        after = _ALONE_AFTER.match(file.data, end)
        if _ALONE_BEFORE.match(file.data[line:start]) and after is not None:
            edits.append(replacing(file.data, _with_comments(file, element.lineno), after.end(), ""))
        elif index + 1 < len(elts):
            edits.append(replacing(file.data, start, file.span(elts[index + 1])[0], ""))
        else:
            kept = [other for other in elts if other not in doomed]
            before = file.span(kept[-1])[1] if kept else start
            tail = re.compile(rb"\s*,").match(file.data, end)
            edits.append(replacing(file.data, before, tail.end() if tail is not None and not kept else end, ""))
    return _joined(file, edits)


def _aliases(file: File, node: ast.stmt, dropped: list[ast.alias]) -> list[Edit]:
    start = file.span(node)[0]
    read = import_statements.read(file.data, start)
    names: list[ast.alias] = node.names  # type: ignore[attr-defined]
    if read is None or len(read.aliases) != len(names):
        raise NotCut(f"{file.place(node)}: the import is written in a way that is not rewritten")
    edits = []
    for index, (alias, span) in enumerate(zip(names, read.aliases)):
        if alias not in dropped:
            continue
        after = _ALONE_AFTER.match(file.data, span.whole_end)
        head = file.data.rfind(b"\n", 0, span.start) + 1
        if not file.data[head : span.start].strip() and after is not None:
            edits.append(replacing(file.data, head, after.end(), ""))
        elif index + 1 < len(names):
            edits.append(replacing(file.data, span.start, read.aliases[index + 1].start, ""))
        else:
            kept = max(place for place, other in enumerate(names) if other not in dropped)
            edits.append(replacing(file.data, read.aliases[kept].whole_end, span.whole_end, ""))
    return _joined(file, edits)


def _joined(file: File, edits: Iterable[Edit]) -> list[Edit]:
    """Deletions that touch or overlap, as one each."""
    made: list[Edit] = []
    for edit in sorted(edits, key=lambda edit: (edit.start, edit.end)):
        if made and edit.start < made[-1].end and not (edit.new or made[-1].new):
            edit = replacing(file.data, made[-1].start, max(edit.end, made.pop().end), "")
        made.append(edit)
    return made
