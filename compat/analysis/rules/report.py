"""Build findings from references and rows."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..finding_text import place_of, said
from ..findings import Finding

if TYPE_CHECKING:
    from compat.ledger import Move

    from ..model.references import Reference
    from ..reading.sources import Source
    from ..targets import Targets


def from_reference(source: Source, targets: Targets, reference: Reference, rule: str, how: str = "") -> Finding:
    """The finding of one reference."""
    how = how or reference.how
    message, replacement = said(targets, reference.target, how)
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
        **place_of(source, reference.start, reference.end),  # type: ignore[arg-type]
    )


def from_row(source: Source, targets: Targets, row: Move, span: tuple[int, int], rule: str, how: str, confidence: str) -> Finding:
    """The finding of a row that is used at a span."""
    from compat.ledger import replacement

    return Finding(
        rule=rule,
        move=row.id,
        how=how,
        confidence=confidence,
        message=targets.wording.say(row, how),
        replacement=replacement(row),
        symbol=row.legacy,
        **place_of(source, *span),  # type: ignore[arg-type]
    )
