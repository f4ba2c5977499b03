"""Findings made from references: the words come from the ledger, the place from the source."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..findings import Finding

if TYPE_CHECKING:
    from compat.ledger import Move

    from ..references import Facts, Reference
    from ..sources import Source
    from ..targets import Target, Targets

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


def place(facts: Facts, start: int, end: int) -> dict[str, object]:
    """The place fields of a finding for a byte span."""
    return place_of(facts.source, start, end)


def said(targets: Targets, target: Target, how: str) -> tuple[str, str]:
    """The sentence about a target used in one way, and what to write instead."""
    return targets.words(target, _USES.get(how, "read"))


def place_of(source: Source, start: int, end: int) -> dict[str, object]:
    """The place fields of a finding for a byte span of a source."""
    line, column = source.position(start)
    end_line, end_column = source.position(end)
    return {
        "path": source.path,
        "line": line,
        "column": column,
        "end_line": end_line,
        "end_column": end_column,
        "span": (start, end),
        "code": source.line(line).strip()[:200],
    }


def from_reference(facts: Facts, reference: Reference, rule: str, how: str = "") -> Finding:
    """The finding of one reference."""
    how = how or reference.how
    message, replacement = said(facts.targets, reference.target, how)
    if how == "re-export":
        message += " It is handed on here by a module of the scanned tree."
    return Finding(
        rule=rule,
        move=reference.target.id,
        how=how,
        confidence=reference.confidence,
        message=message,
        replacement=replacement,
        symbol=reference.target.legacy,
        **place(facts, reference.start, reference.end),  # type: ignore[arg-type]
    )


def from_row(facts: Facts, row: Move, span: tuple[int, int], rule: str, how: str, confidence: str) -> Finding:
    """The finding of a row that is used at a span."""
    from compat.ledger import replacement

    return Finding(
        rule=rule,
        move=row.id,
        how=how,
        confidence=confidence,
        message=facts.targets.say(row, how),
        replacement=replacement(row),
        symbol=row.legacy,
        **place(facts, *span),  # type: ignore[arg-type]
    )
