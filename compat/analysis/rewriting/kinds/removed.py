"""Kind ``removed``: left as it is, with what to write instead."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from ...model.file_uses import FileUses
    from ...model.references import Reference
    from ...model.scopes import ImportedName
    from ...targets import Target, Targets
    from ..plan import Plan


def decide(plan: Plan, item: ImportedName, reference: Reference, uses: FileUses) -> None:
    """Leave an import of a removed name, and what is read through it."""
    plan.skip_item(item, reference, why_left(plan.targets, reference.target))


def why_left(targets: Targets, target: Target) -> str:
    """Why an import of a removed name is left, whatever stands around it."""
    return f"it was removed: {targets.wording.words(target, 'import')[1]}"
