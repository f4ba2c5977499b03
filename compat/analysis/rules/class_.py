"""Rule ``class``: a factory-built class is imported, constructed or subclassed under its legacy path."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING

from ..model.scopes import Chain
from . import report

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from ..findings import Finding
    from ..model.file_model import FileModel
    from ..model.references import Reference
    from ..model.scopes import Names
    from ..targets import Targets

RULE = "class"


def find(file: FileModel, targets: Targets, references: Iterable[Reference]) -> Iterator[Finding]:
    """Report imports and attribute uses, told apart into construction and subclassing where the class is reached by attribute."""
    for reference in references:
        if reference.target.kind == RULE:
            yield report.from_reference(file.source, targets, reference, RULE, use_of(file.names, reference))


def use_of(names: Names, reference: Reference) -> str:
    """``construct`` or ``subclass`` where a reference by attribute is one; else how it refers."""
    subject = reference.subject
    if reference.how == "call":
        return "construct"
    if isinstance(subject, Chain):
        parent = names.parents.get(subject.node)
        if isinstance(parent, ast.ClassDef) and subject.node in parent.bases:
            return "subclass"
    return reference.how
