"""Findings made from references: the words come from the ledger, the place from the source."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..finding_text import place_of, said
from ..findings import Finding

if TYPE_CHECKING:
    from compat.ledger import Move

    from ..model.references import Facts, Reference


def place(facts: Facts, start: int, end: int) -> dict[str, object]:
    """The place fields of a finding for a byte span."""
    return place_of(facts.source, start, end)


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
