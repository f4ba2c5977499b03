"""Build findings from references and rows."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..finding_text import place_of, said
from ..findings import Finding

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from compat.ledger import Move

    from ..model.file_uses import FileUses
    from ..model.references import Reference
    from ..reading.sources import Source
    from ..targets import Targets


def by_path(uses: FileUses, rule: str, how_of: Callable[[Reference], str] | None = None) -> Iterator[Finding]:
    """The findings of all references to targets that fall under ``rule``; ``how_of`` tells more of how each refers."""
    for reference in uses.references:
        if reference.target.kind == rule:
            how = "" if how_of is None else how_of(reference)
            yield from_reference(uses.file.source, uses.targets, reference, rule, how)


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
