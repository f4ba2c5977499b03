"""Rule ``module``: a moved module is imported, or named in a string."""

from __future__ import annotations

from typing import TYPE_CHECKING

from . import report

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ..findings import Finding
    from ..model.file_uses import FileUses

RULE = "module"
NEEDS_RECEIVERS = False


def find(uses: FileUses) -> Iterator[Finding]:
    """Report every reference to a target of this kind."""
    return report.by_path(uses, RULE)
