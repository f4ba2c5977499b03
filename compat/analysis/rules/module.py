"""Rule ``module``: a moved module is imported, or named in a string."""

from __future__ import annotations

from typing import TYPE_CHECKING

from . import report

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from ..findings import Finding
    from ..model.file_model import FileModel
    from ..model.references import Reference
    from ..targets import Targets

RULE = "module"


def find(file: FileModel, targets: Targets, references: Iterable[Reference]) -> Iterator[Finding]:
    """Report every reference to a target of this kind."""
    for reference in references:
        if reference.target.kind == RULE:
            yield report.from_reference(file.source, targets, reference, RULE)
