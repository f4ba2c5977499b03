"""Parse single import statements into spans: module, names, aliases, brackets, comments."""

from __future__ import annotations

import re
from typing import Optional

_LOGICAL = re.compile(rb"[()]|#[^\r\n]*|\\(?:\r\n|\r|\n)|\r\n|[\r\n;]")
_PART = re.compile(rb"#[^\r\n]*|\\(?:\r\n|\r|\n)|[(),*]|[^\W\d]\w*|\.|[\x80-\xff\w]+|\s+|.", re.S)
_LAZY_BEFORE = re.compile(rb"\blazy[ \t\f\\\r\n]+$")


class AliasSpan:
    """One ``name as local``: spans in bytes; ``as_start`` is -1 without ``as``."""

    def __init__(self, start: int, end: int, name: str) -> None:
        self.start, self.end, self.name = start, end, name
        self.as_start = self.as_end = -1

    @property
    def whole_end(self) -> int:
        return self.as_end if self.as_start >= 0 else self.end


class Statement:
    """The parts of ``[lazy] from module import names`` or ``[lazy] import names``; spans of what is not there are -1."""

    def __init__(self, start: int, end: int, is_from: bool, lazy_start: int) -> None:
        self.start, self.end, self.is_from, self.lazy_start = start, end, is_from, lazy_start
        self.module = ""
        self.module_start = self.module_end = self.open_bracket = self.close_bracket = -1
        self.aliases: list[AliasSpan] = []
        self.has_comment = self.has_continuation = False

    @property
    def first(self) -> int:
        """Where the statement starts, ``lazy`` included."""
        return self.lazy_start if self.lazy_start >= 0 else self.start


def logical_end(data: bytes, start: int) -> int:
    """The end of the simple statement that starts at an offset: before its newline, semicolon or trailing comment."""
    depth = 0
    last = len(data)
    for match in _LOGICAL.finditer(data, start):
        byte = data[match.start()]
        if byte == 40:
            depth += 1
        elif byte == 41:
            depth -= 1
        elif byte == 92 or (depth > 0 and byte != 35):
            continue
        elif depth <= 0:
            last = match.start()
            break
    return start + len(data[start:last].rstrip())


def read(data: bytes, start: int) -> Optional[Statement]:
    """Read the import statement at an offset (at ``lazy``, ``from`` or ``import``); ``None`` where none stands there."""
    lazy = -1
    match = re.compile(rb"lazy[ \t\f]+(?:\\\r?\n[ \t\f]*)*").match(data, start)
    if match:
        lazy, start = start, match.end()
    else:
        before = _LAZY_BEFORE.search(data, max(0, start - 80), start)
        if before:
            lazy = before.start()
    if data.startswith(b"from", start):
        is_from = True
    elif data.startswith(b"import", start):
        is_from = False
    else:
        return None
    made = Statement(start, logical_end(data, start), is_from, lazy)
    return made if _Reader(data, made).read() else None


class _Reader:
    def __init__(self, data: bytes, made: Statement) -> None:
        self.data, self.made = data, made
        self.state = "module" if made.is_from else "name"
        self.alias: Optional[AliasSpan] = None

    def read(self) -> bool:
        made = self.made
        at = made.start + (4 if made.is_from else 6)
        for match in _PART.finditer(self.data, at, made.end):
            text = match.group()
            if text.isspace():
                continue
            if text[:1] == b"#":
                made.has_comment = True
            elif text[:1] == b"\\":
                made.has_continuation = True
            elif self.state == "module":
                self.module(text, match.start(), match.end())
            elif not self.name(text, match.start(), match.end()):
                return False
        self.close()
        made.module = "".join(made.module.split())
        return bool(made.aliases)

    def module(self, text: bytes, start: int, end: int) -> None:
        made = self.made
        if text == b"import" and made.module_start >= 0:
            self.state = "name"
            return
        if made.module_start < 0:
            made.module_start = start
        made.module_end = end
        made.module += text.decode("utf-8", "replace")

    def name(self, text: bytes, start: int, end: int) -> bool:
        made = self.made
        if text == b"(":
            made.open_bracket = start
        elif text == b")":
            made.close_bracket = start
        elif text == b",":
            self.close()
        elif text == b"as" and self.alias is not None and self.state == "name":
            self.state = "as"
        elif self.state == "as" and self.alias is not None:
            self.alias.as_start, self.alias.as_end = start, end
            self.state = "name"
        elif self.alias is None:
            self.alias = AliasSpan(start, end, text.decode("utf-8", "replace"))
        elif self.alias.as_start < 0:
            self.alias.end = end
            self.alias.name += text.decode("utf-8", "replace")
        else:
            return False
        return True

    def close(self) -> None:
        if self.alias is not None:
            self.made.aliases.append(self.alias)
            self.alias = None
        self.state = "name"
