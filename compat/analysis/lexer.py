"""Strings and comments of Python source by regular expressions: 50 MB/s, and right in files that do not parse.

Two lexers share one idea of a string. :func:`spans` runs at C speed and gives up (``None``) where it may be out of step;
:func:`tokens` is slower, and follows the replacement fields of f- and t-strings as PEP 701 nests them.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from itertools import accumulate

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


@dataclass
class Token:
    """A comment or a string; ``fields`` are the spans of the expressions inside an f- or t-string."""

    start: int
    end: int
    prefix: bytes = b""
    quote: bytes = b""
    fields: list[tuple[int, int]] = field(default_factory=list)
    nested: list[Token] = field(default_factory=list)

    @property
    def is_comment(self) -> bool:
        return not self.quote

    @property
    def is_format(self) -> bool:
        return b"f" in self.prefix.lower() or b"t" in self.prefix.lower()


def spans(data: bytes, upto: int) -> tuple[list[int], list[int]] | None:
    """Starts and ends of strings and comments up to an offset; ``None`` where the fast lexer may be out of step."""
    line = data.find(b"\n", upto)
    if line >= 0:
        # Most often nothing is open at the end of that line, and what follows it need not be read.
        found = _split(data[: line + 1])
        if found is not None:
            return found
    return _split(data)


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
        # A brace that stays open in an f- or t-string: quotes nested as PEP 701 has them end it too early.
        is_open = text.count(b"{") != text.count(b"}") or text.rfind(b"{") > text.rfind(b"}")
        if is_open and text[:1] != b"#" and _FORMAT.search(pieces[at - 1][-3:]):
            return None
    places = list(accumulate(map(len, pieces)))
    return places[:-1:2], places[1::2]


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
