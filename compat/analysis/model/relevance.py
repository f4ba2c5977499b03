"""Decide which functions of a file can hold a use, so that name resolution may skip the others."""

from __future__ import annotations

import re
import unicodedata
from bisect import bisect_left, bisect_right
from functools import cached_property
from typing import TYPE_CHECKING, Optional

from ..reading.compatibility_characters import foreign_runs
from ..reading.constructs import DYNAMIC, IMPORTERS

if TYPE_CHECKING:
    from collections.abc import Iterable

    from ..reading.sources import Source
    from ..targets import Targets
    from .scopes import ImportNode, Names, Part

_LETTERS = frozenset(b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ_abcdefghijklmnopqrstuvwxyz")
_BLANKS = b" \t\n\r\f\v\\"
_READS = (b".", b'"', b"'")
_RELATIVE = re.compile(rb"from[ \t]*\.")
_GIVES = re.compile(rb"\breturn[ \t]+(?!None\b|True\b|False\b|[\"'\d])|\byield\b|->(?![ \t]*None\b)")
_KEPT = re.compile(rb"\.\w+[ \t]*(?:=(?!=)|:)")
_DYNAMIC = frozenset(map(str.encode, DYNAMIC))


class Relevance:
    """Says of ranges of lines of one file whether they matter, once it knows what the file imports."""

    def __init__(self, source: Source, targets: Targets) -> None:
        self.data, self.starts, self.targets = source.data, source.starts, targets
        self.is_plain = source.text.isascii() or _is_plain(source.text)
        #: Where something of the ledger may be named, in order; ``None`` where that may be anywhere.
        self.places: Optional[list[int]] = None
        #: The members that the file's imports may lead to.
        self.read: frozenset[bytes] = frozenset()
        self._read_at: dict[frozenset[bytes], list[int]] = {}

    def learn(self, names: Names, *, members: bool) -> None:
        """Find the places anew, given the imports of a file; with ``members`` those, too, where methods of theirs are read."""
        targets = self.targets
        if not self.is_plain or targets.carried is None or any(item.name == "*" for item in names.imports):
            # Identifiers may be spelt in compatibility characters; a star import may bind any name, and where it is not known
            # what other files give, any import may.
            self.places = None
            return
        words: set[bytes] = set()
        read = targets.search_words.members
        for item in names.imports:
            if item.name in targets.carried_by(item.module) or f"{item.module}.{item.name}".rstrip(".") in (
                targets.carried or ()
            ):
                words.add(item.local.encode())
                read = read | targets.search_words.adapted
            if item.module in targets.re_exported or item.module.partition(".")[0] in targets.tops:
                words.add(item.local.encode())
                target = targets.attribute(item.module, item.name) if item.name else targets.module(item.module)
                if target is not None and (target.is_module or target.adapter):
                    read = read | targets.search_words.adapted
        self.read = read
        found = [*self._of(words), *self._always]
        if members:
            # What an attribute of `self` is may be said in any method: those that assign one matter, too.
            found += [*self._members(read), *(match.start() for match in _KEPT.finditer(self.data))]
        self.places = sorted(found)

    def naming(self, names: Iterable[str]) -> Optional[list[int]]:
        """Where one of some names, something of the ledger, or what may read any name may stand, in order.

        ``None`` where that may be anywhere.
        """
        if not self.is_plain:
            return None
        found = [*self._always, *self._of(_DYNAMIC)]
        for word in {name.encode() for name in names}:
            at = self.data.find(word)
            while at >= 0:
                found.append(at)
                at = self.data.find(word, at + len(word))
        return sorted(found)

    @cached_property
    def _always(self) -> list[int]:
        """The places that matter whatever the file imports."""
        words = self.targets.search_words
        found = [match.start() for match in _RELATIVE.finditer(self.data)]
        for word, at in words.all.places(self.data):
            end = at + len(word)
            is_told = word not in words.tops or word in words.telling
            if word in words.texts or (self._is_word(at, end) and (is_told or self._begins_path(word, at, end))):
                found.append(at)
        return found

    def matters(self, first: int, last: int) -> bool:
        """Whether there is such a place from one line to another."""
        if self.places is None:
            return True
        at = bisect_left(self.places, self.starts[first - 1])
        return at < len(self.places) and self.places[at] < self._end(last)

    def parts(self, names: Names, functions: list[Part]) -> Optional[set[Part]]:
        """Those of a file's outermost functions (given in order) in which alone something can be used.

        ``None`` where something may be said beside them, or where what one of them keeps in ``self`` or in a global name
        others may read. ``names`` holds all imports that stand beside functions.
        """
        self.learn(names, members=False)
        if self.places is None:
            return None
        spans = sorted({self._span(item.statement) for item in names.imports})
        starts = [start for start, _end in spans]
        lines = [self.starts[part.lines[0] - 1] for part in functions]
        chosen: dict[int, Part] = {}
        for place in self.places:
            index = bisect_right(starts, place) - 1
            if index >= 0 and place < spans[index][1]:
                continue
            index = bisect_right(lines, place) - 1
            if index < 0 or place >= self._end(functions[index].lines[1]):
                return None
            chosen[index] = functions[index]
        for place in self._members(self.read) if any(self._gives(lines[index], part) for index, part in chosen.items()) else ():
            # What a function gives, others may use by its methods alone.
            index = bisect_right(lines, place) - 1
            if index not in chosen or place >= self._end(functions[index].lines[1]):
                return None
        for index, part in chosen.items():
            span = lines[index], self._end(part.lines[1])
            if self.data.find(b"global", *span) >= 0 or (part.scope.form == "class" and _KEPT.search(self.data, *span)):
                return None
        return {*chosen.values()}

    def _gives(self, start: int, part: Part) -> bool:
        """Whether a function is mentioned beside its definition, and returns something."""
        is_called = len(self._of([part.node.name.encode()])) > 1
        return is_called and _GIVES.search(self.data, start, self._end(part.lines[1])) is not None

    def _span(self, node: ImportNode) -> tuple[int, int]:
        start = self.starts[node.lineno - 1] + node.col_offset
        return start, self.starts[(node.end_lineno or node.lineno) - 1] + (node.end_col_offset or 0)

    def _members(self, names: frozenset[bytes]) -> list[int]:
        """Where members are read by one of the names."""
        if names not in self._read_at:
            data = self.data
            places = ((at, at + len(word)) for word, at in self.targets.search_words.among(names).places(data))
            self._read_at[names] = [at for at, end in places if data[max(0, at - 1) : at] in _READS and self._is_word(at, end)]
        return self._read_at[names]

    def _of(self, words: Iterable[bytes]) -> list[int]:
        data = self.data
        found: list[int] = []
        for word in {*words} - {b""}:
            at, size = data.find(word), len(word)
            while at >= 0:
                end = at + size
                if self._is_word(at, end):
                    found.append(at)
                at = data.find(word, end)
        return found

    def _is_word(self, start: int, end: int) -> bool:
        data = self.data
        return not (start and data[start - 1] in _LETTERS) and not (end < len(data) and data[end] in _LETTERS)

    def _begins_path(self, top: bytes, start: int, end: int) -> bool:
        """Whether a top-level package is named: as a word of its own, `app` or `tests` may be anything."""
        data = self.data
        before = data[max(0, start - 60) : start].rstrip(_BLANKS)
        if before.endswith((b"from", b"import")):
            return True
        after = data[end : end + 60].lstrip(_BLANKS)
        sign = after[:1]
        if sign == b"." or sign == b":":
            return before.endswith((b",", b'"', b"'"))
        if before.endswith(b","):
            # `import os, app`; a line's end is among the blanks.
            return not sign or sign in b",;#)" or after.startswith(b"as") or data[end : end + 1] in (b"\r", b"\n", b"\\")
        if not before.endswith((b'"', b"'")) or data[end : end + 1] == b"\\":
            # An escape may stand for what follows in a path.
            return before.endswith((b'"', b"'"))
        if sign not in (b'"', b"'"):
            return False
        # The string `"app"` alone names something where `app` is a legacy module itself, or what a relative import is from;
        # it may go on in another string behind it, or behind a comment, or too far away to be seen here.
        behind = after[1:].lstrip(_BLANKS)
        return (
            behind[:1] in (b"", b"#", b'"', b"'")
            or behind[:1].isalpha()
            or self.targets.resolve(top.decode()) is not None
            or any(word.encode() in data for word in IMPORTERS)
        )

    def _end(self, line: int) -> int:
        return self.starts[line] if line < len(self.starts) else len(self.data)


def _is_plain(text: str) -> bool:
    """Whether names stand in a text as Python reads them (NFKC)."""
    if unicodedata.is_normalized("NFKC", text):
        return True
    runs = ((run, unicodedata.normalize("NFKC", run)) for run in foreign_runs(text))
    return not any(plain != run and any(map(str.isalnum, plain)) for run, plain in runs)
