"""Search by text for legacy paths in data files and in Python that does not parse."""

from __future__ import annotations

import ast
import re
from typing import TYPE_CHECKING

from .. import finding_text
from ..findings import HIGH, LOW, MEDIUM, Finding
from ..model import scopes
from ..reading import import_statements, lexer

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ..reading.sources import Source
    from ..targets import Target, Targets

_PATH = re.compile(rb"(?<![\w.:/-])[^\W\d]\w*(?:[.:][^\W\d]\w*)+")
#: How a baseline begins: it names what is accepted, wherever it lies.
_BASELINE = re.compile(rb'\s*\{\s*"format_version":\s*\d+,\s*"entries":\s*\{')
_IMPORT_LINE = re.compile(rb"(?m)(?:^|(?<=[;:\r]))[ \t\f]*((?:lazy[ \t\f]+)?(?:from|import)\b)")


def search_data(source: Source, targets: Targets) -> Iterator[Finding]:
    """Dotted legacy paths in a data file: entry points, dotted strings, notebooks; low confidence."""
    for match in _PATH.finditer(source.data) if not _BASELINE.match(source.data) else ():
        target = _resolve(match.group(), targets)
        if target is not None:
            yield _finding(source, targets, target, match.start(), match.end(), "config", LOW)


def search_python(source: Source, targets: Targets, module: str, *, is_package: bool) -> Iterator[Finding]:
    """Legacy imports and dotted paths in Python source that does not parse, statement by statement."""
    tokens = lexer.tokens(source.data)
    covered = [(token.start, token.end) for token in tokens] if tokens is not None else []
    comments = [(token.start, token.end) for token in tokens or () if token.is_comment]
    told: list[tuple[int, int]] = []
    for match in _IMPORT_LINE.finditer(source.data):
        start = match.start(1)
        if _within(start, covered):
            continue
        read = import_statements.read(source.data, start)
        node = _parsed(source.data, read.start, read.end) if read is not None else None
        if read is None or node is None:
            continue
        told.append((read.first, read.end))
        for index, target, name in _imported(node, targets, module, is_package=is_package):
            alias = read.aliases[index]
            how = "star" if name == "*" else "import"
            yield _finding(source, targets, target, alias.start, alias.whole_end, how, MEDIUM)
    for match in _PATH.finditer(source.data):
        if _within(match.start(), told) or _within(match.start(), comments):
            continue
        mentioned = _resolve(match.group(), targets)
        if mentioned is not None:
            yield _finding(source, targets, mentioned, match.start(), match.end(), "text", LOW)


def _parsed(data: bytes, start: int, end: int) -> scopes.ImportNode | None:
    try:
        node = ast.parse(data[start:end].decode("utf-8")).body[0]
    except (SyntaxError, ValueError, IndexError, RecursionError, MemoryError):
        return None
    return node if isinstance(node, (ast.Import, ast.ImportFrom)) else None


def _imported(node: scopes.ImportNode, targets: Targets, module: str, *, is_package: bool) -> Iterator[tuple[int, Target, str]]:
    if isinstance(node, ast.Import):
        for index, alias in enumerate(node.names):
            whole = targets.module(alias.name)
            if whole is not None and not (whole.move is None and targets.stays(whole.legacy)):
                yield index, whole, ""
        return
    package = module if is_package else module.rpartition(".")[0]
    base = scopes.absolute(node, package, known=bool(module))
    for index, alias in enumerate(node.names):
        if base:
            named = targets.module(base) if alias.name == "*" else targets.attribute(base, alias.name)
            if named is not None and not (named.move is None and targets.stays(named.legacy)):
                yield index, named, alias.name


def _resolve(text: bytes, targets: Targets) -> Target | None:
    found = targets.resolve(text.decode("utf-8", "replace").replace(":", "."))
    return None if found is None or found[0].move is None else found[0]


def _within(offset: int, spans: list[tuple[int, int]]) -> bool:
    low, high = 0, len(spans)
    while low < high:
        middle = (low + high) // 2
        if spans[middle][1] <= offset:
            low = middle + 1
        else:
            high = middle
    return low < len(spans) and spans[low][0] <= offset


def _finding(source: Source, targets: Targets, target: Target, start: int, end: int, how: str, confidence: str) -> Finding:
    message, replacement = targets.wording.words(target, "import" if how in ("import", "star") else "read")
    line, column = source.position(start)
    end_line, end_column = source.position(end)
    return Finding(
        rule=target.kind,
        move=target.id,
        how=how,
        path=source.path,
        line=line,
        column=column,
        end_line=end_line,
        end_column=end_column,
        span=(start, end),
        confidence=confidence,
        message=message,
        replacement=replacement,
        symbol=target.legacy,
        code=source.line(line).strip()[:200],
    )


def unparsable(source: Source, line: int, reason: str) -> Finding:
    """The finding of a file that could not be parsed or decoded."""
    start = source.starts[line - 1]
    return Finding(
        rule="unparsable",
        move="unparsable",
        how="file",
        path=source.path,
        line=line,
        column=1,
        end_line=line,
        end_column=1,
        span=(start, start),
        confidence=HIGH,
        message=finding_text.unparsable(reason),
        replacement="Repair the file, or exclude it.",
        symbol="",
        code=source.line(line).strip()[:200],
    )
