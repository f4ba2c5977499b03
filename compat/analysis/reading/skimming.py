"""Parse a file without the bodies of those functions and classes in which nothing of interest stands."""

from __future__ import annotations

import re
from bisect import bisect_left, bisect_right
from functools import lru_cache
from typing import TYPE_CHECKING, Optional

from . import dialects, lexer

if TYPE_CHECKING:
    from collections.abc import Sequence

    from .sources import Source

_HEAD = re.compile(rb"^([ \t]*)(?:(?:async[ \t]+)?def|(class))[ \t]+\w+[ \t]*(?=[(\[:])", re.M)
# A signature on one line without brackets in brackets, and what stands between a signature and the body.
_PLAIN = re.compile(rb"(?:\([^()\[\]{}\"'#\\\n]*\)[^()\[\]{}\"'#\\\n:]*)?:")
_PIECE = re.compile(rb"[()\[\]{}:\\]|#[^\n]*|\"\"\"|'''|\"(?:[^\"\\\n]|\\.)*\"|'(?:[^'\\\n]|\\.)*'|[\"']")
_LINE_END = re.compile(rb"[ \t]*(?:#[^\n]*)?\n")


def parse(source: Source, places: Sequence[int]) -> Optional[dialects.Tree]:
    """The tree of a file, in which ``pass`` stands for bodies that hold none of some places (offsets in order).

    Those of classes and of functions in no other function are left out. ``None`` where that cannot be done for sure.
    """
    text = without_bodies(source.data, places)
    if text is None:
        return None
    try:
        return dialects.Tree(dialects.parse_text(text.decode("utf-8")), is_skimmed=True)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return None


def without_bodies(data: bytes, places: Sequence[int]) -> Optional[bytes]:
    """A text with ``pass`` for the bodies that hold none of some places; each other line keeps its number and its text.

    ``None`` where it is not sure where the bodies end. What lost a closing bracket by that does not parse.
    """
    strings = lexer.in_three_quotes(data) if b"\r" not in data and b"\f" not in data else None
    if strings is None:
        return None
    starts, ends = strings
    kept: list[bytes] = []
    done = at = 0
    while True:
        head = _HEAD.search(data, at)
        if head is None:
            break
        index = bisect_right(starts, head.start()) - 1
        if index >= 0 and head.start() < ends[index]:
            at = ends[index]
            continue
        at = _colon(data, head.end())
        if at < 0 or data.endswith(b"\\\n", 0, head.start()):
            return None
        line_end = _LINE_END.match(data, at)
        if line_end is None:
            continue  # the body stands on the same line
        begin = line_end.end()
        end = _end(data, begin, len(head.group(1)), starts, ends)
        if end < 0:
            return None
        index = bisect_left(places, begin)
        if begin == end or (index < len(places) and places[index] < end):
            at = end if head.group(2) is None else begin
            continue
        kept += (data[done:begin], head.group(1), b" pass", b"\n" * data.count(b"\n", begin, end))
        done = at = end
    kept.append(data[done:])
    return b"".join(kept)


def _colon(data: bytes, at: int) -> int:
    """The end of the colon that closes the signature at an offset; -1 if unsure."""
    plain = _PLAIN.match(data, at)
    if plain is not None:
        return plain.end()
    depth = 0
    for match in _PIECE.finditer(data, at):
        piece = match.group()
        if piece in b"([{":
            depth += 1
        elif piece in b")]}":
            depth -= 1
        elif piece == b":" and not depth:
            return match.end()
        elif piece in (b"\\", b'"', b"'", b'"""', b"'''"):
            return -1
    return -1


def _end(data: bytes, begin: int, indent: int, starts: Sequence[int], ends: Sequence[int]) -> int:
    """Where the line stands that is indented no further than the function whose body begins at an offset; -1 if unsure."""
    at = begin - 1
    dedented = _dedented(indent)
    while True:
        match = dedented.search(data, at)
        if match is None:
            return len(data)
        index = bisect_right(starts, match.start()) - 1
        if index >= 0 and match.start() < ends[index]:
            at = ends[index]
            continue
        if data[match.start() - 1] == 92:
            return -1  # the line goes on here
        return match.start() + 1


@lru_cache(maxsize=64)
def _dedented(indent: int) -> re.Pattern[bytes]:
    return re.compile(rb"\n[ \t]{0,%d}[^\s#]" % indent)
