"""Kind ``removed``: left as it is, with what to write instead."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from ...model.file_uses import FileUses
    from ...model.references import Reference
    from ...model.scopes import ImportedName
    from ..plan import Plan


def decide(plan: Plan, item: ImportedName, reference: Reference, uses: FileUses) -> None:
    """Leave an import of a removed name, and what is read through it."""
    reason = f"it was removed: {plan.targets.wording.words(reference.target, 'import')[1]}"
    plan.skip_item(item, reference, reason)
