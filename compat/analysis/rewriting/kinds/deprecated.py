"""Kind ``deprecated``: left as it is, with what to write instead; there is no other path for the same thing."""

from __future__ import annotations

from typing import TYPE_CHECKING

from compat.ledger import replacement

from ...rules import deprecated
from ..inlining import uses as inlining

if TYPE_CHECKING:
    from compat.ledger import Move

    from ...model.file_uses import FileUses
    from ...model.references import Reference
    from ...model.scopes import ImportedName
    from ..plan import Plan


def decide(plan: Plan, item: ImportedName, reference: Reference, uses: FileUses) -> None:
    """Leave the import where it stands: :func:`decide_members` says why, use by use."""


def decide_members(plan: Plan, uses: FileUses) -> None:
    """Skip each use that a row means."""
    for use in deprecated.meant(uses):
        if use.end in plan.inlined or inlining.known(plan, use.reference) is not None:
            continue  # done, or left with its own reason
        plan.skip_span(use.start, deprecated.RULE, use.reference.target.legacy, reason(use.row))


def reason(row: Move) -> str:
    """Why a use is left as it is."""
    return f"it {row.differs}; rewrite it by hand: {replacement(row) or 'nothing replaces it'}"
