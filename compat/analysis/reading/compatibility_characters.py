"""Compatibility characters: non-ASCII characters that Python normalises (NFKC) in identifiers."""

from __future__ import annotations

import re
import unicodedata
from typing import TYPE_CHECKING, Optional

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

# The last set is all but the other ASCII characters: said the other way round, it takes milliseconds to compile.
FOREIGN_RUN = re.compile(r"(?<![A-Za-z0-9_.])[A-Za-z0-9_.]*[^\x00-\x7f][^\x00-\x2d\x2f\x3a-\x40\x5b-\x5e\x60\x7b-\x7f]*")
_PLAIN_WORD = re.compile(r"[A-Za-z0-9_]")


def foreign_runs(text: str, characters: Optional[Iterable[str]] = None) -> set[str]:
    """The runs of letters, digits, dots and characters beyond ASCII with at least one of these in them.

    With ``characters`` of these only the runs of lines in which one of those stands. Line by line: no run holds a line feed,
    and few lines hold one. ``splitlines`` would also cut at signs that a run may hold.
    """
    lines = text.split("\n") if characters is None else {line for sign in characters for line in _lines_with(text, sign)}
    return {run for line in lines if not line.isascii() for run in FOREIGN_RUN.findall(line)}


def _lines_with(text: str, sign: str) -> Iterator[str]:
    at = text.find(sign)
    while at >= 0:
        end = text.find("\n", at)
        yield text[text.rfind("\n", 0, at) + 1 : end if end >= 0 else None]
        at = text.find(sign, end) if end >= 0 else -1


def has_plain_words(character: str) -> bool:
    """Whether a character beyond ASCII reads as one with ASCII letters or digits in it."""
    return _PLAIN_WORD.search(unicodedata.normalize("NFKC", character)) is not None
