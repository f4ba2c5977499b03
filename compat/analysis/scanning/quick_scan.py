"""Find imports and strings without parsing whole files: each path that occurs is read in its own statement or literal.

The result equals that of the full analysis for ``--select imports,strings``; where that is not certain it is ``None``, and
the file is analysed in full.
"""

from __future__ import annotations

import ast
import re
from bisect import bisect_left, bisect_right
from functools import lru_cache
from typing import TYPE_CHECKING, NamedTuple, Optional, TypeVar, Union

from ..finding_text import place_of, said
from ..findings import HIGH, MEDIUM, Finding
from ..reading import constructs, import_statements, lexer
from ..reading.sources import Source, encoding_of
from ..targets import Target

if TYPE_CHECKING:
    from collections.abc import Callable

    from ..targets import Targets
    from .prefilter import Prefilter

Found = TypeVar("Found", bound="Finder")
_IMPORTERS = tuple(map(str.encode, constructs.IMPORTERS))
_HEAD = re.compile(rb"(?:lazy[ \t\f]+)?(?:from|import)\b")
_NAMES = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ_abcdefghijklmnopqrstuvwxyz."
_STRING = re.compile(rb"([A-Za-z]{0,2})(\"\"\"|'''|\"|')(.*)\2$", re.S)
#: A relative path in a call that imports it.
_UNSURE = re.compile(rb"(?:%s)[ \t]*\([ \t\r\n]*[rRuU]?[\"']\." % b"|".join(_IMPORTERS))
_OTHER_COOKIE = re.compile(rb"coding[:=][ \t]*(?!utf-?8\b)[-\w]", re.I)
_FIELD = re.compile(rb"\{[^{}]*\}")
_PIECE = re.compile(rb"[\w.:]*$")
_GOES_ON = re.compile(rb"(?:[ \t\r\n\f\\]|#[^\r\n]*)*[A-Za-z]{0,2}[\"']")
_WHOLE = re.compile(rb"[^\W\d]\w*(?:[.:][^\W\d]\w*)*$")


def find(
    path: str,
    raw: bytes,
    targets: Targets,
    prefilter: Prefilter,
    *,
    module: Optional[Callable[[], tuple[str, bool]]],
    finder: Callable[[Source, Targets, tuple[list[int], list[int]]], Found],
) -> Optional[Found]:
    """What is found in one UTF-8 file; ``None`` where that takes a full analysis.

    ``module`` tells the name of a file in a package of the ledger: relative imports of legacy paths take a full analysis.
    """
    if (
        b"\0" in raw
        or raw.startswith((b"\xef", b"\xff", b"\xfe"))
        or (_OTHER_COOKIE.search(raw, 0, 400) and encoding_of(raw) != ("utf-8", b""))
        or (any(word in raw for word in _IMPORTERS) and _UNSURE.search(raw))
    ):
        return None
    if module is not None and prefilter.relative_hits(raw, module, 0, len(raw)):
        return None
    places = prefilter.places(raw)
    try:
        text = raw.decode("utf-8")
    except UnicodeDecodeError:
        return None
    if not text.isascii() and prefilter.hits_normalized(raw):
        return None
    if not places:
        return finder(Source(path, raw, text, "utf-8", b""), targets, ([], []))
    spans = lexer.spans(raw, places) or lexer.exact_spans(raw, places[-1])
    if spans is None:
        return None
    made = finder(Source(path, raw, text, "utf-8", b""), targets, spans)
    return made if made.look(places) else None


_IMPORTS_COMPAT = re.compile(rb"(?:from|import)[ \t]+compat\b")


class _Import(NamedTuple):
    """An import statement: its tree, and the spans of its names in bytes from its start."""

    node: Union[ast.Import, ast.ImportFrom]
    spans: tuple[tuple[int, int], ...]


@lru_cache(maxsize=4096)
def _read(statement: bytes) -> Optional[_Import]:
    """Read one import statement, ``None`` where it is none or does not parse; a tree repeats its imports from file to file."""
    made = import_statements.read(statement, 0)
    if made is None:
        return None
    try:
        node = ast.parse(statement[made.start : made.end].decode("utf-8")).body[0]
    except (SyntaxError, ValueError, IndexError, RecursionError, MemoryError):
        return None
    if not isinstance(node, (ast.Import, ast.ImportFrom)) or len(node.names) != len(made.aliases):
        return None
    return _Import(node, tuple((span.start, span.whole_end) for span in made.aliases))


def _callee(before: bytes) -> Optional[str]:
    """The dotted name that is called, given the text before its first argument."""
    head = before.rstrip(b" \t\r\n")
    if not head.endswith(b"("):
        return None
    head = head[:-1].rstrip(b" \t")
    name = head[len(head.rstrip(_NAMES)) :].decode()
    return name if name and not name.endswith(".") else None


class Finder:
    """Reads the statements and strings of one file in which paths stand."""

    def __init__(self, source: Source, targets: Targets, spans: tuple[list[int], list[int]]) -> None:
        self.source, self.targets = source, targets
        self.starts, self.ends = spans
        self.findings: list[Finding] = []
        self.re_exported: dict[str, Target] = {}
        self.read_strings: set[int] = set()
        self.read_statements: set[int] = set()

    def look(self, places: list[int]) -> bool:
        """Find all; false where that takes a full analysis."""
        for at in places:
            index = bisect_right(self.starts, at) - 1
            if index >= 0 and at < self.ends[index]:
                if self.source.data[self.starts[index]] != 35 and index not in self.read_strings:
                    self.read_strings.add(index)
                    if not self.string(self.starts[index], self.ends[index], places):
                        return False
            elif not self.statement(at):
                return False
        return True

    def statement(self, at: int) -> bool:
        """Report the import statement around a path; false where the text there cannot be read alone."""
        data = self.source.data
        head = lexer.line_start(data, at)
        head = max(head, data.rfind(b";", head, at) + 1)
        starts = [match.start() for match in _HEAD.finditer(data, head, at) if self.is_start(head, match.start())]
        if not starts:
            # An attribute path: no matter of imports and strings.
            return True
        start = starts[-1]
        if start in self.read_statements:
            return True
        self.read_statements.add(start)
        read = _read(data[start : import_statements.logical_end(data, start)])
        if read is None:
            return False
        names = zip(read.node.names, read.spans)
        return all(self.alias(read.node, alias, start + first, start + last) for alias, (first, last) in names)

    def is_start(self, head: int, at: int) -> bool:
        before = self.source.data[head:at].rstrip(b" \t\f")
        return not before.strip() or before[-1:] in (b";", b":")

    def alias(self, node: ast.AST, alias: ast.alias, start: int, end: int) -> bool:
        targets = self.targets
        star = alias.name == "*"
        if isinstance(node, ast.Import):
            target = targets.module(alias.name)
        elif isinstance(node, ast.ImportFrom) and not node.level and node.module:
            if star and targets.module(node.module) is not None:
                # What a star import binds decides; that takes the whole file.
                return False
            target = None if star else targets.attribute(node.module, alias.name)
        else:
            return True
        if target is not None and not (target.move is None and targets.stays(target.legacy)):
            confidence = HIGH if target.move is not None else MEDIUM
            self.report(target, "import", start, end, confidence)
        return True

    def string(self, start: int, end: int, places: list[int]) -> bool:
        """Report a string that is a legacy path as a whole; false where what it is used for cannot be seen from here."""
        data = self.source.data
        before = re.search(rb"[A-Za-z]{0,2}$", data[max(0, start - 2) : start])
        prefix = before.group() if before else b""
        start -= len(prefix)
        match = _STRING.match(data[start:end])
        if match is None:
            return False
        if b"\\" in match.group(3):
            # Whatever the escapes stand for, a text with a blank in it is no path.
            return b" " in match.group(3) and b"\\N" not in match.group(3) and not {*prefix.lower()} & {*b"ft"}
        if {*prefix.lower()} & {*b"fbt"}:
            return b"f" not in prefix.lower() or self.has_none_in_fields(start, end, places)
        value = match.group(3)
        if not _PIECE.match(value):
            return True
        if _GOES_ON.match(data, end) or data[max(0, start - 40) : start].rstrip(b" \t\r\n\\")[-1:] in (b'"', b"'"):
            # One of several strings that are one.
            return False
        if not _WHOLE.match(value) or len(value) > constructs.LONGEST_PATH:
            return True
        path = value.decode("utf-8").replace(":", ".")
        found = self.targets.resolve(path)
        if found is None:
            return True
        called = _callee(data[max(0, start - 200) : start])
        # An annotation, an index, an export: the full analysis tells these apart.
        after = data[end : end + 40].lstrip(b" \t\r\n\\")[:1]
        if called is None and (data[max(0, start - 40) : start].rstrip()[-1:] in (b":", b"[", b">") or after in (b"]", b":")):
            return False
        if called is not None and called.rpartition(".")[2] in constructs.KEYED:
            # Whether it is `sys.modules` that is read.
            return False
        if called is not None and _IMPORTS_COMPAT.search(data):
            # Whether it is a row of a ledger.
            return False
        role = constructs.role(called or "")
        how, confidence = (role, HIGH) if role is not None else ("string", MEDIUM)
        if called is None and data[max(0, start - 40) : start].rstrip()[-1:] in (b"(", b","):
            return False
        target, used = found
        if target.move is None:
            if self.targets.stays(target.legacy) or used != path.count(".") + 1:
                return True
            confidence = MEDIUM
        if "." not in path and how not in ("import_module", "patch"):
            return True
        self.report(target, how, start, end, confidence)
        return True

    def has_none_in_fields(self, start: int, end: int, places: list[int]) -> bool:
        """Whether no path stands in a replacement field of an f-string, as far as that can be seen."""
        text = self.source.data[start:end]
        fields = [match.span() for match in _FIELD.finditer(text)]
        beside = _FIELD.sub(b"", text)
        if b"{" in beside or b"}" in beside or b"{{" in text:
            return False
        inside = places[bisect_left(places, start) : bisect_left(places, end)]
        return not any(first <= place - start < last for place in inside for first, last in fields)

    def report(self, target: Target, how: str, start: int, end: int, confidence: str) -> None:
        if target.move is not None and not target.move.covers(how):
            return
        message, instead = said(self.targets, target, how)
        self.findings.append(
            Finding(
                rule=target.kind,
                move=target.id,
                how=how,
                confidence=confidence,
                message=message,
                replacement=instead,
                symbol=target.legacy,
                **place_of(self.source, start, end),  # type: ignore[arg-type]
            )
        )
