"""Ledger rows as the plain text that reports show."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from compat.ledger import Ledger
    from compat.telemetry.report.usage_report import MoveFacts


def move_facts(ledger: Ledger) -> dict[str, MoveFacts]:
    """The facts of every row by the id under which its uses are counted."""
    from compat.ledger import replacement
    from compat.telemetry.report.usage_report import MoveFacts

    return {
        move.id: MoveFacts(
            legacy=move.legacy,
            canonical=move.canonical,
            since=move.since,
            removal=move.removal,
            instead=replacement(move),
            stage=ledger.stage(move),
            kind=move.kind,
        )
        for move in ledger
    }
