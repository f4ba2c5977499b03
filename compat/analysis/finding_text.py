"""The texts of a finding: the ledger's sentence about a use, and its place in the source."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from .reading.sources import Source
    from .targets import Target, Targets

#: How a construct reads in the ledger's one sentence.
_USES = {
    "import": "import",
    "star": "import",
    "re-export": "import",
    "import_module": "import",
    "call": "read",
    "subclass": "subclass",
    "construct": "construct",
}


def said(targets: Targets, target: Target, how: str) -> tuple[str, str]:
    """The sentence about a target used in one way, and what to write instead."""
    return targets.wording.words(target, _USES.get(how, "read"))


def unparsable(reason: str) -> str:
    """The sentence about a file that could not be parsed or decoded."""
    return f"The file cannot be analysed: {reason}. It was searched by text."


def place_of(source: Source, start: int, end: int) -> dict[str, object]:
    """The place fields of a finding for a byte span of a source."""
    line, column = source.position(start)
    text = source.data[start:end]
    if b"\n" in text or b"\r" in text:
        end_line, end_column = source.position(end)
    else:
        end_line, end_column = line, column + len(text.decode("utf-8", "replace"))
    return {
        "path": source.path,
        "line": line,
        "column": column,
        "end_line": end_line,
        "end_column": end_column,
        "span": (start, end),
        "code": source.code_around(start),
    }
