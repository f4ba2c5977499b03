"""Why imports of a target are left, whatever the file is in which they stand."""

from __future__ import annotations

from typing import TYPE_CHECKING

from . import kinds
from .inlining import templates

if TYPE_CHECKING:
    from ..targets import Target, Targets


def why_left(targets: Targets, target: Target) -> str:
    """Why every import of a target is left; empty where that depends on the file."""
    row = target.move
    if row is None or target.stays or (row.legacy == target.legacy and templates.of_row(targets, row) is not None):
        return ""
    if target.is_tombstone:
        known = kinds.LEFT.get(target.kind)
        return known(targets, target) if known is not None else ""
    return leads_nowhere(targets, target)


def leads_nowhere(targets: Targets, target: Target) -> str:
    """Why nothing can be written in the place of a target that is no tombstone; empty where something can."""
    if targets.is_stopgap(target):
        return targets.wording.by_hand(target, "import")
    if target.move is not None and target.move.depends:
        return f"what replaces it {target.move.depends}"
    return targets.lacks(target)


def is_promising(targets: Targets, target: Target) -> bool:
    """Whether an import of a target is rewritten in most files, if nothing leaves it everywhere."""
    return not (target.adapter or templates.of_row(targets, target.move) is not None)
