"""Find strings and comments of Python source with regular expressions: 50 MB/s, and correct in files that do not parse.

:func:`spans` runs at C speed and returns ``None`` where it may have lost track; :func:`tokens` is slower, and follows the
nested replacement fields of f- and t-strings (PEP 701).
"""

from __future__ import annotations

import re
from bisect import bisect_right
from itertools import accumulate
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

_SPAN = re.compile(
    rb'''(#[^\r\n]*|"""[^"\\]*(?:(?:\\.|"(?!""))[^"\\]*)*"""|\'\'\'[^\'\\]*(?:(?:\\.|\'(?!\'\'))[^\'\\]*)*\'\'\'|'''
    rb""""[^"\\\r\n]*(?:\\(?:\r\n|.)[^"\\\r\n]*)*"|'[^'\\\r\n]*(?:\\(?:\r\n|.)[^'\\\r\n]*)*'|["'])""",
    re.S,
)
_FORMAT = re.compile(rb"\b(?:[fFtT][rR]?|[rR][fFtT])$")
_START = re.compile(rb"""#[^\r\n]*|(?:(?<![\w])([A-Za-z]{1,3}))?(\"\"\"|'''|"|')""")
_ENDS = {
    b'"""': re.compile(rb'[^"\\]*(?:(?:\\.|"(?!""))[^"\\]*)*"""', re.S),
    b"'''": re.compile(rb"[^'\\]*(?:(?:\\.|'(?!''))[^'\\]*)*'''", re.S),
    b'"': re.compile(rb'[^"\\\r\n]*(?:\\(?:\r\n|.)[^"\\\r\n]*)*"', re.S),
    b"'": re.compile(rb"[^'\\\r\n]*(?:\\(?:\r\n|.)[^'\\\r\n]*)*'", re.S),
}
_LITERAL = re.compile(rb"""\\N\{[^}\r\n]*\}|\\(?:\r\n|[^{}])|\{\{|\}\}|\{|\}|\"\"\"|'''|"|'|\r\n|\r|\n""", re.S)
_FIELD = re.compile(rb"""#[^\r\n]*|(?:(?<![\w])([A-Za-z]{1,3}))?(\"\"\"|'''|"|')|!=|[()\[\]{}:!]""")
_DEPTH = 60


class Token:
    """A comment or a string; ``fields`` are the spans of the expressions inside an f- or t-string."""

    def __init__(self, start: int, end: int, prefix: bytes = b"", quote: bytes = b"") -> None:
        self.start, self.end, self.prefix, self.quote = start, end, prefix, quote
        self.fields: list[tuple[int, int]] = []
        self.nested: list[Token] = []

    @property
    def is_comment(self) -> bool:
        return not self.quote

    @property
    def is_format(self) -> bool:
        return b"f" in self.prefix.lower() or b"t" in self.prefix.lower()


def spans(data: bytes, places: Sequence[int]) -> tuple[list[int], list[int]] | None:
    """Starts and ends of strings and comments, among them all that hold one of ``places`` (offsets in order).

    ``None`` where the fast lexer may be out of step.
    """
    found = _around(data, places) if b"\r" not in data else None
    if found is not None:
        return found
    line = data.find(b"\n", places[-1])
    if line >= 0:
        # Most often nothing is open at the end of that line, and what follows it need not be read.
        found = _split(data[: line + 1])
        if found is not None:
            return found
    return _split(data)


def line_start(data: bytes, at: int, floor: int = 0) -> int:
    """Where the line of an offset starts; the first of several that are joined by backslashes; at ``floor`` at the least."""
    head = max(data.rfind(b"\n", floor, at), data.rfind(b"\r", floor, at)) + 1 or floor
    while head > floor and data.endswith((b"\\\n", b"\\\r", b"\\\r\n"), max(floor, head - 3), head):
        end = head - 2 if data.endswith(b"\r\n", floor, head) else head - 1
        head = max(data.rfind(b"\n", floor, end), data.rfind(b"\r", floor, end)) + 1 or floor
    return head


def _around(data: bytes, places: Sequence[int]) -> tuple[list[int], list[int]] | None:
    """The strings in three quotes, which alone reach over lines, and what else stands in the lines of ``places``."""
    found = in_three_quotes(data, places[-1])
    if found is None:
        return None
    starts, ends = found
    done = 0
    for place in places:
        index = bisect_right(starts, place)
        floor = ends[index - 1] if index else 0
        if place < done or place < floor:
            continue
        head = line_start(data, place, floor)
        done = data.find(b"\n", place) + 1 or len(data)
        while done < len(data) and data.endswith(b"\\\n", head, done):
            done = data.find(b"\n", done) + 1 or len(data)
        if index < len(starts):
            done = min(done, starts[index])
        inner = _split(data[head:done])
        if inner is None:
            return None
        starts[index:index] = [head + start for start in inner[0]]
        ends[index:index] = [head + end for end in inner[1]]
    return found


def in_three_quotes(data: bytes, upto: int | None = None) -> tuple[list[int], list[int]] | None:
    """Starts and ends of the strings in three quotes that start before an offset, or of all; ``None`` where that is not sure."""
    starts: list[int] = []
    ends: list[int] = []
    at = 0
    double, single = data.find(b'"""', 0, upto), data.find(b"'''", 0, upto)
    while double >= 0 or single >= 0:
        start = double if single < 0 or 0 <= double < single else single
        head = data.rfind(b"\n", at, start) + 1 or at
        if head > at + 1 and data[head - 2] == 92:
            head = line_start(data, start, at)
        before = data[head:start]
        if before and not before.isspace() and (b'"' in before or b"'" in before or b"#" in before):
            inner = _split(before)
            if inner is None:
                return None
            if inner[1][-1] == len(before) and before[inner[0][-1]] == 35:
                # These quotes stand in a comment.
                end = data.find(b"\n", start)
                if end < 0:
                    break
                at = end
                double, single = data.find(b'"""', at, upto), data.find(b"'''", at, upto)
                continue
        end = _three_quotes_end(data, start)
        if end < 0:
            return None
        starts.append(start)
        ends.append(end)
        at = end
        double = data.find(b'"""', at, upto) if 0 <= double < at else double
        single = data.find(b"'''", at, upto) if 0 <= single < at else single
    return starts, ends


def _three_quotes_end(data: bytes, start: int) -> int:
    """The end of the string in three quotes at an offset; -1 where it has none that is sure."""
    quote = data[start : start + 3]
    end = data.find(quote, start + 3)
    while end >= 0 and data[end - 1] == 92 and (end - len(data[start + 3 : end].rstrip(b"\\")) - start - 3) % 2:
        end = data.find(quote, end + 1)
    if end < 0:
        return -1
    is_format = data[start - 1 : start].isalpha() and _FORMAT.search(data, max(0, start - 3), start)
    return -1 if is_format and _leaves_open(data[start:end]) else end + 3


def _split(data: bytes) -> tuple[list[int], list[int]] | None:
    pieces = _SPAN.split(data)
    if b'"' in pieces or b"'" in pieces:
        return None
    for empty, quote in ((b'""', b'"'), (b"''", b"'")):
        # An empty string with a quote behind it is three quotes that nothing closes.
        at = -1
        for _time in range(pieces.count(empty)):
            at = pieces.index(empty, at + 1)
            if at + 2 < len(pieces) and not pieces[at + 1] and pieces[at + 2].startswith(quote):
                return None
    for at in [at for at in range(1, len(pieces), 2) if b"{" in pieces[at]]:
        text = pieces[at]
        if text[:1] != b"#" and _leaves_open(text) and _FORMAT.search(pieces[at - 1][-3:]):
            return None
    places = list(accumulate(map(len, pieces)))
    return places[:-1:2], places[1::2]


def _leaves_open(text: bytes) -> bool:
    """Whether a brace stays open: in an f- or t-string, quotes nested as PEP 701 has them may end it too early."""
    return text.count(b"{") != text.count(b"}") or text.rfind(b"{") > text.rfind(b"}")


def exact_spans(data: bytes, upto: int) -> tuple[list[int], list[int]] | None:
    """What :func:`spans` gives, by the exact lexer; an f-string is one span with everything in it."""
    found = tokens(data, upto)
    if found is None:
        return None
    return [token.start + len(token.prefix) for token in found], [token.end for token in found]


def tokens(data: bytes, upto: int | None = None) -> list[Token] | None:
    """Every string and comment (that starts before ``upto``, and one more); ``None`` where a string is not closed."""
    found: list[Token] = []
    at = 0
    while True:
        match = _START.search(data, at)
        if match is None or (upto is not None and found and found[-1].start > upto):
            return found
        token = _token(data, match, 0)
        if token is None:
            return None
        found.append(token)
        at = token.end


def _token(data: bytes, match: re.Match[bytes], depth: int) -> Token | None:
    quote = match.group(2)
    if quote is None:
        return Token(match.start(), match.end())
    made = Token(match.start(), match.end(), match.group(1) or b"", quote)
    if not made.is_format:
        end = _ENDS[quote].match(data, match.end())
        if end is None:
            return None
        made.end = end.end()
        return made
    closed = _format_body(data, match.end(), made, depth)
    if closed is None:
        return None
    made.end = closed
    return made


def _format_body(data: bytes, at: int, token: Token, depth: int) -> int | None:
    quote = token.quote
    while True:
        match = _LITERAL.search(data, at)
        if match is None or depth > _DEPTH:
            return None
        text = match.group()
        if text == quote or (len(quote) == 1 and text[:1] == quote):
            return match.start() + len(quote)
        at = match.end()
        if text in (b"\n", b"\r", b"\r\n") and len(quote) == 1:
            return None
        if text[:1] in (b'"', b"'") and len(text) == 3:
            at = match.start() + 1
        if text == b"{":
            closed = _field(data, at, token, depth + 1)
            if closed is None:
                return None
            at = closed


def _field(data: bytes, start: int, token: Token, depth: int) -> int | None:
    """Read one replacement field from after its brace; return the offset after the closing brace."""
    at, level = start, 0
    while True:
        match = _FIELD.search(data, at)
        if match is None or depth > _DEPTH:
            return None
        text = match.group()
        at = match.end()
        if match.group(2) is not None or text[:1] == b"#":
            inner = _token(data, match, depth + 1)
            if inner is None:
                return None
            token.nested.append(inner)
            at = inner.end
        elif text in (b"(", b"[", b"{"):
            level += 1
        elif level and text in (b")", b"]", b"}"):
            level -= 1
        elif not level and text in (b"}", b":", b"!"):
            token.fields.append((start, _without_equals(data, start, match.start())))
            if text == b"}":
                return at
            return _specification(data, match.start(), token, depth)


def _specification(data: bytes, at: int, token: Token, depth: int) -> int | None:
    while True:
        match = re.compile(rb"[{}]|[\r\n]").search(data, at)
        if match is None or (match.group() in (b"\r", b"\n") and len(token.quote) == 1):
            return None
        at = match.end()
        if match.group() == b"}":
            return at
        if match.group() == b"{":
            closed = _field(data, at, token, depth + 1)
            if closed is None:
                return None
            at = closed


def _without_equals(data: bytes, start: int, end: int) -> int:
    text = data[start:end].rstrip()
    if text.endswith(b"=") and text[-2:-1] not in (b"=", b"!", b"<", b">"):
        return start + len(text) - 1
    return end
