"""Rule ``removed``: a removed module or name is used; never rewritten."""

from __future__ import annotations

from typing import TYPE_CHECKING

from . import report

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ..findings import Finding
    from ..model.file_uses import FileUses

RULE = "removed"
NEEDS_RECEIVERS = False


def find(uses: FileUses) -> Iterator[Finding]:
    """Report every reference to a target of this kind."""
    return report.by_path(uses, RULE)
