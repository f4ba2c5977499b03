"""Decode source files by BOM and encoding cookie, map offsets to positions, and encode back byte for byte."""

from __future__ import annotations

import codecs
import re
from bisect import bisect_right
from itertools import accumulate

_COOKIE = re.compile(rb"^[ \t\f]*#.*?coding[:=][ \t]*([-\w.]+)")
_BLANK = re.compile(rb"^[ \t\f]*(?:#.*)?$")
_NEWLINE = re.compile(rb"\r\n|\r|\n")
_BOMS = (
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF32_LE, "utf-32-le"),
    (codecs.BOM_UTF32_BE, "utf-32-be"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
)


#: How much of a line is shown with a finding, in characters.
_SHOWN = 200


class Undecodable(ValueError):
    """The bytes of a file are not what its BOM or cookie says."""


class Source:
    """One decoded file. ``data`` is its text as UTF-8 without BOM: every span and offset counts in these bytes."""

    def __init__(self, path: str, raw: bytes, text: str, encoding: str, bom: bytes) -> None:
        self.path, self.raw, self.text, self.encoding, self.bom = path, raw, text, encoding, bom
        self.data = raw if encoding == "utf-8" and not bom else text.encode("utf-8", "surrogatepass")
        self._starts: list[int] | None = None
        self._counted = (1, 0)
        self._has_returns: bool | None = None
        self._is_ascii: bool | None = None
        self._columns = (-1, 0)
        self._shown = (-1, "")

    @property
    def starts(self) -> list[int]:
        """Offsets at which lines start; lines end as Python's tokenizer ends them (LF, CRLF, lone CR)."""
        if self._starts is None:
            lines = self.data.splitlines(keepends=True)
            self._starts = [0, *accumulate(map(len, lines))]
            if lines and not lines[-1].endswith((b"\n", b"\r")):
                del self._starts[-1]
        return self._starts

    def offset(self, line: int, column: int) -> int:
        """The offset of an ``ast`` position: line from 1, column in UTF-8 bytes from 0."""
        return self.starts[line - 1] + column

    def position(self, offset: int) -> tuple[int, int]:
        """Line and column of an offset, both from 1, the column in characters."""
        line, head = self._line_at(offset)
        if self._is_ascii is None:
            self._is_ascii = self.data.isascii()
        if self._is_ascii:
            return line, offset - head + 1
        # On a line that is long, counting on from the last place is linear in its length.
        start, count = self._columns if head <= self._columns[0] <= offset else (head, 0)
        count += len(self.data[start:offset].decode("utf-8", "replace"))
        self._columns = offset, count
        return line, count + 1

    def code_around(self, offset: int) -> str:
        """The line of an offset without blanks at its ends, as far as it is shown."""
        line, head = self._line_at(offset)
        if head == self._shown[0]:
            return self._shown[1]
        if self._starts is not None:
            text = self.line(line)
        else:
            end = self.data.find(b"\n", offset)
            text = self.data[head : end if end >= 0 else None].decode("utf-8", "replace")
        self._shown = head, text.strip()[:_SHOWN]
        return self._shown[1]

    def _line_at(self, offset: int) -> tuple[int, int]:
        if self._has_returns is None:
            self._has_returns = b"\r" in self.data
        if self._starts is None and not self._has_returns:
            # For the few places of most files, counting on from the last is cheaper than knowing all lines.
            head = self.data.rfind(b"\n", 0, offset) + 1
            line, counted = self._counted if self._counted[1] <= head else (1, 0)
            self._counted = line + self.data.count(b"\n", counted, head), head
            return self._counted
        line = bisect_right(self.starts, offset)
        return line, self.starts[line - 1]

    def line(self, number: int) -> str:
        """The text of one line without its end."""
        starts = self.starts
        end = starts[number] if number < len(starts) else len(self.data)
        return self.data[starts[number - 1] : end].decode("utf-8", "replace").rstrip("\r\n")

    def encode(self, data: bytes) -> bytes:
        """Turn UTF-8 text back into the bytes of this file: same BOM, same encoding."""
        if self.encoding == "utf-8":
            return self.bom + data
        return self.bom + data.decode("utf-8").encode(self.encoding)

    @property
    def round_trips(self) -> bool:
        """Whether unchanged text encodes to exactly the bytes that were read."""
        try:
            return self.encode(self.data) == self.raw
        except UnicodeError:
            return False


def encoding_of(raw: bytes) -> tuple[str, bytes]:
    """Return the encoding that a BOM or a PEP 263 cookie names, and the BOM; UTF-8 where neither does."""
    for bom, name in _BOMS:
        if raw.startswith(bom):
            return name, bom
    lines = _NEWLINE.split(raw[:4096], 2)[:2]
    for line in lines:
        match = _COOKIE.match(line)
        if match:
            return match.group(1).decode("ascii", "replace"), b""
        if not _BLANK.match(line):
            break
    return "utf-8", b""


def decode(path: str, raw: bytes) -> Source:
    """Decode a file; raise :class:`Undecodable` with the reason where that cannot be done."""
    encoding, bom = encoding_of(raw)
    try:
        encoding = codecs.lookup(encoding).name
        text = raw[len(bom) :].decode(encoding)
    except LookupError:
        raise Undecodable(f"unknown encoding {encoding!r} in the coding cookie") from None
    except (UnicodeError, ValueError) as error:
        raise Undecodable(f"not valid {encoding}: {error}") from None
    if not isinstance(text, str):
        raise Undecodable(f"{encoding!r} is not a text encoding")
    return Source(path, raw, text, encoding, bom)


def decode_anyway(path: str, raw: bytes) -> Source:
    """Decode bytes that :func:`decode` refuses, one byte per character, so that they can be searched."""
    return Source(path, raw, raw.decode("latin-1"), "latin-1", b"")
