"""Rule ``name``: a moved name is imported, read through a module, exported, patched or named in a string."""

from __future__ import annotations

from typing import TYPE_CHECKING

from . import report

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from ..findings import Finding
    from ..model.file_model import FileModel
    from ..model.references import Reference
    from ..targets import Targets

RULE = "name"


def find(file: FileModel, targets: Targets, references: Iterable[Reference]) -> Iterator[Finding]:
    """Report every reference to a target of this kind."""
    for reference in references:
        if reference.target.kind == RULE:
            yield report.from_reference(file.source, targets, reference, RULE)
