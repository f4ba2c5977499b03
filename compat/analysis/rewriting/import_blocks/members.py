"""Read, sort and write the names of one ``from`` statement, comments included, in the order isort uses."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, Callable, NamedTuple, Optional

if TYPE_CHECKING:
    from collections.abc import Iterable

    from ...reading.import_statements import Statement
    from .ruff_settings import ImportStyle

_BETWEEN = re.compile(rb"(?:\s|\\)*,?[ \t]*(#[^\r\n]*)?(?:\s|\\)*\Z")
_SPACE = re.compile(rb"(?:\s|\\)*\Z")
_DIGITS = re.compile(r"(\d+)")
_LINE = 88


class Member(NamedTuple):
    """One imported name: ``local`` is empty without ``as``; ``comment`` stands behind it on its line."""

    name: str
    local: str = ""
    comment: str = ""

    @property
    def text(self) -> str:
        return f"{self.name} as {self.local}" if self.local else self.name


def natural(text: str) -> list[tuple[int, int, str]]:
    """A sort key by which ``a2`` stands before ``a10``."""
    return [(0, int(part), "") if part.isdigit() else (1, 0, part) for part in _DIGITS.split(text) if part]


def by_type(member: Member) -> tuple[object, ...]:
    """CONSTANTS, Classes, functions: the default of isort and ruff."""
    name = member.name
    kind = 0 if len(name) > 1 and name.isupper() else 1 if name[:1].isupper() else 2
    return kind, natural(name.lower()), natural(name), member.local


def by_letter(member: Member) -> tuple[object, ...]:
    """Regardless of case."""
    return natural(member.name.lower()), natural(member.name), member.local


def by_code(member: Member) -> tuple[object, ...]:
    """By code point."""
    return member.name, member.local


Order = Callable[[Member], Any]
ORDERS: tuple[Order, ...] = (by_type, by_letter, by_code)


def read(data: bytes, made: Statement) -> Optional[list[Member]]:
    """The names of a ``from`` statement; ``None`` where comments stand otherwise than behind a name on its line."""
    members: list[Member] = []
    if made.open_bracket >= 0 and not _SPACE.match(data[made.open_bracket + 1 : made.aliases[0].start]):
        return None
    last = made.close_bracket if made.open_bracket >= 0 else made.end
    ends = [*(alias.start for alias in made.aliases[1:]), last]
    for alias, end in zip(made.aliases, ends):
        match = _BETWEEN.match(data[alias.whole_end : end])
        if match is None:
            return None
        local = data[alias.as_start : alias.as_end].decode() if alias.as_start >= 0 else ""
        members.append(Member(alias.name, local, (match.group(1) or b"").decode()))
    return members


def is_spread(data: bytes, made: Statement) -> bool:
    """Whether a statement's names stand in brackets over several lines."""
    return made.open_bracket >= 0 and re.search(rb"[\r\n]", data[made.open_bracket : made.end]) is not None


def write(
    data: bytes, made: Statement, members: Iterable[Member], indent: str, newline: str, *, limit: Optional[int] = None
) -> str:
    """A ``from`` statement with these names, on one line where it fits (``limit``) and was on one, else one name a line."""
    members = list(members)
    lazy = "lazy " if made.lazy_start >= 0 else ""
    head = f"{lazy}from {data[made.module_start : made.module_end].decode()} import "
    line = head + ", ".join(member.text for member in members)
    longest = limit or max(_LINE, *(len(text) for text in data[made.first : made.end].decode().splitlines()))
    is_short = len(indent + line) <= longest
    if not any(member.comment for member in members) and not is_spread(data, made) and is_short:
        return line
    inner = _inner_indent(data, made, indent)
    rows = [f"{inner}{member.text},{f'  {member.comment}' if member.comment else ''}{newline}" for member in members]
    return f"{head}({newline}{''.join(rows)}{indent})"


def write_single(data: bytes, made: Statement, member: Member) -> str:
    """A ``from`` statement with one name, on one line, its comment behind it."""
    lazy = "lazy " if made.lazy_start >= 0 else ""
    module = data[made.module_start : made.module_end].decode()
    return f"{lazy}from {module} import {member.text}{f'  {member.comment}' if member.comment else ''}"


def orders(style: ImportStyle) -> tuple[Order, ...]:
    """The orders in which names may stand, the one that the settings name first."""
    first = by_code if style.case_sensitive and not style.order_by_type else by_type if style.order_by_type else by_letter
    return (first, *(order for order in ORDERS if order is not first))


def _inner_indent(data: bytes, made: Statement, indent: str) -> str:
    if made.open_bracket >= 0:
        match = re.match(rb"\([ \t]*(?:\r\n|\r|\n)([ \t]+)", data[made.open_bracket : made.end])
        if match:
            return match.group(1).decode()
    return indent + ("\t" if "\t" in indent else "    ")
