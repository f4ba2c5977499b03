"""Rule ``class``: a factory-built class is imported, constructed or subclassed under its legacy path."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING

from ..model.scopes import Chain
from . import report

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ..findings import Finding
    from ..model.file_uses import FileUses
    from ..model.references import Reference
    from ..model.scopes import Names

RULE = "class"
NEEDS_RECEIVERS = False


def find(uses: FileUses) -> Iterator[Finding]:
    """Report imports and attribute uses, told apart into construction and subclassing where the class is reached by attribute."""
    return report.by_path(uses, RULE, lambda reference: use_of(uses.file.names, reference))


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
