"""Kind ``behaviour``: left as it is, with what to write instead: who reads the string is not known."""

from __future__ import annotations

from typing import TYPE_CHECKING

from compat.ledger import replacement

from ...rules import behaviour

if TYPE_CHECKING:
    from ...model.file_uses import FileUses
    from ..plan import Plan


def decide_members(plan: Plan, uses: FileUses) -> None:
    """Skip each string."""
    for use in behaviour.strings(uses):
        reason = f"who reads this string is not known; rewrite it by hand: {replacement(use.row)}"
        plan.skip_span(use.start, behaviour.RULE, use.row.legacy, reason)
